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
_WITHOUT_TEST: Final = ADD_ONS.index("test") + 1
_WITHOUT_TRAVEL: Final = ADD_ONS.index("travel") + 1
_WITHOUT_NOTICES: Final = ADD_ONS.index("notices") + 1
_NOTICE: Final = POPUPS.index("notice")
_DEGRADED: Final = tuple(
    b',"degraded":' + msgspec.json.encode(ADD_ONS[:level]) if level else b"" for level in range(len(ADD_ONS) + 1)
)
_TESTS: Final = tuple(result.encode() for result in TEST_RESULTS)

_ADD_ONS: Final = tuple(
    b'"vaccination":%d,"travel":%b' % (bits & DOSES_MAX, b"true" if bits & TRAVEL else b"false") for bits in range(8)
)


def mask_words(session: Session) -> bytes:
    """`"masked_name":"张*","masked_document":"5101**********1234"`: what a screen shows of a holder."""
    masks = {"masked_name": session.masked_name, "masked_document": session.masked_document}
    return msgspec.json.encode(masks)[1:-1]


def answer_words(record: BoardRecord, at_seconds: int, level: int) -> bytes:
    """As `status_words` and `add_on_words`, less the first `level` of `ADD_ONS`, which are then named.

    Colour and reason are always there, and so is a popup that keeps its holder from something. Of somebody who is
    being checked no add-on is told: nothing is known.
    """
    if level == 0:
        words = status_words(record, at_seconds)
        return b"%b,%b" % (words, add_on_words(record)) if record.colour else words
    if level >= _WITHOUT_TEST:
        record = record._replace(test=0)
    if level >= _WITHOUT_NOTICES and record.popup == _NOTICE and not record.flags & (BLOCKS_CODE | BLOCKS_SCAN):
        record = record._replace(popup=0)
    words = status_words(record, at_seconds)
    if level < _WITHOUT_TRAVEL and record.colour:
        words += b"," + add_on_words(record).partition(b",")[2]
    return words + _DEGRADED[level]


def status_words(record: BoardRecord, at_seconds: int) -> bytes:
    """`"colour":…,"popup":…,"reason":…,"rule_set":…,"test":…` without the braces.

    `test` is null or the last result with its sampling instant (seconds since 1970) and full hours since. A record
    with a word this version does not know is "checking".
    """
    status = _STATUSES.get((record.colour, record.popup, record.reason), _UNKNOWN)
    if not 0 < record.test < len(_TESTS):
        return b'%b,"rule_set":%d,"test":null' % (status, record.rule_set)
    sampled_at = record.sampled_at * _MINUTE_SECONDS
    return b'%b,"rule_set":%d,"test":{"result":"%b","sampled_at":%d,"hours":%d}' % (
        status,
        record.rule_set,
        _TESTS[record.test],
        sampled_at,
        max(0, at_seconds - sampled_at) // _HOUR_SECONDS,
    )


def add_on_words(record: BoardRecord) -> bytes:
    """`"vaccination":…,"travel":…` without the braces: doses from 0 to 3 (or more), a stay in a risk area or none."""
    return _ADD_ONS[record.flags >> ADD_ONS_SHIFT & (DOSES_MAX | TRAVEL)]
