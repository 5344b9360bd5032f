from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tianfu.lake import layout
from tianfu.lake.layout import DAY_MINUTES, PERSON_MASK, VENUE_MASK

visits = st.lists(
    st.tuples(st.integers(0, VENUE_MASK), st.integers(0, DAY_MINUTES - 1), st.integers(0, PERSON_MASK)), max_size=20
)


@given(visits)
def test_both_orders_hold_the_same_visits_each_sorted_by_what_is_asked(found: list[tuple[int, int, int]]) -> None:
    columns = np.array(found, np.int64).reshape(-1, 3).T
    partition = layout.partition(19_000, *columns)

    by_venue = [(word >> 39, word >> 28 & 0x7FF, word & PERSON_MASK) for word in partition.by_venue.tolist()]
    by_person = [(word & VENUE_MASK, word >> 25 & 0x7FF, word >> 36) for word in partition.by_person.tolist()]
    assert by_venue == sorted(found)
    assert by_person == sorted(found, key=lambda visit: (visit[2], visit[1], visit[0]))
    assert partition.by_venue.dtype == partition.by_person.dtype == np.uint64
