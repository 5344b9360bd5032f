"""One-time passwords by message: six digits, five minutes, five attempts, one use.

Nothing here looks at who holds a phone, so asking for a password says nothing about anybody. Attempts are counted in
a transaction of their own, which commits whatever becomes of the request; use is marked in the transaction that does
the work.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.errors import Fault, TianfuError
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.platform.pseudonym import IndexDomain, Pseudonym
from tianfu.residents import store

CODE_DIGITS: Final = 6
LIFE_SECONDS: Final = 300
# 5 attempts of 10 challenges a day are 50 guesses at 1,000,000 codes: 1 in 20,000 a day for a phone under attack.
ATTEMPTS_MAX: Final = 5
PER_PHONE_DAY_MAX: Final = 10
RESEND_AFTER_SECONDS: Final = 60
DAY: Final = timedelta(days=1)
_CHALLENGE_BYTES: Final = 16
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
_NO_DIGEST: Final = bytes(32)


class PasswordTooSoonError(TianfuError):
    """A password was sent to this phone less than `RESEND_AFTER_SECONDS` ago."""

    code = "one_time_password_too_soon"
    status = 429
    zh = "验证码已发送，请稍后再重新获取。"
    en = "A code has just been sent; please wait before asking for another."


class PasswordDailyLimitError(TianfuError):
    """The phone has had `PER_PHONE_DAY_MAX` passwords in 24 hours."""

    code = "one_time_password_daily_limit"
    status = 429
    zh = "该手机号今日获取验证码次数已达上限，请 24 小时后再试。"
    en = "This phone has had too many codes today; please try again in 24 hours."


class PasswordWrongError(TianfuError):
    """The password is wrong, expired, used up or was for another phone; which of these is not said."""

    code = "one_time_password_wrong"
    status = 422
    zh = "验证码不正确或已失效，请核对或重新获取。"
    en = "The code is wrong or no longer valid; please check it or ask for a new one."

    def __init__(self) -> None:
        """Name the field, so that a form can show where."""
        super().__init__(
            faults=(Fault(field="one_time_password", code="one_time_password", zh=type(self).zh, en=type(self).en),)
        )


class Begun(msgspec.Struct, frozen=True):
    """A challenge that waits for its answer. `code` goes to the message sender and nowhere else."""

    challenge: str
    code: str

    def __repr__(self) -> str:
        """Never the code."""
        return f"Begun({self.challenge})"


class Attempt(msgspec.Struct, frozen=True):
    """A right answer to a challenge; `used` when it had been answered and used before."""

    challenge: bytes
    used: bool


def begin(write: Write, phone: str, *, pseudonym: Pseudonym, at: datetime) -> Begun:
    """A new challenge for `phone` (normalised).

    Raises `PasswordTooSoonError` or `PasswordDailyLimitError` with the seconds to wait. Two requests for one phone at
    the same time are counted one after the other.
    """
    indexes = [index.digest for index in pseudonym.index_candidates(phone, domain=IndexDomain.PHONE)]
    store.lock_phone(write, indexes[0])
    recent = store.passwords_since(write, indexes, at - DAY)
    if recent and at - recent[0] < timedelta(seconds=RESEND_AFTER_SECONDS):
        wait = RESEND_AFTER_SECONDS - int((at - recent[0]).total_seconds())
        raise PasswordTooSoonError(retry_after_seconds=wait)
    if len(recent) >= PER_PHONE_DAY_MAX:
        wait = int((recent[PER_PHONE_DAY_MAX - 1] + DAY - at).total_seconds()) + 1
        raise PasswordDailyLimitError(retry_after_seconds=wait)
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    store.insert_password(
        write,
        challenge=challenge,
        phone_index=indexes[0],
        code_digest=pseudonym.index(_code_text(challenge, code), domain=IndexDomain.PHONE).digest,
        attempts=ATTEMPTS_MAX,
        created_at=at,
        expires_at=at + timedelta(seconds=LIFE_SECONDS),
    )
    return Begun(_encode(challenge), code)


def discard(write: Write, begun: Begun) -> None:
    """Forget a challenge whose message could not be sent, so that the person may try again at once."""
    store.delete_password(write, _decode(begun.challenge))


def attempt(
    write: Write, *, challenge: str, code: str, phone: str, pseudonym: Pseudonym, at: datetime
) -> Attempt | None:
    """Spend one attempt; None when the answer is not right, for whatever reason.

    The caller commits this transaction before it judges, or a wrong guess would cost nothing. The same work is done
    for every outcome.
    """
    key = _decode(challenge)
    row = store.take_attempt(write, key, at)
    phones = [index.digest for index in pseudonym.index_candidates(phone, domain=IndexDomain.PHONE)]
    answers = [index.digest for index in pseudonym.index_candidates(_code_text(key, code), domain=IndexDomain.PHONE)]
    stored_phone = row.phone_index if row else _NO_DIGEST
    stored_answer = row.code_digest if row else _NO_DIGEST
    # The digests of a missing challenge match nothing.
    phone_fits = equals_any(stored_phone, phones)
    answer_fits = equals_any(stored_answer, answers)
    well_formed = _CODE.fullmatch(code) is not None
    if row is None or not (phone_fits and answer_fits and well_formed):
        return None
    return Attempt(key, row.used)


def use(write: Write, answered: Attempt, person: PersonRef | None, at: datetime) -> bool:
    """Mark the challenge used; False when it was used before, or in this moment by another request."""
    return store.use_password(write, answered.challenge, person, at)


def used_by(write: Write, answered: Attempt, person: PersonRef) -> bool:
    """Whether a used challenge was used for the claim of this same person: a request sent again."""
    return store.password_user(write, answered.challenge) == person


def equals_any(stored: bytes, digests: Sequence[bytes]) -> bool:
    """Whether `stored` is one of `digests`, in a time that does not tell which or whether."""
    equal = False
    for digest in digests:
        equal |= hmac.compare_digest(stored, digest)
    return equal


def forget_old(write: Write, at: datetime) -> int:
    """Forget challenges that no limit counts any more, those of more than 24 hours ago; how many."""
    return store.delete_passwords_before(write, at - DAY)


def _code_text(challenge: bytes, code: str) -> str:
    return f"one-time-password:{challenge.hex()}:{code}"


def _encode(challenge: bytes) -> str:
    return base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """The challenge in `text`; bytes that are nobody's for anything that is not one."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"==", altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
    return raw if len(raw) == _CHALLENGE_BYTES else b""
