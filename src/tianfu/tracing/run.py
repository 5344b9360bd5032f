"""A run: from the cases of an incident to its stored list, as of an instant.

Each case is expanded by itself, and only those that a change concerns; the list is what their rows add up to. Reading
visits and counting happen between two short transactions: the first notes the run and the permit, the second writes
the whole result or nothing. A run that dies leaves the list before it standing, and the next one does what was left.
A run that was overtaken by a change of the cases stores nothing and is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tianfu.clock import monotonic_seconds, shanghai_day
from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.lake import state
from tianfu.lake.layout import DAY_MINUTES, absolute_minute, day_number, instant_of
from tianfu.lake.permit import Permit
from tianfu.lake.read import open_days
from tianfu.platform.database import Database, Purpose, Read, Write
from tianfu.residents import merge_store
from tianfu.tracing import (
    acting,
    announcements,
    cases,
    erased_store,
    grounds,
    incident_store,
    incidents,
    list_store,
    mark_store,
    plan,
    withheld_store,
)
from tianfu.tracing.acting import Actor
from tianfu.tracing.aliases import Aliases
from tianfu.tracing.cases import Entered
from tianfu.tracing.expand import LIST_ROWS_MAX, Expanded, Ground, TraceTooWideError, expand
from tianfu.tracing.incidents import Incident, IncidentClosedError
from tianfu.tracing.list_store import CrowdRow, ExpansionRow
from tianfu.tracing.model import Announcement, Sources
from tianfu.tracing.plan import Plan
from tianfu.tracing.rows import TIERS, Rows, held, pack
from tianfu.tracing.terms import SETTINGS, Terms, first_day, terms_of

# Rows of all cases together: 100 bytes each with their index, so 500 MB; each may be a person of the list.
SUPPORT_ROWS_MAX: Final = 5_000_000
# Cases change a few times an hour; a run takes seconds.
_TRIES: Final = 5

PermitFor = Callable[[Write], Permit]
"""Makes the permit in the transaction that notes the run (`tianfu.lake.permit`)."""


class RunOvertakenError(TianfuError):
    """The cases kept changing while the run went on. Nothing was stored; a retry makes sense."""

    code = "run_overtaken"
    status = 409
    zh = "追踪期间病例有变动，结果未保存，请重试。"
    en = "The cases changed while the incident was being traced; nothing was stored. Please try again."


class VisitsErasedError(TianfuError):
    """The list cannot be made as of so early: what later visits showed could not be found again, as they are erased."""

    code = "trace_visits_erased"
    status = 409
    zh = "该时点之后的部分扫码记录已按期销毁，若按该时点追踪，名单将无法恢复，故未执行。"
    en = "Visits after that instant are erased by now; a list as of then could not be brought back, so none was made."


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did. `expanded` counts the cases that were expanded, `concerned` the people whose rows changed."""

    run_ref: int
    number: str
    as_of: datetime
    rules: str
    hops: int
    cases: int
    expanded: int
    scanned: int
    concerned: int
    listed: int
    announced: int
    milliseconds: int


class _Begun(msgspec.Struct, frozen=True):
    """What a run goes by, as its first transaction found it."""

    incident: Incident
    terms: Terms
    entered: tuple[Entered, ...]
    plan: Plan
    permit: Permit
    run_ref: int
    people: int
    categories: list[tuple[int, str, str | None]]
    aliases: Aliases
    marks: tuple[int, ...]

    def numbers(self, people: Iterable[int]) -> list[int]:
        """`people` and the numbers that are kept of them, under which rows stand."""
        return _numbers(self.aliases, people)


def trace(
    database: Database,
    lake: Path,
    number: str,
    *,
    actor: Actor,
    permit_for: PermitFor,
    as_of: datetime,
    at: datetime,
    everything: bool = False,
) -> Report:
    """Bring the list of incident `number` up to its cases and the visits known now, as of `as_of`.

    `at` is now. `everything` expands every case again, which a retrace for visits that came late needs. Harmless to
    repeat. Raises `IncidentNotFoundError`, `IncidentClosedError`, `PermitRefusedError`, `ForbiddenError`,
    `TraceTooWideError`, `RunOvertakenError`, `VisitsErasedError`, `LakeBrokenError`, the errors of the rule files
    and of the database; in each case the list is as before.
    """
    require_as_of(as_of, at)
    for _ in range(_TRIES):
        report = _once(database, lake, number, actor, permit_for, as_of, at, everything=everything)
        if report is not None:
            return report
    raise RunOvertakenError


def require_as_of(as_of: datetime, at: datetime) -> None:
    """Raise `InputInvalidError` for an instant that no list can be made as of: ahead of `at`, or of another age."""
    if not cases.EARLIEST <= as_of <= at:
        year = cases.EARLIEST.year
        fault = Fault(
            "as_of",
            "range",
            f"应为 {year} 年之后、现在之前的时刻。",
            f"It must lie after {year} and not in the future.",
        )
        raise InputInvalidError(faults=(fault,))


def _once(
    database: Database,
    lake: Path,
    number: str,
    actor: Actor,
    permit_for: PermitFor,
    as_of: datetime,
    at: datetime,
    *,
    everything: bool,
) -> Report | None:
    """One try; None when the cases changed meanwhile."""
    started = monotonic_seconds()
    with database.write(Purpose.BATCH) as write:
        begun = _begin(write, number, permit_for, as_of, at, everything=everything)
    incident_ref = begun.incident.incident_ref
    since = min((case.infectious_from for case in begun.entered), default=as_of)
    with open_days(lake, begun.permit, first_day(begun.terms, since), shanghai_day(as_of)) as visits:
        ground = grounds.ground(visits.partitions, begun.categories, begun.people, begun.aliases)
        held_from = _held_from(begun, lake, since, at)
        expanded = _expand_all(database, ground, begun, as_of, held_from)
        with database.write(Purpose.BATCH) as write:
            if list_store.lock(write, begun.incident.incident_ref) != begun.incident.touches:
                return None
            if held_from is not None and erased_store.any_venue_row(write, incident_ref, since=as_of, before=held_from):
                raise VisitsErasedError
            concerned, listed = _store_rows(write, begun, expanded)
            announced = _store_crowds(write, begun, expanded, ground, held_from)
            made = [_expansion(case, begun.terms, as_of) for case in begun.plan.expand]
            list_store.replace_expansions(write, incident_ref, begun.run_ref, begun.plan.gone, made)
            mark_store.clear(write, begun.marks)
            scanned = sum(one.scanned for one in expanded)
            milliseconds = int((monotonic_seconds() - started) * 1000)
            list_store.finish_run(
                write,
                begun.run_ref,
                finished_at=at + timedelta(milliseconds=milliseconds),
                scanned=scanned,
                listed=listed,
                milliseconds=milliseconds,
            )
            incident_store.set_traced(write, incident_ref, touches=begun.incident.touches, as_of=as_of)
            acting.record(write, actor, "incident_trace", number, at=at, count=listed, people=concerned)
    return Report(
        run_ref=begun.run_ref,
        number=number,
        as_of=as_of,
        rules=begun.terms.name,
        hops=len(begun.terms.hops),
        cases=len(begun.entered),
        expanded=len(begun.plan.expand),
        scanned=scanned,
        concerned=concerned,
        listed=listed,
        announced=announced,
        milliseconds=int((monotonic_seconds() - started) * 1000),
    )


def _begin(
    write: Write, number: str, permit_for: PermitFor, as_of: datetime, at: datetime, *, everything: bool
) -> _Begun:
    incident = incidents.find(write, number)
    if incident.closed_at is not None:
        raise IncidentClosedError
    terms = terms_of(incident.rules, incident.hops, as_of)
    entered = tuple(cases.listed(write, incident.incident_ref))
    # With no hop the rules name nobody, and the stored number of hops is at least one.
    hops = max(1, len(terms.hops))
    aliases = Aliases.of(merge_store.standing(write))
    # What was stated after this is marked after this too, and its mark stays.
    marks = mark_store.marked(write, incident.incident_ref)
    made = plan.planned(
        entered,
        list_store.expansions(write, incident.incident_ref),
        rules_hash=terms.hash,
        hops=hops,
        everything=everything,
        marked=frozenset(marks.values()),
        reaching=lambda people: list_store.reaching(
            write, incident.incident_ref, _numbers(aliases, people), below_hop=hops
        ),
    )
    run_ref = list_store.begin_run(
        write,
        incident.incident_ref,
        as_of=as_of,
        started_at=at,
        rules=terms.name,
        rules_hash=terms.hash,
        hops=hops,
        cases=len(entered),
    )
    people, categories = list_store.people_max(write), list_store.venue_categories(write)
    allowed = permit_for(write)
    return _Begun(incident, terms, entered, made, allowed, run_ref, people, categories, aliases, tuple(marks))


def _numbers(aliases: Aliases, people: Iterable[int]) -> list[int]:
    given = np.array(list(people), np.uint32)
    found: list[int] = np.union1d(given, aliases.kept_of(given)).tolist()
    return found


def _held_from(begun: _Begun, lake: Path, since: datetime, at: datetime) -> datetime | None:
    """Since when the lake has visits; None when it is since the first day that the run asks for.

    What visits of earlier days showed stays as it was stored: a list does not shrink because visits are erased. Asked
    after the days were opened: a day that is erased in between is there and stored, which is no harm.
    """
    days = state.load(lake).days
    first = date.fromisoformat(min(days)) if days else shanghai_day(at) + timedelta(days=1)
    return None if first <= first_day(begun.terms, since) else instant_of(day_number(first) * DAY_MINUTES)


def _expand_all(
    database: Database, ground: Ground, begun: _Begun, as_of: datetime, held_from: datetime | None
) -> list[Expanded]:
    """The expansions of the plan, in its order. Raises `TraceTooWideError` as soon as they are too many rows."""
    until = absolute_minute(as_of) + 1
    numbers = np.array([case.person for case in begun.entered], np.uint32)
    found: list[Expanded] = []
    rows = 0
    with database.read(Purpose.BATCH) as read:
        others, isolated = grounds.others(read, begun.terms), grounds.ends(read, until=until)
        for case in begun.plan.expand:
            ends = until if case.infectious_to is None else min(until, absolute_minute(case.infectious_to))
            source = Sources(
                np.array([case.person], np.uint32),
                np.array([absolute_minute(case.infectious_from)], np.int32),
                np.array([ends], np.int32),
            )
            one = expand(
                ground,
                source,
                cases=numbers,
                hops=begun.terms.hops,
                others=others,
                ends=isolated,
                until=until,
                kept=None if held_from is None else _stored(read, begun, case, held_from),
            )
            rows += len(one.rows.person)
            if rows > SUPPORT_ROWS_MAX:
                raise TraceTooWideError
            found.append(one)
    return found


def _stored(read: Read, begun: _Begun, case: Entered, before: datetime) -> Rows:
    return held(erased_store.venue_rows(read, begun.incident.incident_ref, case.person, before=before), SETTINGS)


def _store_rows(write: Write, begun: _Begun, expanded: Sequence[Expanded]) -> tuple[int, int]:
    """Store what the cases support and what it adds up to: people concerned, and people listed."""
    incident_ref = begun.incident.incident_ref
    packed = [
        piece for case, one in zip(begun.plan.expand, expanded, strict=True) for piece in pack(case.person, one.rows)
    ]
    entered = begun.numbers(case.person for case in begun.entered)
    turned = list_store.misplaced(write, incident_ref, merge_store.ever(write), cases=entered)
    list_store.bring(write, packed)
    concerned = list_store.replace_support(
        write,
        incident_ref,
        [*(case.person for case in begun.plan.expand), *begun.plan.gone],
        [*begun.numbers(begun.plan.turned), *turned],
        tiers=TIERS,
        settings=SETTINGS,
    )
    listed = list_store.merge(write, incident_ref, begun.run_ref, cases=entered, tiers=TIERS)
    if listed > LIST_ROWS_MAX or list_store.count_support(write, incident_ref) > SUPPORT_ROWS_MAX:
        raise TraceTooWideError
    return concerned, listed


def _store_crowds(
    write: Write, begun: _Begun, expanded: Sequence[Expanded], ground: Ground, held_from: datetime | None
) -> int:
    """Store the crowds and withheld places of the expanded cases; how many announcements all crowds add up to."""
    incident_ref = begun.incident.incident_ref
    gone = _erased_crowds(write, begun, held_from)
    rows = [
        CrowdRow(case.person, crowd.venue, instant_of(crowd.begins), instant_of(crowd.ends), crowd.scans)
        for case, one in zip(begun.plan.expand, expanded, strict=True)
        for crowd in announcements.merged(
            [*one.crowds, *gone.get(case.person, ())], ground.partitions, erased=gone.get(case.person, ())
        )
    ]
    touched = [*(case.person for case in begun.plan.expand), *begun.plan.gone]
    list_store.replace_crowds(write, incident_ref, touched, rows)
    withheld_store.replace(
        write,
        incident_ref,
        touched,
        [(case.person, place) for case, one in zip(begun.plan.expand, expanded, strict=True) for place in one.withheld],
    )
    told = announcements.merged(
        map(_announcement, list_store.crowds(write, incident_ref)),
        ground.partitions,
        erased=map(_announcement, _before(erased_store.announced(write, incident_ref), held_from)),
    )
    list_store.replace_announcements(
        write,
        incident_ref,
        begun.run_ref,
        [(one.venue, instant_of(one.begins), instant_of(one.ends), one.scans) for one in told],
    )
    return len(told)


def _erased_crowds(read: Read, begun: _Begun, held_from: datetime | None) -> dict[int, list[Announcement]]:
    """The crowds that each case to be expanded was in and whose visits are erased by now."""
    since = {int(case.person): case.infectious_from for case in begun.plan.expand}
    found: dict[int, list[Announcement]] = {}
    for row in _before(list_store.crowds(read, begun.incident.incident_ref), held_from):
        if row.person in since and row.ends_at > since[row.person]:
            found.setdefault(row.person, []).append(_announcement(row))
    return found


def _before(crowds: Sequence[CrowdRow], held_from: datetime | None) -> list[CrowdRow]:
    return [] if held_from is None else [row for row in crowds if row.begins_at < held_from]


def _announcement(row: CrowdRow) -> Announcement:
    return Announcement(row.venue, absolute_minute(row.begins_at), absolute_minute(row.ends_at), row.scans)


def _expansion(case: Entered, terms: Terms, as_of: datetime) -> ExpansionRow:
    return ExpansionRow(
        person=case.person,
        infectious_from=case.infectious_from,
        infectious_to=case.infectious_to,
        rules_hash=terms.hash,
        hops=max(1, len(terms.hops)),
        as_of=as_of,
    )
