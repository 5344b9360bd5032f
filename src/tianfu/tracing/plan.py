"""Which cases a run has to expand: the new ones, those whose terms changed, and those that a change reaches. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from tianfu.tracing.cases import Entered
from tianfu.tracing.list_store import ExpansionRow

Reaching = Callable[[Sequence[int]], set[int]]
"""The cases that go on from one of the people given: among their stored rows one stands below the last hop."""


class Plan(NamedTuple):
    """What a run does: cases to `expand`, cases that are `gone`, people who `turned` into a case or are none now."""

    expand: tuple[Entered, ...]
    gone: tuple[int, ...]
    turned: tuple[int, ...]


def planned(
    cases: Iterable[Entered],
    expansions: Iterable[ExpansionRow],
    *,
    rules_hash: bytes,
    hops: int,
    everything: bool,
    marked: Collection[int] = (),
    reaching: Reaching,
) -> Plan:
    """The least that makes the stored rows those of `cases`; `everything` expands each case again.

    A case is expanded when its rows were never made or from another period, other rules or hops, and when it is
    `marked`: something was stated since that they may depend on. When somebody becomes
    a case, or is none any more, the cases that had gone on from them, or now would, are expanded too: nobody else's
    rows can differ.
    """
    active = {int(case.person): case for case in cases if case.withdrawn_at is None}
    made: Mapping[int, ExpansionRow] = {row.person: row for row in expansions}
    due = {
        person
        for person, case in active.items()
        if everything or person in marked or not _is_current(case, made.get(person), rules_hash, hops)
    }
    turned = sorted(active.keys() ^ made.keys())
    gone = sorted(made.keys() - active.keys())
    if turned:
        due |= reaching(turned) & active.keys()
    return Plan(tuple(active[person] for person in sorted(due)), tuple(gone), tuple(turned))


def _is_current(case: Entered, made: ExpansionRow | None, rules_hash: bytes, hops: int) -> bool:
    return made is not None and (made.infectious_from, made.infectious_to, made.rules_hash, made.hops) == (
        case.infectious_from,
        case.infectious_to,
        rules_hash,
        hops,
    )
