from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.support.lake import NOON, scan, visit_of
from tianfu.lake import layout, rows
from tianfu.scans import event
from tianfu.scans.event import KIND_GUARD, ScanEvent

NOW_MS = round(NOON.timestamp() * 1000)
TODAY = layout.day_number(NOON.date())


def decoded(*items: ScanEvent) -> rows.Rows:
    return rows.decode(b"".join(event.pack(item) for item in items))


def numbers(found: rows.Rows) -> list[int]:
    """The nonces that `scan` gave."""
    return [int(value) for value in found["nonce"].byteswap()]


def test_every_field_of_an_event_is_where_numpy_looks_for_it() -> None:
    item = ScanEvent(2, 3, 1, 2**28 - 1, 2**25 - 1, 4_000_000_000, 65_535, 7, NOW_MS, NOW_MS + 5, b"\1\2\3\4\5\6\7\x08")
    found = decoded(item)[0]
    assert tuple(found[name].item() for name in rows.EVENT.names[1:-1]) == item[:-1]  # type: ignore[index]
    assert found["nonce"].item() == int.from_bytes(item.nonce, "little")
    assert found["version"].item() == event.EVENT_VERSION


@pytest.mark.parametrize(
    ("at", "day", "minute"),
    [
        ("2022-02-28T15:59:59.999+00:00", "2022-02-28", 1_439),
        ("2022-02-28T16:00:00+00:00", "2022-03-01", 0),
        ("2022-02-28T16:00:59.999+00:00", "2022-03-01", 0),
        ("2022-02-28T16:01:00+00:00", "2022-03-01", 1),
        ("2022-03-01T15:59:59.999+00:00", "2022-03-01", 1_439),
        ("2022-03-01T16:00:00+00:00", "2022-03-02", 0),
        ("2021-12-31T16:00:00+00:00", "2022-01-01", 0),
        ("2020-02-28T16:00:00+00:00", "2020-02-29", 0),
    ],
)
def test_days_and_minutes_are_those_of_shanghai(at: str, day: str, minute: int) -> None:
    item = scan(1, at=datetime.fromisoformat(at))
    absolute = int(rows.minutes(decoded(item))[0])

    assert (layout.day_of(absolute // 1440).isoformat(), absolute % 1440) == (day, minute)
    assert visit_of(item) == (day, 9, minute, 1)
    assert absolute == layout.absolute_minute(datetime.fromisoformat(at))


def test_what_no_day_can_hold_is_told_apart_by_its_reason() -> None:
    month = timedelta(days=30)
    good = scan(1)
    items = [
        good,
        scan(2, at=NOON + timedelta(minutes=10)),
        scan(3, at=NOON + timedelta(minutes=10, milliseconds=1)),
        scan(4, at=NOON - month),
        scan(5, at=NOON - month - timedelta(days=1)),
        scan(6)._replace(venue=2**25),
        scan(7)._replace(person=2**28),
        scan(8)._replace(kind=9),
        scan(9, at=datetime(2100, 1, 1, tzinfo=UTC)),
        scan(10, at=datetime(1970, 1, 1, tzinfo=UTC)),
    ]
    odd = bytearray(event.pack(good))
    odd[0] = 2
    body = b"".join(event.pack(item) for item in items) + bytes(odd)

    found = rows.by_day(rows.decode(body), first_day=TODAY - 30, at_ms=NOW_MS)

    assert {day: numbers(some) for day, some in found.days.items()} == {TODAY: [1, 2], TODAY - 30: [4]}
    assert {reason: numbers(some) for reason, some in found.aside.items()} == {
        "future": [3, 9],
        "old": [5, 10],
        "unreadable": [6, 7, 8, 1],
    }


def test_a_poster_scan_sent_again_is_one_scan_and_the_earliest_is_kept() -> None:
    later = NOON + timedelta(minutes=3)
    found = rows.unique(decoded(scan(1, at=later), scan(2), scan(1), scan(1, at=later)))
    assert numbers(found) == [2, 1]
    assert [int(at) for at in found["happened_at"]] == [NOW_MS, NOW_MS]


def test_people_who_chose_the_same_nonce_are_not_taken_for_one_nor_are_two_venues() -> None:
    items = decoded(scan(1, person=5), scan(1, person=6), scan(1, person=5, venue=10))
    assert len(rows.unique(items)) == 3


def test_a_card_shown_twice_is_two_scans_and_one_check_sent_twice_is_one() -> None:
    first = scan(1, kind=KIND_GUARD)
    again = scan(1, kind=KIND_GUARD, at=NOON + timedelta(seconds=1))
    assert len(rows.unique(decoded(first, again, first._replace(received_at=NOW_MS + 9)))) == 2


def test_a_poster_scan_and_a_check_are_never_repeats_of_each_other() -> None:
    assert len(rows.unique(decoded(scan(1), scan(1, kind=KIND_GUARD)._replace(checker=0)))) == 2


def test_which_repeat_is_kept_does_not_depend_on_the_order_of_arrival() -> None:
    one, other = scan(1)._replace(received_at=NOW_MS + 1, gate=4), scan(1)._replace(received_at=NOW_MS + 1, gate=2)
    kept = {rows.unique(decoded(*order)).tobytes() for order in ((one, other), (other, one))}
    assert kept == {event.pack(other)}


def test_visits_are_each_minute_person_and_venue_once_in_venue_order() -> None:
    seconds = timedelta(seconds=10)
    found = rows.words(decoded(scan(3, venue=2), scan(1, venue=9), scan(2, venue=9, person=1, at=NOON + seconds)))
    assert found.tolist() == sorted(
        layout.venue_words(np.array([2, 9]), np.array([720, 720]), np.array([3, 1])).tolist()
    )
    assert len(rows.words(decoded())) == 0
