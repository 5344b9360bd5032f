"""A resident scans a venue's poster: the visit is recorded, and the venue's staff can see the colour. Hot.

Weak evidence: a poster can be photographed, so no colour ever follows from such a scan. The answer leaves only when
the visit is durable.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from tianfu.access.session import Audience
from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.platform.admission import Admission
from tianfu.platform.http import Answer, HotRequest, parse_json
from tianfu.platform.keyring import GateKeys, GateKeySet
from tianfu.platform.recent import Recent
from tianfu.scans import event
from tianfu.scans.event import FLAG_OFFLINE, KIND_POSTER, ScanEvent
from tianfu.scans.offline import happened_at_ms
from tianfu.status.bearer import Bearers
from tianfu.status.read import Board
from tianfu.status.record import BLOCKS_SCAN
from tianfu.status.words import answer_words, mask_words
from tianfu.venues.poster import read_poster

# A gate in a city sees a few thousand venues again and again; each takes about 1 kB, a check of a signature 65 µs.
POSTERS_REMEMBERED: Final = 16_384
_NONCE_BYTES: Final = 8

_SCANNED: Final = b'{"venue":{%b,"venue_ref":%d},"scanned_at":%d,%b,%b,"board_age_seconds":%d,"server_time":%d}'


class VenueUnknownError(TianfuError):
    """The poster is genuine, but no venue in operation has its id."""

    code = "venue_unknown"
    status = 422
    zh = "该场所未登记或已停用，请告知场所工作人员。"
    en = "This venue is not registered or has closed; please tell its staff."


class PosterOutdatedError(TianfuError):
    """The poster is genuine, but the venue has a newer one in force."""

    code = "poster_outdated"
    status = 422
    zh = "该场所码已作废，请扫描场所新张贴的场所码。"
    en = "This poster is no longer valid; please scan the venue's new one."


class ScanBlockedError(TianfuError):
    """A popup of the resident's keeps them from scanning; nothing is recorded."""

    code = "scan_blocked"
    status = 403
    zh = "您当前有弹窗限制，暂不能扫场所码，请先按弹窗说明办理。"
    en = "A notice on your code keeps you from scanning for now; please do first what it says."


class _ScanBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a phone sends: the text of the QR, and 8 random bytes in hex by which a repeated scan is recognised.

    `scanned_at` (milliseconds since 1970) is when it was scanned, for a phone that had no network then.
    """

    poster: str
    nonce: str | None = None
    scanned_at: int | None = None


class _KnownPoster(NamedTuple):
    """A poster whose signature was verified, with its venue as a piece of JSON."""

    venue_id: bytes
    generation: int
    words: bytes


class VenueDesk:
    """The handler for scans of posters."""

    __slots__ = (
        *("_admission", "_bearers", "_board", "_decoder", "_gate"),
        *("_known", "_known_with", "_now_ms", "_origin", "_ring"),
    )

    def __init__(
        self,
        *,
        bearers: Bearers,
        board: Board,
        ring: GateKeys,
        admission: Admission,
        public_origin: str,
        gate: int,
        now_ms: Callable[[], int],
    ) -> None:
        """`gate` is this gate's number in the events; posters must carry `public_origin`."""
        self._admission = admission
        self._bearers = bearers
        self._board = board
        self._ring = ring
        self._origin = public_origin
        self._gate = gate
        self._now_ms = now_ms
        self._decoder = msgspec.json.Decoder(_ScanBody)
        self._known: Recent[str, _KnownPoster] = Recent(POSTERS_REMEMBERED)
        self._known_with: GateKeySet | None = None

    def scan(self, request: HotRequest) -> Answer:
        """`POST /gate/v1/scan`: the venue and the own colour, once the visit is durable.

        Raises `PosterInvalidError`, `VenueUnknownError`, `PosterOutdatedError`, `ScanBlockedError`; for a scan made
        offline also `ScanTooOldError` and `ScanInFutureError`. Poster, venue and popups are those of now, whenever it
        was scanned. A scan sent again with the same nonce is recorded again and recognised later.
        """
        at_ms = self._now_ms()
        at_seconds = at_ms // 1000
        session = self._bearers.bearer(request.token, Audience.RESIDENT, at_seconds)
        body = parse_json(self._decoder, request.body)
        nonce = os.urandom(_NONCE_BYTES) if body.nonce is None else _nonce(body.nonce)
        happened_ms = happened_at_ms(body.scanned_at, at_ms)
        flags = 0 if body.scanned_at is None else FLAG_OFFLINE
        poster = self._poster(body.poster, at_seconds)
        venue = self._board.venue(poster.venue_id)
        if venue is None or not venue.open:
            raise VenueUnknownError
        if venue.generation != poster.generation:
            raise PosterOutdatedError
        person = session.subject
        record = self._board.shown(person, at_ms)
        if record.flags & BLOCKS_SCAN:
            raise ScanBlockedError
        visit = ScanEvent(
            *(KIND_POSTER, record.colour, flags, person, venue.venue_ref, 0, self._gate, 0, happened_ms, at_ms, nonce)
        )
        answer = _SCANNED % (
            poster.words,
            venue.venue_ref,
            happened_ms // 1000,
            answer_words(record, at_seconds, self._admission.level),
            mask_words(session),
            self._board.age_seconds(at_ms),
            at_seconds,
        )
        return Answer(answer, 200, (event.pack(visit),))

    def _poster(self, text: str, at_seconds: int) -> _KnownPoster:
        keys = self._ring.at(at_seconds)
        if keys is not self._known_with:
            # Keys were looked at again: a poster signed with a revoked one must not live on in memory.
            self._known.clear()
            self._known_with = keys
        found = self._known.get(text)
        if found is None:
            claim = read_poster(text, keys.verify, self._origin)
            words = {"name": claim.name, "category": claim.category, "district": claim.district}
            found = _KnownPoster(claim.venue_id, claim.generation, msgspec.json.encode(words)[1:-1])
            self._known.put(text, found)
        return found


def _nonce(text: str) -> bytes:
    try:
        nonce = bytes.fromhex(text)
    except ValueError:
        nonce = b""
    if len(nonce) != _NONCE_BYTES:
        fault = Fault("nonce", "hex", zh="应为 16 位十六进制数字。", en="Must be 16 hexadecimal digits.")
        raise InputInvalidError(faults=(fault,))
    return nonce
