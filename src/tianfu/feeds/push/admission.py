"""Whether a pushed request is let in: who signed it, when, for which feed, and how much they sent already.

Everything here is decided before the body is read, so a stranger costs one look-up and no memory.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from tianfu.errors import TianfuError
from tianfu.feeds.intake import Sender
from tianfu.feeds.push import keys_store, signature
from tianfu.feeds.push.keys_store import FeedKey
from tianfu.feeds.push.signature import Signed
from tianfu.platform.database import Database, Purpose, Write
from tianfu.platform.rates import Rate

# A department sends a batch every few seconds at most; the burst lets it catch up after an outage.
REQUESTS_PER_MINUTE: Final = 60
REQUESTS_BURST: Final = 30
_SHANGHAI: Final = timezone(timedelta(hours=8))
# A nonce is needed as long as its signature could still be fresh: the window on both sides, and a minute.
_NONCE_KEPT: Final = timedelta(seconds=2 * signature.WINDOW_SECONDS + 60)


class FeedNotAllowedError(TianfuError):
    """The key may not send this feed."""

    code = "feed_not_allowed"
    status = 403
    zh = "该密钥无权推送此类数据。"
    en = "This key may not send this feed."


class FeedQuotaError(TianfuError):
    """The key has sent its rows for today."""

    code = "feed_quota"
    status = 429
    zh = "该密钥今日可推送的行数已用完，本批未导入。"
    en = "The key's rows for today are used up; nothing of this batch was loaded."


def new_rate() -> Rate:
    """How often one key may push."""
    return Rate(per_minute=REQUESTS_PER_MINUTE, burst=REQUESTS_BURST)


def admit(database: Database, rate: Rate, signed: Signed, *, feed: str, path: str, at: datetime) -> FeedKey:
    """The key that signed a POST to `path`, now; its nonce is used up.

    Raises `SignatureRefusedError` (`window`, `key`, `signature` or `replay`), `FeedNotAllowedError`,
    `TooManyRequestsError`, or a database error.
    """
    signature.require_fresh(signed, at)
    with database.write(Purpose.RESIDENT) as write:
        key = keys_store.find(write, signed.key_id)
        if key is None or key.revoked_at is not None or not key.created_at <= at < key.expires_at:
            raise signature.refused(
                code="key", zh="密钥不存在、已停用或已过期。", en="names a key that is unknown, revoked or expired"
            )
        signature.verify(signed, signature.public_key(key.public_key), method="POST", path=path)
        if feed not in key.feeds:
            raise FeedNotAllowedError
        rate.spend(key.key_id)
        keys_store.forget_nonces(write, at - _NONCE_KEPT)
        if not keys_store.use_nonce(write, key.key_id, signed.nonce, at):
            raise signature.refused(code="replay", zh="该签名已使用过。", en="was used before")
    return key


def sender(key: FeedKey, at: datetime) -> Sender:
    """Who loads what came with `key`: its quota is spent in the transaction that loads, and only for new batches."""
    local = at.astimezone(_SHANGHAI)

    def spend(write: Write, rows: int) -> None:
        if not keys_store.spend_rows(write, key.key_id, local.date(), rows, key.rows_per_day):
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            raise FeedQuotaError(retry_after_seconds=int((midnight - local).total_seconds()) + 1)

    return Sender(f"key:{key.key_id}", "department", spend)
