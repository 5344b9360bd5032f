"""A guard scans a resident's live code: the colour is the board's of this moment, never the code's own. Hot.

Strong evidence: the person was there, with a live code. A code that was checked before is not refused silently; the
verdict says so and the event is marked, for the guard to look at the face and for the tracers to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tianfu.access.session import Audience
from tianfu.passcode.verify import CodeKilledError, verify
from tianfu.platform.http import Answer, HotRequest, parse_json
from tianfu.platform.keyring import GateKeys
from tianfu.scans import event
from tianfu.scans.event import FLAG_REUSED_CODE, KIND_GUARD, ScanEvent
from tianfu.scans.used import Use, UsedCodes
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.words import status_words

_CHECKED: Final = (
    b'{"verdict":"%b","kind":"%b",%b,"masked_name":%b,"last_digits":%b,"checked_at":%d,'
    b'"board_age_seconds":%d,"server_time":%d}'
)


class _CheckBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a guard's scanner sends: the text of the QR."""

    code: str


class GuardDesk:
    """The handler for checks of live codes."""

    __slots__ = ("_bearers", "_board", "_decoder", "_gate", "_now_ms", "_ring", "_used")

    def __init__(self, *, bearers: Bearers, board: Board, ring: GateKeys, gate: int, now_ms: Callable[[], int]) -> None:
        """`gate` is this gate's number in the events."""
        self._bearers = bearers
        self._board = board
        self._ring = ring
        self._gate = gate
        self._now_ms = now_ms
        self._used = UsedCodes()
        self._decoder = msgspec.json.Decoder(_CheckBody)

    def check(self, request: HotRequest) -> Answer:
        """`POST /gate/v1/check`: verdict, colour now, masks; once the visit is durable.

        Raises `CodeInvalidError`, `CodeExpiredError`, `CodeNotYetValidError`, `CodeKilledError`. The same guard
        account meeting the same code within three seconds is the same scan: valid again, and no second event. A card
        may be shown as often as its holder likes: later it is valid again, and another event.
        """
        at_ms = self._now_ms()
        at_seconds = at_ms // 1000
        guard = self._bearers.bearer(request.token, Audience.GUARD, at_seconds).session
        text = parse_json(self._decoder, request.body).code
        code = verify(text, self._ring, at_seconds)
        if code.credential_id and self._board.is_killed(code.credential_id):
            raise CodeKilledError
        record = self._board.shown(code.person, at_ms)
        note = self._used.use if code.one_time else self._used.again
        use = note(code.cti, checker=guard.subject, at_ms=at_ms)
        answer = _CHECKED % (
            b"already_used" if use is Use.AGAIN else b"valid",
            code.kind.value.encode(),
            status_words(record, at_seconds),
            msgspec.json.encode(code.masked_name),
            msgspec.json.encode(code.last_digits),
            at_seconds,
            self._board.age_seconds(at_ms),
            at_seconds,
        )
        if use is Use.SAME_SCAN:
            return Answer(answer, settled=True)
        visit = ScanEvent(
            KIND_GUARD,
            record.colour,
            FLAG_REUSED_CODE if use is Use.AGAIN else 0,
            code.person,
            guard.venue,
            guard.subject,
            self._gate,
            0,
            at_ms,
            at_ms,
            code.cti,
        )
        return Answer(answer, 200, event.pack(visit))

    def lost(self, record: bytes) -> None:
        """Hear that an event was not made durable: the code may be checked again as if for the first time."""
        visit = event.unpack(record)
        if not visit.flags & FLAG_REUSED_CODE:
            self._used.forget(visit.nonce)
