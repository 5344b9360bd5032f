"""A board record as the piece of JSON that every hot answer carries. Rendered from bytes made once. Hot."""

from __future__ import annotations

from typing import Final

from tianfu.status.record import (
    ADD_ONS_SHIFT,
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
_TESTS: Final = tuple(result.encode() for result in TEST_RESULTS)

_ADD_ONS: Final = tuple(
    b'"vaccination":%d,"travel":%b' % (bits & DOSES_MAX, b"true" if bits & TRAVEL else b"false") for bits in range(8)
)


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
