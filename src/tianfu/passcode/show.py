"""Showing a resident their code, and telling their phone when it has changed. Hot.

The path of one display: the session (`status.bearer`), the record (`status.read`), the signature
(`passcode.issue`), one JSON text from bytes. Nothing is written and nothing is waited for.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, cast

from tianfu.access.session import Audience, Session
from tianfu.errors import Fault, InputInvalidError
from tianfu.passcode.issue import IssuedCode, Issuer, UnsignedCode, signed, withheld
from tianfu.platform.admission import Admission
from tianfu.platform.http import Answer, HotRequest, Unsigned
from tianfu.platform.keyring import GateKeys, GateKeySet
from tianfu.platform.recent import Recent
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.record import BLOCKS_CODE, BoardRecord
from tianfu.status.watch import Watchers
from tianfu.status.words import answer_words, mask_words

# Shorter than the 30 s after which mobile networks and proxies begin to drop silent connections.
LONG_POLL_SECONDS: Final = 25.0
# A storm of reloads asks several times in ten seconds; a phone by itself asks once in sixty. A code that was given
# again has at least eighty of its ninety seconds left.
REUSE_SECONDS: Final = 10
# 20,000 codes a second for that long are 200,000, of about 600 bytes each; those of one quarter are kept at least, in
# 30 MB, and of one half at most. A code that was forgotten is made anew, which is no harm.
CODES_REMEMBERED: Final = 50_000
FRESH: Final = b"fresh=1"
_AFTER: Final = re.compile(rb"after=([0-9]{1,10})")

# The code's alphabet (Base45) holds neither quote nor backslash, so it needs no escaping.
_SHOWN: Final = (
    b'{"code":"%b",%b,"issued_at":%d,"expires_at":%d,"refresh_at":%d,%b,'
    b'"board_age_seconds":%d,"sequence":%d,"server_time":%d}'
)
_CHANGED: Final = b'{"sequence":%d,"changed":%b}'


class _Made(NamedTuple):
    """The code last made for a session, and what it says."""

    code: IssuedCode
    colour: int
    rule_set: int


class _Half(NamedTuple):
    """What an answer is made of once its code is signed."""

    code: UnsignedCode
    record: BoardRecord
    words: bytes
    session: Session
    age_seconds: int
    at_seconds: int
    is_kept: bool


class CodeDesk:
    """The handlers for residents' phones."""

    __slots__ = ("_admission", "_bearers", "_board", "_issuer", "_made", "_made_with", "_now_ms", "_ring", "_watchers")

    def __init__(
        self,
        *,
        bearers: Bearers,
        board: Board,
        ring: GateKeys,
        watchers: Watchers,
        admission: Admission,
        now_ms: Callable[[], int],
    ) -> None:
        """`now_ms` gives milliseconds since 1970; it is read once per request."""
        self._bearers = bearers
        self._board = board
        self._ring = ring
        self._admission = admission
        self._issuer = Issuer(ring)
        self._made: Recent[bytes, _Made] = Recent(CODES_REMEMBERED)
        self._made_with: GateKeySet | None = None
        self._watchers = watchers
        self._now_ms = now_ms

    def show(self, request: HotRequest) -> Answer | Unsigned:
        """`GET /gate/v1/code`: a code that holds and the status now.

        Whoever asks again within `REUSE_SECONDS`, with nothing changed, is given the code made before: people who
        keep reloading a page that is slow must not make it slower. `?fresh=1` always makes another one. While a popup
        keeps the code from being seen, `code` is empty.
        """
        at_ms = self._now_ms()
        at_seconds = at_ms // 1000
        session = self._bearers.bearer(request.token, Audience.RESIDENT, at_seconds)
        record = self._board.shown(session.subject, at_ms)
        words = answer_words(record, at_seconds, self._admission.level)
        age = self._board.age_seconds(at_ms)
        if record.flags & BLOCKS_CODE:
            return _shown(withheld(at_seconds), words, session, age, record.sequence, at_seconds)
        is_kept = request.query != FRESH
        if is_kept:
            made = self._made_before(session.session_id, record, at_seconds)
            if made is not None:
                return _shown(made, words, session, age, record.sequence, at_seconds)
        code = self._issuer.prepare(session, record.colour, record.rule_set, at_seconds)
        return Unsigned(
            code.signer, code.to_sign, self._finish, _Half(code, record, words, session, age, at_seconds, is_kept)
        )

    def _finish(self, unsigned: Sequence[Unsigned], signatures: Sequence[bytes]) -> list[Answer]:
        halves = [cast("_Half", part.rest) for part in unsigned]
        codes = signed([half.code for half in halves], signatures)
        answers = []
        for code, (_, record, words, session, age, at_seconds, is_kept) in zip(codes, halves, strict=True):
            if is_kept:
                self._made.put(session.session_id, _Made(code, record.colour, record.rule_set))
            answers.append(_shown(code, words, session, age, record.sequence, at_seconds))
        return answers

    def _made_before(self, session_id: bytes, record: BoardRecord, at_seconds: int) -> IssuedCode | None:
        keys = self._ring.at(at_seconds)
        if keys is not self._made_with:
            # Keys were looked at again: a code of a revoked one must not be shown once more.
            self._made.clear()
            self._made_with = keys
        made = self._made.get(session_id)
        if (
            made is not None
            and 0 <= at_seconds - made.code.issued_at < REUSE_SECONDS
            and made.colour == record.colour
            and made.rule_set == record.rule_set
        ):
            return made.code
        return None

    def changes(self, request: HotRequest) -> Awaitable[Answer]:
        """`GET /gate/v1/changes?after=N`: answers when the holder's sequence is no longer N, or after 25 s.

        A phone that asks again with the sequence answered misses no change: it is compared before waiting.
        """
        session = self._bearers.bearer(request.token, Audience.RESIDENT, self._now_ms() // 1000)
        after = _AFTER.fullmatch(request.query)
        if after is None:
            raise InputInvalidError(
                faults=(Fault("after", "number", zh="应为一个编号。", en="Must be one sequence number."),)
            )
        return self._wait(session.subject, int(after[1]))

    async def _wait(self, person: int, after: int) -> Answer:
        sequence = self._board.shown(person, self._now_ms()).sequence
        if sequence == after:
            await self._watchers.changed(person, timeout_seconds=LONG_POLL_SECONDS)
            sequence = self._board.shown(person, self._now_ms()).sequence
        return Answer(_CHANGED % (sequence, b"true" if sequence != after else b"false"))


def _shown(
    code: IssuedCode, words: bytes, session: Session, age_seconds: int, sequence: int, at_seconds: int
) -> Answer:
    return Answer(
        _SHOWN
        % (
            code.text.encode("ascii"),
            words,
            code.issued_at,
            code.expires_at,
            code.refresh_at,
            mask_words(session),
            age_seconds,
            sequence,
            at_seconds,
        )
    )
