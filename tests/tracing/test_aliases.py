"""One human being under several numbers, in arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tianfu.lake import layout
from tianfu.tracing.aliases import NONE, Aliases
from tianfu.tracing.expand import Ground, HopTerms, TierTerms, expand
from tianfu.tracing.model import Reach, Sources
from tianfu.tracing.rows import nobody

PEOPLE = st.lists(st.integers(1, 12), min_size=1, max_size=8)
# 1 to 4 are kept, the others may be merged into one of them.
MERGES = st.dictionaries(st.integers(5, 12), st.integers(1, 4))


def people(numbers: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.array(numbers, np.uint32)


@given(PEOPLE, MERGES)
def test_arrays_say_what_a_plain_look_up_says(numbers: list[int], merges: dict[int, int]) -> None:
    aliases = Aliases.of((kept, merged) for merged, kept in merges.items())
    stars = {number: {number, merges.get(number, number)} for number in range(1, 13)}
    for merged, kept in merges.items():
        for number in (kept, merged, *(other for other, hub in merges.items() if hub == kept)):
            stars[number] |= {kept, *(other for other, hub in merges.items() if hub == kept)}

    assert aliases.kept_of(people(numbers)).tolist() == [merges.get(number, number) for number in numbers]
    assert aliases.everybody(people(numbers)).tolist() == sorted(set().union(*(stars[number] for number in numbers)))
    since = np.arange(len(numbers), dtype=np.int32)
    found = aliases.sources(Sources(people(numbers), since, since + 100))
    assert set(zip(*(part.tolist() for part in found), strict=True)) == {
        (other, at, at + 100) for at, number in enumerate(numbers) for other in stars[number]
    }


def test_without_merges_nothing_is_copied() -> None:
    sources = Sources(people([3, 1]), np.zeros(2, np.int32), np.ones(2, np.int32))

    assert NONE.sources(sources) is sources
    assert NONE.everybody(people([3, 1, 3])).tolist() == [1, 3]


def _rows(visits: list[tuple[int, int, int]], aliases: Aliases, case: int) -> list[tuple[int, ...]]:
    """Whom person `case` reaches in two hops by 60 minutes at any venue: (person, hop, exposed).

    Of equal exposures the lowest number that scanned is the parent, so parents may differ.
    """
    columns = np.array(visits, np.int64).T
    ground = Ground([layout.partition(0, columns[1], columns[2], columns[0])], np.ones(9, np.uint8), 40, aliases)
    within = np.full(256, 60, np.int32)
    reach = Reach(within, within, np.zeros(256, np.int32))
    terms = HopTerms((TierTerms(0, reach, np.zeros(256, np.uint8)),), np.zeros(1, np.uint8))
    one = Sources(people([case]), np.zeros(1, np.int32), np.full(1, 1_440, np.int32))
    expanded = expand(
        ground,
        one,
        cases=people([case]),
        hops=(terms, terms),
        others=lambda _hop, _sources: (nobody(), ()),
        ends=lambda persons, _exposed: np.full(len(persons), 1_440, np.int32),
        until=1_440,
    )
    found = expanded.rows
    told = (found.person, found.hop, found.exposed_at)
    return sorted(zip(*(column.tolist() for column in told), strict=True))


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(0, 900), st.booleans()), min_size=1, max_size=40
    )
)
def test_visits_under_two_numbers_trace_like_visits_under_one(visits: list[tuple[int, int, int, bool]]) -> None:
    """Person n also goes by n + 20; which of the two scanned must make no difference."""
    aliases = Aliases.of((number, number + 20) for number in range(1, 10))
    under_two = [(person + 20 * second, venue, minute) for person, venue, minute, second in visits]
    under_one = [(person, venue, minute) for person, venue, minute, _ in visits]

    for case in (1, 2):
        assert _rows(under_two, aliases, case) == _rows(under_one, NONE, case)
