"""A guard scans a resident's live code: the colour is the board's of this moment, never the code's own. Hot.

Strong evidence: the person was there, with a live code. A code that was checked before is not refused silently; the
verdict says so and the event is marked, for the guard to look at the face and for the tracers to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from tianfu.access.session import Audience, Session
from tianfu.passcode.verify import CodeKilledError, VerifiedCode, verify
from tianfu.platform.admission import Admission
from tianfu.platform.http import Answer, HotRequest, parse_json
from tianfu.platform.keyring import GateKeys
from tianfu.scans import event
from tianfu.scans.event import FLAG_OFFLINE, FLAG_REUSED_CODE, KIND_GUARD, ScanEvent
from tianfu.scans.used import Use, UsedCodes
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.words import answer_words

_CHECKED: Final = (
    b'"verdict":"%b","kind":"%b",%b,"masked_name":%b,"last_digits":%b,"checked_at":%d,'
    b'"board_age_seconds":%d,"server_time":%d'
)


class CheckBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a guard's scanner sends: the text of the QR."""

    code: str


class Taken(NamedTuple):
    """What became of one code: fields of JSON without braces, and the event to make durable.

    Without a `record` the code is part of a scan whose record is on its way.
    """

    words: bytes
    record: bytes | None


class GuardDesk:
    """The handler for checks of live codes."""

    __slots__ = ("_admission", "_bearers", "_board", "_decoder", "_gate", "_now_ms", "_ring", "_used")

    def __init__(
        self,
        *,
        bearers: Bearers,
        board: Board,
        ring: GateKeys,
        admission: Admission,
        gate: int,
        now_ms: Callable[[], int],
        used: UsedCodes | None = None,
    ) -> None:
        """`gate` is this gate's number in the events; `admission` says what is left out of answers.

        `used` is what the gates of this machine share; without it this one remembers for itself.
        """
        self._admission = admission
        self._bearers = bearers
        self._board = board
        self._ring = ring
        self._gate = gate
        self._now_ms = now_ms
        self._used = used or UsedCodes()
        self._decoder = msgspec.json.Decoder(CheckBody)

    def check(self, request: HotRequest) -> Answer:
        """`POST /gate/v1/check`: verdict, colour now, masks; once the visit is durable.

        Raises `CodeInvalidError`, `CodeExpiredError`, `CodeNotYetValidError`, `CodeKilledError`. The same guard
        account meeting the same code within three seconds is the same scan: valid again, and no second event. A card
        may be shown as often as its holder likes: later it is valid again, and another event.
        """
        at_ms = self._now_ms()
        guard = self.guard(request, at_ms)
        text = parse_json(self._decoder, request.body).code
        code = self.read(text, self._ring, at_ms // 1000)
        words, record = self.take(code, guard, at_ms=at_ms, happened_ms=at_ms, offline=False)
        return Answer(b"{%b}" % words, 200, () if record is None else (record,), record is None)

    def guard(self, request: HotRequest, at_ms: int) -> Session:
        """Which guard asks. Raises as `Bearers.bearer`."""
        return self._bearers.bearer(request.token, Audience.GUARD, at_ms // 1000)

    def read(self, text: str, keys: GateKeys, at_seconds: int) -> VerifiedCode:
        """The code with `text`, if it held at that instant and has not been killed by now.

        Raises `CodeInvalidError`, `CodeExpiredError`, `CodeNotYetValidError`, `CodeKilledError` and nothing else.
        """
        code = verify(text, keys, at_seconds)
        if code.credential_id and self._board.is_killed(code.credential_id):
            raise CodeKilledError
        return code

    def take(self, code: VerifiedCode, guard: Session, *, at_ms: int, happened_ms: int, offline: bool) -> Taken:
        """All that is done with one code that was held up and holds: the one place for checks, queues and buses.

        `happened_ms` is when it was held up, `at_ms` now, whose colour is given. The code counts as used from here on:
        before anybody else has a turn the caller gives the record to the journal; if it cannot be made durable, the
        caller calls `lost`.
        """
        at_seconds = at_ms // 1000
        record = self._board.shown(code.person, at_ms)
        note = self._used.use if code.one_time else self._used.again
        use = note(code.cti, checker=guard.subject, happened_ms=happened_ms, at_ms=at_ms)
        words = _CHECKED % (
            b"already_used" if use is Use.AGAIN else b"valid",
            code.kind.value.encode(),
            answer_words(record, at_seconds, self._admission.level, is_own=False),
            msgspec.json.encode(code.masked_name),
            msgspec.json.encode(code.last_digits),
            happened_ms // 1000,
            self._board.age_seconds(at_ms),
            at_seconds,
        )
        if use is Use.SAME_SCAN:
            return Taken(words, None)
        visit = ScanEvent(
            KIND_GUARD,
            record.colour,
            (FLAG_REUSED_CODE if use is Use.AGAIN else 0) | (FLAG_OFFLINE if offline else 0),
            code.person,
            guard.venue,
            guard.subject,
            self._gate,
            0,
            happened_ms,
            at_ms,
            code.cti,
        )
        return Taken(words, event.pack(visit))

    def lost(self, record: bytes) -> None:
        """Hear that an event was not made durable: the code may be checked again as if for the first time."""
        visit = event.unpack(record)
        if not visit.flags & FLAG_REUSED_CODE:
            self._used.forget(visit.nonce)
