"""A board record as the piece of JSON that every hot answer carries. Rendered from bytes made once. Hot."""

from __future__ import annotations

from typing import Final

import msgspec

from tianfu.access.session import Session
from tianfu.platform.admission import ADD_ONS
from tianfu.status.record import (
    ADD_ONS_SHIFT,
    BLOCKS_CODE,
    BLOCKS_SCAN,
    COLOURS,
    DOSES_MAX,
    POPUPS,
    REASON_CLASSES,
    TEST_RESULTS,
    TRAVEL,
    BoardRecord,
)

_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3600

# `"colour":"yellow","popup":"","reason":"contact"` for each of the 4 x 2 x 8 combinations.
_STATUSES: Final = {
    (colour, popup, reason): f'"colour":"{COLOURS[colour]}","popup":"{POPUPS[popup]}",'
    f'"reason":"{REASON_CLASSES[reason]}"'.encode()
    for colour in range(len(COLOURS))
    for popup in range(len(POPUPS))
    for reason in range(len(REASON_CLASSES))
}
_UNKNOWN: Final = _STATUSES[0, 0, 0]
_WITHOUT_DOSES: Final = ADD_ONS.index("vaccination") + 1
_WITHOUT_TEST: Final = ADD_ONS.index("test") + 1
_WITHOUT_TRAVEL: Final = ADD_ONS.index("travel") + 1
_WITHOUT_NOTICES: Final = ADD_ONS.index("notices") + 1
_NOTICE: Final = POPUPS.index("notice")
_TESTS: Final = tuple(result.encode() for result in TEST_RESULTS)

_ADD_ONS_MASK: Final = DOSES_MAX | TRAVEL
# In the place of the bits, for somebody of whom no add-on is told.
_UNTOLD: Final = _ADD_ONS_MASK + 1


def mask_words(session: Session) -> bytes:
    """`"masked_name":"张*","masked_document":"5101**********1234"`: what a screen shows of a holder."""
    masks = {"masked_name": session.masked_name, "masked_document": session.masked_document}
    return msgspec.json.encode(masks)[1:-1]


def answer_words(record: BoardRecord, at_seconds: int, level: int, *, is_own: bool = True) -> bytes:
    """As `status_words` with doses and travel, less the first `level` of `ADD_ONS`, which are then named.

    Colour and reason are always there, and so is a popup that keeps its holder from something. Of somebody who is
    being checked no add-on is told: nothing is known. Travel is told to the holder alone (`is_own`).
    """
    if level >= _WITHOUT_TEST:
        record = record._replace(test=0)
    if level >= _WITHOUT_NOTICES and record.popup == _NOTICE and not record.flags & (BLOCKS_CODE | BLOCKS_SCAN):
        record = record._replace(popup=0)
    add_ons = record.flags >> ADD_ONS_SHIFT & _ADD_ONS_MASK if record.colour else _UNTOLD
    return status_words(record, at_seconds) + _ADD_ON_WORDS[is_own, level, add_ons]


def status_words(record: BoardRecord, at_seconds: int) -> bytes:
    """`"colour":…,"popup":…,"reason":…,"rule_set":…,"test":…` without the braces.

    `test` is null or the last result with its sampling instant (seconds since 1970) and full hours since. A record
    with a word this version does not know is "checking".
    """
    colour, popup, reason, rule_set, test, _, sampled_minutes, *_ = record
    status = _STATUSES.get((colour, popup, reason), _UNKNOWN)
    if not 0 < test < len(_TESTS):
        return b'%b,"rule_set":%d,"test":null' % (status, rule_set)
    sampled_at = sampled_minutes * _MINUTE_SECONDS
    hours = max(0, at_seconds - sampled_at) // _HOUR_SECONDS
    return b'%b,"rule_set":%d,"test":{"result":"%b","sampled_at":%d,"hours":%d}' % (
        status,
        rule_set,
        _TESTS[test],
        sampled_at,
        hours,
    )


def _add_on_words(add_ons: int, level: int, *, is_own: bool) -> bytes:
    words = b""
    if add_ons != _UNTOLD and level < _WITHOUT_DOSES:
        words += b',"vaccination":%d' % (add_ons & DOSES_MAX)
    if add_ons != _UNTOLD and level < _WITHOUT_TRAVEL and is_own:
        words += b',"travel":true' if add_ons & TRAVEL else b',"travel":false'
    return words + (b',"degraded":' + msgspec.json.encode(ADD_ONS[:level]) if level else b"")


_ADD_ON_WORDS: Final = {
    (is_own, level, add_ons): _add_on_words(add_ons, level, is_own=is_own)
    for is_own in (True, False)
    for level in range(len(ADD_ONS) + 1)
    for add_ons in range(_UNTOLD + 1)
}
