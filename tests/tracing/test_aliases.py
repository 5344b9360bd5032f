"""One human being under several numbers, in arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tianfu.tracing.aliases import NONE, Aliases
from tianfu.tracing.model import Sources

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
