"""SQL of a run: what each case supports, and the list that adds up from it. Transactions belong to the caller.

A run brings the rows of some cases anew, in a temporary table. Only people whose rows differ from what is stored are
written, so that a retrace that finds nothing new writes nothing, and one case more writes what that case changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec

from tianfu.platform import binary
from tianfu.platform.database import Read, Write

# First key of the advisory locks of lists ("TR"); the second is the incident.
_LOCK_CLASS: Final = 0x5452

# From so many new rows on the planner is told what the tables hold now: the next run may come before autovacuum.
_ANALYZED_FROM: Final = 10_000


class ExpansionRow(msgspec.Struct, frozen=True, kw_only=True):
    """From what the stored rows of a case were made."""

    person: int
    infectious_from: datetime
    infectious_to: datetime | None
    rules_hash: bytes
    hops: int
    as_of: datetime


class CrowdRow(msgspec.Struct, frozen=True):
    """A crowd that case `person` was in, through whatever hop; instants half-open."""

    person: int
    venue: int
    begins_at: datetime
    ends_at: datetime
    scans: int


# --- what there is ----------------------------------------------------------------------------------------------------


def expansions(read: Read, incident_ref: int) -> list[ExpansionRow]:
    """From what the rows of each case were made, by person."""
    rows = read.rows(
        "select case_ref, infectious_from, infectious_to, rules_hash, hops, as_of from trace_expansion"
        " where incident_ref = %s order by case_ref",
        (incident_ref,),
    )
    return [
        ExpansionRow(
            person=row[0], infectious_from=row[1], infectious_to=row[2], rules_hash=bytes(row[3]), hops=row[4],
            as_of=row[5],
        )
        for row in rows
    ]  # fmt: skip


def reaching(read: Read, incident_ref: int, people: Sequence[int], *, below_hop: int) -> set[int]:
    """The cases among whose own rows one of `people` stands at a hop below `below_hop`."""
    rows = read.rows(
        "select distinct case_ref from trace_support"
        " where incident_ref = %s and person_ref = any(%s::bigint[]) and hop < %s",
        (incident_ref, binary.bigints(people), below_hop),
    )
    return {case_ref for (case_ref,) in rows}


def crowds(read: Read, incident_ref: int) -> list[CrowdRow]:
    """The crowds of every case, by venue and beginning."""
    rows = read.rows(
        "select case_ref, venue_ref, begins_at, ends_at, scans from trace_crowd where incident_ref = %s"
        " order by venue_ref, begins_at, case_ref",
        (incident_ref,),
    )
    return [CrowdRow(*row) for row in rows]


def people_max(read: Read) -> int:
    """The highest number of a person, 0 when there is nobody."""
    highest: int = read.value("select coalesce(max(person_ref), 0) from person")
    return highest


def venue_categories(read: Read) -> list[tuple[int, str, str | None]]:
    """Number and category of every venue, and what kind of vehicle it is where it is one of a known kind."""
    rows = read.rows(
        "select v.venue_ref, v.category, w.kind from venue v left join vehicle w on w.venue_ref = v.venue_ref",
        binary=True,
    )
    return [(number, category, vehicle) for number, category, vehicle in rows]


def misplaced(read: Read, incident_ref: int, people: Sequence[int], *, cases: Sequence[int]) -> list[int]:
    """Who of `people` is supported, and listed though among `cases`, or neither listed nor among them.

    Whether somebody is a case changes without any row when one of their numbers is merged or parted.
    """
    rows = read.rows(
        "select distinct s.person_ref from trace_support s where s.incident_ref = %(incident)s"
        " and s.person_ref = any(%(people)s::bigint[]) and (s.person_ref = any(%(cases)s::bigint[])) = exists ("
        "select from traced t where t.incident_ref = s.incident_ref and t.person_ref = s.person_ref)",
        {"incident": incident_ref, "people": binary.bigints(people), "cases": binary.bigints(cases)},
    )
    return [person for (person,) in rows]


# --- a run ------------------------------------------------------------------------------------------------------------


def begin_run(
    write: Write,
    incident_ref: int,
    *,
    as_of: datetime,
    started_at: datetime,
    rules: str,
    rules_hash: bytes,
    hops: int,
    cases: int,
) -> int:
    """Note that a run begins; its number. One that never finishes stays as such and harms nothing."""
    number: int = write.value(
        "insert into trace_run (incident_ref, as_of, started_at, rules, rules_hash, hops, cases)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning run_ref",
        (incident_ref, as_of, started_at, rules, rules_hash, hops, cases),
    )
    return number


def finish_run(
    write: Write, run_ref: int, *, finished_at: datetime, scanned: int, listed: int, milliseconds: int
) -> None:
    """Note what a run did."""
    write.execute(
        "update trace_run set finished_at = %s, scanned = %s, listed = %s, milliseconds = %s where run_ref = %s",
        (finished_at, scanned, listed, milliseconds, run_ref),
    )


def lock(write: Write, incident_ref: int) -> int:
    """Let one run at a time write this incident's list, until the transaction ends; the incident's touches by then."""
    write.execute("select pg_advisory_xact_lock(%s, %s)", (_LOCK_CLASS, incident_ref))
    touches: int = write.value("select touches from incident where incident_ref = %s for share", (incident_ref,))
    return touches


def bring(write: Write, packed: Sequence[bytes]) -> int:
    """Put the new rows, packed as `tianfu.tracing.rows.pack` does, beside the stored ones; how many.

    The rest of the transaction sorts a million rows in memory.
    """
    write.rows("select set_config('work_mem', '256MB', true), set_config('jit', 'off', true)")
    write.execute(
        "create temporary table trace_fresh (case_ref integer, person_ref integer, hop smallint, tier smallint,"
        " setting smallint, strong boolean, exposed_at timestamptz, parent_ref integer, venue_ref integer)"
        " on commit drop"
    )
    count = write.copy_binary(
        "copy trace_fresh (case_ref, person_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref)"
        " from stdin (format binary)",
        packed,
    )
    write.execute("analyze trace_fresh")
    return count


_STORED: Final[LiteralString] = (
    "select case_ref, person_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref from trace_support"
    " where incident_ref = %(incident)s and case_ref = any(%(cases)s::bigint[])"
)
_BROUGHT: Final[LiteralString] = (
    "select case_ref, person_ref, hop, (%(tiers)s::text[])[tier], (%(settings)s::text[])[setting], strong, exposed_at,"
    " parent_ref, nullif(venue_ref, 0) from trace_fresh"
)
_BROUGHT_AGAIN: Final[LiteralString] = "(" + _BROUGHT + ") as brought"
_OF_TOUCHED: Final = " where brought.person_ref in (select person_ref from trace_touched)"
_TOUCH: Final[LiteralString] = "insert into trace_touched select person_ref from "
_SUPPORT: Final[LiteralString] = (
    "insert into trace_support (incident_ref, case_ref, person_ref, hop, tier, setting, strong, exposed_at,"
    " parent_ref, venue_ref) select %(incident)s, brought.* from "
)


def replace_support(
    write: Write,
    incident_ref: int,
    cases: Sequence[int],
    turned: Sequence[int],
    *,
    tiers: Sequence[str],
    settings: Sequence[str],
) -> int:
    """Make what was brought all that `cases` support; how many people this concerns, who stand in `trace_touched`.

    `turned` are people who became cases or are none any more: they are concerned whatever the rows say. Numbers of
    tiers and settings in the rows count from 1 in `tiers` and `settings`.
    """
    given = {
        "incident": incident_ref,
        "cases": binary.bigints(cases),
        "turned": binary.bigints(turned),
        "tiers": binary.texts(tiers),
        "settings": binary.texts(settings),
    }
    write.execute("create temporary table trace_touched (person_ref integer primary key) on commit drop")
    stored = write.value(
        "select exists (select from trace_support where incident_ref = %(incident)s"
        " and case_ref = any(%(cases)s::bigint[]))",
        given,
    )
    if stored:
        write.execute(
            f"{_TOUCH} (({_STORED} except {_BROUGHT}) union all ({_BROUGHT} except {_STORED})) as different"
            " union select unnest(%(turned)s::bigint[])",
            given,
        )
        write.execute("analyze trace_touched")
        write.execute(
            "delete from trace_support where incident_ref = %(incident)s and case_ref = any(%(cases)s::bigint[])"
            " and person_ref in (select person_ref from trace_touched)",
            given,
        )
    else:
        write.execute(
            f"{_TOUCH} trace_fresh union select unnest(%(turned)s::bigint[])",
            given,
        )
        write.execute("analyze trace_touched")
    write.execute(
        _SUPPORT + _BROUGHT_AGAIN + _OF_TOUCHED,
        given,
    )
    count: int = write.value("select count(*) from trace_touched")
    if count > _ANALYZED_FROM:
        write.execute("analyze trace_support")
    return count


def count_support(read: Read, incident_ref: int) -> int:
    """How many rows the cases of an incident support together."""
    count: int = read.value("select count(*) from trace_support where incident_ref = %s", (incident_ref,))
    return count


def merge(write: Write, incident_ref: int, run_ref: int, *, cases: Sequence[int], tiers: Sequence[str]) -> int:
    """Bring the list up to what the cases support, for the people of `trace_touched`; how many it has then.

    A row is the supporting one of the lowest hop, then the earliest exposure, then the smallest parent; its tier is
    the strictest (first in `tiers`) and `strong` says whether any is. Who is among `cases` is never listed. What
    somebody decided about a person stays.
    """
    given = {
        "incident": incident_ref,
        "run": run_ref,
        "cases": binary.bigints(cases),
        "tiers": binary.texts(tiers),
    }
    write.execute(
        "with gone as (delete from traced t using trace_touched d where t.incident_ref = %(incident)s"
        " and t.person_ref = d.person_ref and (t.person_ref = any(%(cases)s::bigint[]) or not exists ("
        "select from trace_support s where s.incident_ref = t.incident_ref and s.person_ref = t.person_ref))"
        " returning t.person_ref, t.state)"
        " insert into trace_decision (incident_ref, person_ref, state)"
        " select %(incident)s, person_ref, state from gone where state <> 'proposed'"
        " on conflict (incident_ref, person_ref) do update set state = excluded.state",
        given,
    )
    written = write.execute(
        "insert into traced (incident_ref, person_ref, hop, tier, setting, strong, exposed_at, parent_ref, venue_ref,"
        " cases, run_ref, place, state)"
        " select %(incident)s, m.person_ref, m.hop, (%(tiers)s::text[])[m.strictest], m.setting, m.any_strong,"
        " m.exposed_at, m.parent_ref, m.venue_ref, m.supporting, %(run)s, r.district, coalesce(d.state, 'proposed')"
        " from (select distinct on (person_ref) person_ref, hop, setting, exposed_at, parent_ref, venue_ref,"
        " min(array_position(%(tiers)s::text[], tier)) over person as strictest,"
        " bool_or(strong) over person as any_strong, count(*) over person as supporting"
        " from trace_support where incident_ref = %(incident)s"
        " and person_ref in (select person_ref from trace_touched) and person_ref <> all(%(cases)s::bigint[])"
        " window person as (partition by person_ref)"
        " order by person_ref, hop, exposed_at, parent_ref, case_ref) as m"
        " left join resident r on r.person_ref = m.person_ref"
        " left join trace_decision d on d.incident_ref = %(incident)s and d.person_ref = m.person_ref"
        " on conflict (incident_ref, person_ref) do update set hop = excluded.hop, tier = excluded.tier,"
        " setting = excluded.setting, strong = excluded.strong, exposed_at = excluded.exposed_at,"
        " parent_ref = excluded.parent_ref, venue_ref = excluded.venue_ref, cases = excluded.cases,"
        " run_ref = excluded.run_ref, place = excluded.place"
        " where (traced.hop, traced.tier, traced.setting, traced.strong, traced.exposed_at, traced.parent_ref,"
        " traced.venue_ref, traced.cases, traced.place) is distinct from (excluded.hop, excluded.tier,"
        " excluded.setting, excluded.strong, excluded.exposed_at, excluded.parent_ref, excluded.venue_ref,"
        " excluded.cases, excluded.place)",
        given,
    )
    if written > _ANALYZED_FROM:
        write.execute("analyze traced")
    write.execute(
        "delete from trace_decision d using traced t where d.incident_ref = %(incident)s"
        " and t.incident_ref = d.incident_ref and t.person_ref = d.person_ref",
        given,
    )
    count: int = write.value("select count(*) from traced where incident_ref = %s", (incident_ref,))
    return count


def replace_expansions(
    write: Write, incident_ref: int, run_ref: int, gone: Sequence[int], made: Iterable[ExpansionRow]
) -> None:
    """Forget the expansions of `gone` and note those that were made."""
    write.execute(
        "delete from trace_expansion where incident_ref = %s and case_ref = any(%s::bigint[])",
        (incident_ref, binary.bigints(gone)),
    )
    write.execute_many(
        "insert into trace_expansion (incident_ref, case_ref, infectious_from, infectious_to, rules_hash, hops, as_of,"
        " run_ref) values (%s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (incident_ref, case_ref) do update set infectious_from = excluded.infectious_from,"
        " infectious_to = excluded.infectious_to, rules_hash = excluded.rules_hash, hops = excluded.hops,"
        " as_of = excluded.as_of, run_ref = excluded.run_ref",
        [
            (incident_ref, row.person, row.infectious_from, row.infectious_to, row.rules_hash, row.hops, row.as_of,
             run_ref)
            for row in made
        ],
    )  # fmt: skip


def replace_crowds(write: Write, incident_ref: int, cases: Sequence[int], rows: Sequence[CrowdRow]) -> None:
    """Make `rows` all crowds of `cases`."""
    write.execute(
        "delete from trace_crowd where incident_ref = %s and case_ref = any(%s::bigint[])",
        (incident_ref, binary.bigints(cases)),
    )
    if rows:
        write.copy(
            "copy trace_crowd (incident_ref, case_ref, venue_ref, begins_at, ends_at, scans) from stdin",
            [(incident_ref, row.person, row.venue, row.begins_at, row.ends_at, row.scans) for row in rows],
        )


def replace_announcements(
    write: Write, incident_ref: int, run_ref: int, rows: Sequence[tuple[int, datetime, datetime, int]]
) -> None:
    """Make `rows` (venue, begins, ends, scans) all announcements of the incident."""
    write.execute("delete from place_announcement where incident_ref = %s", (incident_ref,))
    if rows:
        write.copy(
            "copy place_announcement (incident_ref, venue_ref, begins_at, ends_at, scans, run_ref) from stdin",
            [(incident_ref, *row, run_ref) for row in rows],
        )


def runs(read: Read, incident_ref: int, limit: int) -> list[dict[str, Any]]:
    """The newest runs."""
    fields = ("run_ref", "as_of", "started_at", "finished_at", "rules", "hops", "cases", "scanned", "listed")
    rows = read.rows(
        "select run_ref, as_of, started_at, finished_at, rules, hops, cases, scanned, listed, milliseconds"
        " from trace_run where incident_ref = %s order by run_ref desc limit %s",
        (incident_ref, limit),
    )
    return [dict(zip((*fields, "milliseconds"), row, strict=True)) for row in rows]
