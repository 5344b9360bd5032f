"""What would change for people if one policy were replaced by another, counted. Pure; holds no person.

Colours, rules and popups are counted for the province, and changes for each district. Counts are exact however small:
the report is for those who decide about the rules and stays with them.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from tianfu.colour import Colour
from tianfu.policy.model import Decision

# The district of people of whom neither a residence nor the place of a statement is known.
UNKNOWN_DISTRICT: Final = "unknown"
_NOT_COMPARED: Final = frozenset({"at", "policy", "policy_number", "policy_hash"})


class ColourMove(msgspec.Struct, frozen=True):
    """How many people would have colour `new` instead of `old` (the same colour included)."""

    old: Colour
    new: Colour
    people: int


class Move(msgspec.Struct, frozen=True):
    """A rule or popup: for how many people it would begin to hold, and for how many it would no longer."""

    id: str
    gained: int
    lost: int


class DistrictMove(msgspec.Struct, frozen=True):
    """A district: people looked at, people whose colour would change, and those of them for the worse."""

    district: str
    people: int
    changed: int
    worse: int


class Report(msgspec.Struct, frozen=True):
    """The whole comparison.

    `colour_changed` is part of `changed`, which also counts people who keep their colour for another reason, another
    time or with another popup. `failed` people could not be decided by one of the two and are in no other count.
    """

    people: int
    changed: int
    colour_changed: int
    worse: int
    failed: int
    colours: tuple[ColourMove, ...]
    rules: tuple[Move, ...]
    popups: tuple[Move, ...]
    districts: tuple[DistrictMove, ...]


class Tally:
    """Counts people one by one; `report` may be asked at any time."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._people = self._changed = self._failed = 0
        self._colours: Counter[tuple[Colour, Colour]] = Counter()
        self._rules = (Counter[str](), Counter[str]())
        self._popups = (Counter[str](), Counter[str]())
        self._district_people: Counter[str] = Counter()
        self._district_changed: Counter[str] = Counter()
        self._district_worse: Counter[str] = Counter()

    def add(self, district: str, old: Decision, new: Decision) -> None:
        """Count one person who lives in `district`."""
        self._people += 1
        self._colours[old.colour, new.colour] += 1
        self._district_people[district] += 1
        if old is new or not differs(old, new):
            return
        self._changed += 1
        _count(self._rules, {reason.rule for reason in old.reasons}, {reason.rule for reason in new.reasons})
        _count(self._popups, _popups(old), _popups(new))
        if old.colour is not new.colour:
            self._district_changed[district] += 1
            if new.colour.severity > old.colour.severity:
                self._district_worse[district] += 1

    def fail(self) -> None:
        """Count one person who could not be decided."""
        self._failed += 1

    def report(self) -> Report:
        """What was counted so far: districts and rules with most changes first."""
        moves = [ColourMove(old, new, count) for (old, new), count in self._colours.items()]
        moves.sort(key=lambda move: (-move.old.severity, -move.new.severity))
        changed = self._district_changed
        districts = [
            DistrictMove(name, count, changed[name], self._district_worse[name])
            for name, count in self._district_people.items()
        ]
        return Report(
            people=self._people,
            changed=self._changed,
            colour_changed=changed.total(),
            worse=self._district_worse.total(),
            failed=self._failed,
            colours=tuple(moves),
            rules=_moves(self._rules),
            popups=_moves(self._popups),
            districts=tuple(sorted(districts, key=lambda each: (-each.changed, -each.people, each.district))),
        )


def differs(old: Decision, new: Decision) -> bool:
    """Whether two decisions say different things, whatever policy they name."""
    return any(getattr(old, name) != getattr(new, name) for name in old.__struct_fields__ if name not in _NOT_COMPARED)


def _popups(decision: Decision) -> set[str]:
    shown = {popup.popup for popup in decision.popups}
    return shown if decision.popup is None else shown | {decision.popup}


def _count(counts: tuple[Counter[str], Counter[str]], old: set[str], new: set[str]) -> None:
    counts[0].update(new - old)
    counts[1].update(old - new)


def _moves(counts: tuple[Counter[str], Counter[str]]) -> tuple[Move, ...]:
    gained, lost = counts
    moves = [Move(name, gained[name], lost[name]) for name in gained.keys() | lost.keys()]
    return tuple(sorted(moves, key=lambda move: (-move.gained - move.lost, move.id)))
