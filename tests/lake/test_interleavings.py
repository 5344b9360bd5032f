"""Whatever order scans, turns, nights and late scans come in, the lake comes to the plain list of them."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lake.test_roll import sound
from tests.support.lake import NOON, compact_all, essence, events_in, plain, put_segment, roll_all, scan, visits_in
from tianfu.scans.event import KIND_GUARD, KIND_POSTER, ScanEvent

# Four days around two midnights of Shanghai, and few people, venues and nonces, so that much is a repeat.
instants = st.builds(
    lambda day, minute, ms: NOON + timedelta(days=day, hours=-12, minutes=minute, milliseconds=ms),
    st.integers(-3, 0),
    st.sampled_from([0, 1, 719, 1_438, 1_439]),
    st.sampled_from([0, 1, 59_999]),
)
scans = st.builds(
    lambda number, at, person, venue, kind: scan(number, at=at, person=person, venue=venue, kind=kind),
    st.integers(0, 5),
    instants,
    st.integers(0, 3),
    st.integers(1, 3),
    st.sampled_from([KIND_POSTER, KIND_GUARD]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ship"), st.integers(1, 3), st.lists(scans, min_size=1, max_size=6)),
        st.tuples(st.just("roll"), st.integers(1, 4)),
        st.tuples(st.just("compact")),
    ),
    max_size=12,
)


@settings(max_examples=20)
@given(steps)
def test_the_lake_is_the_plain_list(story: list[tuple[object, ...]]) -> None:
    # Nobody pulls the plug here, so nothing need be forced to the disk.
    with mock.patch.object(os, "fsync"), tempfile.TemporaryDirectory(prefix="tianfu-lake-") as folder:
        tell(Path(folder), story)


def tell(lake: Path, story: list[tuple[object, ...]]) -> None:
    told: list[ScanEvent] = []
    # Past the midnight behind the last scan, so that every day can close.
    at = NOON + timedelta(days=1)
    for step in story:
        match step:
            case ("ship", int(gate), list(items)):
                put_segment(lake, gate, items)
                told += items
            case ("roll", int(most)):
                roll_all(lake, at, records_max=most)
            case _:
                compact_all(lake, at)
    roll_all(lake, at)
    compact_all(lake, at)

    kept, visits = plain(told)
    found = [essence(item) for item in events_in(lake)]
    assert sorted(map(repr, found)) == sorted(map(repr, kept))
    assert sorted(visits_in(lake)) == sorted(visits)
    sound(lake)
