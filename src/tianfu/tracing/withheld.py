"""Places such as a school or a train of which more people were with a source than the rules let be named. Pure.

Nobody of them is listed on that ground, and no venue can be announced for them, so they are counted instead: nobody
vanishes silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from tianfu.evidence.co_stays import StayKind


class Withheld(NamedTuple):
    """`people` were with a source at `place` in [`begins`, `ends`), absolute minutes, the end None while it lasts.

    `place` is the digest that stays go by; which school or train it was stands in the source's own statement.
    """

    place: UUID
    kind: StayKind
    begins: int
    ends: int | None
    people: int


def merged(found: Iterable[Withheld]) -> list[Withheld]:
    """Each place and kind once, in order: the whole time, and the most people that any source was with."""
    places: dict[tuple[int, str], Withheld] = {}
    for one in found:
        key = (one.place.int, one.kind.value)
        held = places.get(key, one)
        ends = None if held.ends is None or one.ends is None else max(held.ends, one.ends)
        places[key] = Withheld(one.place, one.kind, min(held.begins, one.begins), ends, max(held.people, one.people))
    return [places[key] for key in sorted(places)]
