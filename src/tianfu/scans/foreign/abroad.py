"""Codes of other provinces and of the national platform: who issued one, and what its issuer says of it. Hot.

Each issuer has a time limit, a bounded number of questions at once, a circuit breaker and a bounded memory of its
last words. An old word is given with its age, and not at all past the issuer's limit: then the code cannot be
checked, and nothing is ever guessed. The holder has no number here, so nothing is recorded.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

import httpx
import msgspec

from tianfu.errors import TianfuError
from tianfu.passcode.verify import CodeExpiredError
from tianfu.platform.cose import CodeInvalidError
from tianfu.platform.http import Language
from tianfu.platform.recent import Recent
from tianfu.platform.tokenfile import TokenUnusableError, read_token
from tianfu.scans.foreign import issuers
from tianfu.scans.foreign.breaker import Breaker
from tianfu.scans.foreign.issuers import Issuer
from tianfu.scans.foreign.resolver import HttpResolver, Resolver, ResolverFailedError, Word, new_client

# The longest symbols of the systems known hold under 700 characters; a QR of a phone can be read up to about this.
FOREIGN_CHARACTERS_MAX: Final = 1_024
# A word takes about 500 bytes: at most 4 MB for an issuer.
WORDS_REMEMBERED: Final = 4_096
# A guard's camera sends the same picture again and again; within this time the issuer need not hear of it.
FRESH_MS: Final = 3_000
# As many again wait as are asked at once. Whoever comes later would be out of time before his turn.
_WAITING_PER_PLACE: Final = 2
# The other side's clock may be ahead of ours by this much.
_AHEAD_SECONDS_MAX: Final = 60


# A foreign holder has no popup, reason or test here; the fields are there so that a scanner reads one shape.
_FOREIGN: Final = (
    b'"verdict":"foreign","colour":"%b","popup":"","reason":"","test":null,"issuer":{"id":"%b","name":%b},'
    b'"age_seconds":%d,"masked_name":%b,"last_digits":%b,"checked_at":%d,"server_time":%d'
)


class ForeignUnavailableError(TianfuError):
    """The code is of another system that cannot be asked, or gave no answer that can be relied on. Never a colour."""

    code = "foreign_unavailable"
    status = 503
    zh = "暂时无法核验该外省健康码，请改用其他方式查验，不要仅凭屏幕颜色放行。"
    en = "This code of another system cannot be checked at the moment; use another way, and do not go by its colour."


class ForeignTokenError(TianfuError):
    """The token file for an issuer is missing, readable by others, or malformed."""

    code = "foreign_token"
    status = 500
    zh = "外省健康码对接的密钥文件缺失、权限过宽或内容有误。"
    en = "The token file for an issuer of foreign codes is missing, readable by others, or malformed."


class Found(NamedTuple):
    """An issuer's word that may be shown, and its age in seconds."""

    issuer: Issuer
    word: Word
    age_seconds: int


def words(found: Found, language: Language, at_seconds: int) -> bytes:
    """What a guard is answered for a foreign code: fields of JSON without braces, the issuer's name in `language`."""
    issuer, word, age_seconds = found
    return _FOREIGN % (
        word.colour.encode("ascii"),
        issuer.id.encode("ascii"),
        msgspec.json.encode(issuer.en if language == "en" else issuer.zh),
        age_seconds,
        msgspec.json.encode(word.masked_name),
        msgspec.json.encode(word.last_digits),
        at_seconds,
        at_seconds,
    )


class _Office:
    """One issuer: whom to ask, whether to ask, and what was said lately."""

    def __init__(self, issuer: Issuer, resolver: Resolver) -> None:
        self.issuer = issuer
        self.resolver = resolver
        self.breaker = Breaker()
        self.places = asyncio.Semaphore(issuer.concurrent_max)
        self.inside = 0
        self.heard: Recent[bytes, tuple[Word, int]] = Recent(WORDS_REMEMBERED // 2)
        self.counts = dict.fromkeys(("asked", "remembered", "failed", "unavailable"), 0)


class Abroad:
    """Every issuer of the file. For one event loop."""

    def __init__(self, offices: list[tuple[Issuer, Resolver]], *, now_ms: Callable[[], int]) -> None:
        """Ask each issuer's resolver."""
        self._offices = [_Office(issuer, resolver) for issuer, resolver in offices]
        self._by_prefix = {prefix: office for office in self._offices for prefix in office.issuer.prefixes}
        self._now_ms = now_ms
        self._clients: list[httpx.AsyncClient] = []
        self.prefixes = tuple(self._by_prefix)

    @classmethod
    def open(cls, path: Path, *, keys: Path, now_ms: Callable[[], int]) -> Self:
        """The issuers of the file, asked over HTTP with the token in `keys/foreign-<id>.token` of each.

        Raises `ForeignIssuersInvalidError` and `ForeignTokenError`.
        """
        offices: list[tuple[Issuer, Resolver]] = []
        clients = []
        for issuer in issuers.load(path):
            try:
                token = read_token(keys / f"foreign-{issuer.id}.token")
            except TokenUnusableError as cause:
                raise ForeignTokenError from cause
            client = new_client(issuer.concurrent_max, issuer.time_limit_ms)
            clients.append(client)
            offices.append((issuer, HttpResolver(client, issuer.url, token)))
        abroad = cls(offices, now_ms=now_ms)
        abroad._clients = clients
        return abroad

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.aclose()

    def knows(self, text: str) -> bool:
        """Whether `text` is a code of one of the issuers."""
        return text.startswith(self.prefixes)

    async def resolve(self, text: str) -> Found:
        """What the issuer says of a code that `knows` is true of.

        Raises `CodeInvalidError` and `CodeExpiredError` by the issuer's word, `ForeignUnavailableError` without one.
        """
        office = next(office for prefix, office in self._by_prefix.items() if text.startswith(prefix))
        if len(text) > FOREIGN_CHARACTERS_MAX:
            raise CodeInvalidError
        # By its digest: what a stranger's code says about its holder is not kept.
        key = hashlib.sha256(text.encode(errors="replace")).digest()
        known = office.heard.get(key)
        if known is None or not 0 <= self._now_ms() - known[1] < FRESH_MS:
            word = await self._ask(office, text)
            if word is not None:
                known = (word, self._now_ms())
                office.heard.put(key, known)
        else:
            office.counts["remembered"] += 1
        return _shown(office, known, self._now_ms())

    def metrics(self) -> Iterator[str]:
        """Counts since the start, and whether each issuer is given a rest, in the text format of Prometheus."""
        for office in self._offices:
            name = office.issuer.id
            yield f'tianfu_gate_foreign_resting{{issuer="{name}"}} {int(office.breaker.is_open)}'
            for outcome, count in office.counts.items():
                yield f'tianfu_gate_foreign_total{{issuer="{name}",outcome="{outcome}"}} {count}'

    async def _ask(self, office: _Office, text: str) -> Word | None:
        """The issuer's word of now, None without one. Takes no longer than the issuer's time limit."""
        if office.inside >= office.issuer.concurrent_max * (1 + _WAITING_PER_PLACE):
            return None
        office.inside += 1
        try:
            async with asyncio.timeout(office.issuer.time_limit_ms / 1000):
                async with office.places:
                    return await self._ask_in_turn(office, text)
        except TimeoutError:
            return None
        finally:
            office.inside -= 1

    async def _ask_in_turn(self, office: _Office, text: str) -> Word | None:
        probe = office.breaker.is_open
        office.breaker, admitted = office.breaker.admit(self._now_ms())
        if not admitted:
            return None
        office.counts["asked"] += 1
        try:
            word = await office.resolver.ask(text)
            _require_recent(word, office.issuer, self._now_ms() // 1000)
        except (ResolverFailedError, asyncio.CancelledError) as failure:
            # Cancelled is out of time: a failure like any other.
            office.counts["failed"] += 1
            office.breaker = office.breaker.failed(self._now_ms(), probe=probe)
            if isinstance(failure, asyncio.CancelledError):
                raise
            return None
        office.breaker = office.breaker.succeeded()
        return word


def _require_recent(word: Word, issuer: Issuer, at_seconds: int) -> None:
    """Raise `ResolverFailedError` for a word of another time."""
    if not -_AHEAD_SECONDS_MAX <= at_seconds - word.said_at <= issuer.age_max_seconds:
        raise ResolverFailedError


def _shown(office: _Office, known: tuple[Word, int] | None, now_ms: int) -> Found:
    """The word with its age, if it may still be shown."""
    if known is None:
        office.counts["unavailable"] += 1
        raise ForeignUnavailableError
    word, heard_ms = known
    age_seconds = max(now_ms // 1000 - word.said_at, (now_ms - heard_ms) // 1000, 0)
    # A clock that was set back makes an old word look fresh.
    if age_seconds > office.issuer.age_max_seconds or now_ms < heard_ms:
        office.counts["unavailable"] += 1
        raise ForeignUnavailableError
    if word.state == "expired":
        raise CodeExpiredError
    if word.state == "invalid":
        raise CodeInvalidError
    return Found(office.issuer, word, age_seconds)
