"""SQL of the indicators: each is one query of subjects, from which both the number and the list behind it come.

A query yields `subject` (a number: person, incident or hand-over), `incident_ref`, `place`, `at` (the instant it counts
for), `hit` (null: too early to say) and `open_since` (null: not open). Its parameters are `since` and `until`, the
instants [since, until) counted; `now`, until when things are known; `place`, a prefix of a county with `%`.
Where something has to be done in time (`TIMED`) it also yields `hours`, by the rules of its incident.
"""
# ruff: noqa: S608 - statements are put together from the literals of this file only

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec

from tianfu.platform.database import Read
from tianfu.tracing.rule_clocks import RuleClocks, hours_of

_NEW_CASES: Final[LiteralString] = (
    " from incident_case c join incident i using (incident_ref) left join evidence p on p.evidence_id = c.evidence_id"
    " where c.added_at >= %(since)s and c.added_at < %(until)s and i.place like %(place)s"
    " and (c.withdrawn_at is null or c.withdrawn_at > %(now)s)"
)
_INTERVIEWED: Final[LiteralString] = _NEW_CASES.replace(
    " where ",
    " left join case_interview v on v.incident_ref = c.incident_ref and v.person_ref = c.person_ref where ",
    1,
)
_CASE: Final[LiteralString] = "select c.person_ref subject, c.incident_ref, i.place, c.added_at at,"
_POSITIVE: Final[LiteralString] = "coalesce(p.received_at, c.added_at)"
# A case is in no list of its own incident, so as what it was listed is kept aside at the moment it becomes one.
_KNOWN_BEFORE: Final[LiteralString] = (
    "(exists (select from case_known n where n.incident_ref = c.incident_ref and n.person_ref = c.person_ref"
    " and n.known_at <= c.added_at)"
    " or exists (select from followup f where f.person_ref = c.person_ref and f.designated_at < c.added_at)"
    " or exists (select from evidence e where e.person_ref = c.person_ref and e.kind = 'contact'"
    " and e.received_at < c.added_at and e.withdraws is null and not exists (select from evidence w"
    " where w.person_ref = e.person_ref and w.withdraws = e.evidence_id)))"
)
# A source that is found afterwards is one too: a case that began to infect before this one did.
_REACHED: Final[LiteralString] = (
    "exists (select from trace_support s join incident_case k on k.incident_ref = s.incident_ref"
    " and k.person_ref = s.case_ref and k.withdrawn_at is null where s.incident_ref = c.incident_ref"
    " and s.person_ref = c.person_ref and k.infectious_from < c.infectious_from)"
)
_CONTACTS_OF: Final[LiteralString] = (
    "(select count(*) from trace_support s where s.incident_ref = c.incident_ref and s.case_ref = c.person_ref)"
)
_LISTED_AT: Final[LiteralString] = (
    "(select min(r.finished_at) from trace_run r where r.incident_ref = c.incident_ref"
    " and r.started_at >= c.added_at and r.finished_at <= %(now)s)"
)
_NEW_CONTACTS: Final[LiteralString] = (
    " from (select f.*, i.rules incident_rules, coalesce((select min(coalesce(e.received_at, k.added_at))"
    " from trace_support s join incident_case k on k.incident_ref = s.incident_ref and k.person_ref = s.case_ref"
    " left join evidence e on e.evidence_id = k.evidence_id"
    " where s.incident_ref = f.incident_ref and s.person_ref = f.person_ref), f.designated_at) positive_at"
    " from followup f join incident i using (incident_ref)"
    " where f.designated_at >= %(since)s and f.designated_at < %(until)s and f.place like %(place)s"
    " and f.closed_reason is distinct from 'dropped' and f.closed_reason is distinct from 'withdrawn') f"
)
_CONTACT: Final[LiteralString] = "select f.person_ref subject, f.incident_ref, f.place, f.designated_at at,"
_TOLD: Final[LiteralString] = (
    " cross join lateral (select least((select min(n.sent_at) from notice n where n.incident_ref = f.incident_ref"
    " and n.person_ref = f.person_ref and n.sent_at <= %(now)s), (select min(k.done_at) from followup_task k"
    " where k.incident_ref = f.incident_ref and k.person_ref = f.person_ref and k.state = 'done'"
    " and k.outcome <> 'no_answer' and k.done_at <= %(now)s)) done_at) d"
)
_FOLLOWED: Final[LiteralString] = (
    " from followup f where f.place like %(place)s and f.designated_at <= %(now)s"
    " and (f.closed_at is null or f.closed_at > %(now)s)"
)
_LETTER: Final[LiteralString] = (
    "select h.handover_ref subject, h.incident_ref, h.to_place place, h.requested_at at, {hit} hit,"
    " case when d.asked > 0 then h.requested_at end open_since,"
    # By the rules of the day on which it was asked.
    " round(extract(epoch from h.due_at - h.requested_at) / 3600)::integer hours"
)


def _in_time(
    begun: LiteralString, done: LiteralString, clock: LiteralString, rules: LiteralString = "i.rules"
) -> LiteralString:
    """`hit`, `open_since` and `hours` of something to be done in time; `hit` is null while there is time left."""
    hours = hours_of(clock, rules=rules, since=begun)
    due = begun + " + make_interval(hours => " + hours + ")"
    return (
        " case when "
        + done
        + " is not null then "
        + done
        + " <= "
        + due
        + " when "
        + due
        + " <= %(now)s then false end hit,"
        " case when " + done + " is null then " + begun + " end open_since, " + hours + " hours"
    )


_LETTERS: Final[LiteralString] = (
    " from handover h cross join lateral (select count(*) filter (where decided_at is null or decided_at > %(now)s)"
    " asked, max(decided_at) last from handover_person p where p.handover_ref = h.handover_ref) d"
    " where (h.from_place like %(place)s or h.to_place like %(place)s)"
)
_LETTERS_SENT: Final[LiteralString] = _LETTERS + " and h.requested_at >= %(since)s and h.requested_at < %(until)s"

QUERIES: Final[Mapping[str, LiteralString]] = {
    "new_cases": _CASE + " true hit, null::timestamptz open_since" + _NEW_CASES,
    "known_contacts": _CASE + _KNOWN_BEFORE + " hit, null::timestamptz open_since" + _NEW_CASES,
    "in_quarantine": _CASE
    + "(exists (select from followup_task k where k.person_ref = c.person_ref and k.kind = 'move'"
    " and k.state = 'done' and k.outcome = 'moved' and k.done_at < c.added_at)"
    " or exists (select from evidence e where e.person_ref = c.person_ref and e.kind = 'isolation'"
    " and e.received_at <= %(now)s and (e.attributes->>'began_at')::timestamptz < c.added_at)) hit,"
    " null::timestamptz open_since" + _NEW_CASES,
    "without_source": _CASE
    + " not "
    + _KNOWN_BEFORE
    + " and not "
    + _REACHED
    + " hit, null::timestamptz open_since"
    + _NEW_CASES,
    "chains": "select c.incident_ref subject, c.incident_ref, i.place, max(c.added_at) at, true hit,"
    " null::timestamptz open_since" + _NEW_CASES + " group by c.incident_ref, i.place",
    "long_gaps": "select g.person_ref subject, g.incident_ref, g.place, g.added_at at,"
    " g.gap > interval '7 days' hit, null::timestamptz open_since from (select c.*, i.place,"
    " c.infectious_from - lag(c.infectious_from) over (partition by c.incident_ref order by c.infectious_from,"
    " c.person_ref) gap from incident_case c join incident i using (incident_ref) where i.place like %(place)s"
    " and c.withdrawn_at is null and c.added_at < %(until)s) g where g.added_at >= %(since)s and g.gap is not null",
    "core_facts": _CASE + _in_time(_POSITIVE, "v.core_facts_at", "core_facts") + _INTERVIEWED,
    "contact_list": _CASE + _in_time(_POSITIVE, _LISTED_AT, "contact_list") + _NEW_CASES,
    "told": _CONTACT
    + _in_time("f.positive_at", "d.done_at", "tell_contacts", "f.incident_rules")
    + _NEW_CONTACTS
    + _TOLD,
    "quarantined": _CONTACT
    + _in_time("f.positive_at", "d.done_at", "quarantine", "f.incident_rules")
    + _NEW_CONTACTS
    + " join lateral (select min(k.done_at) filter (where k.state = 'done' and k.outcome = 'moved'"
    " and k.done_at <= %(now)s) done_at, count(*) moves from followup_task k where k.incident_ref = f.incident_ref"
    " and k.person_ref = f.person_ref and k.kind = 'move' and k.state <> 'cancelled') d on d.moves > 0",
    "interviewed": _CASE
    + " v.core_facts_at <= %(now)s is true hit, case when v.core_facts_at is null then c.added_at end open_since"
    + _INTERVIEWED,
    "no_contacts": _CASE + " case when " + _LISTED_AT + " is not null then " + _CONTACTS_OF + " = 0 end hit,"
    " null::timestamptz open_since" + _NEW_CASES,
    "few_contacts": _CASE
    + " case when "
    + _LISTED_AT
    + " is not null then "
    + _CONTACTS_OF
    + " between 1 and 2 end hit,"
    " null::timestamptz open_since" + _NEW_CASES,
    "reached": _CONTACT
    + " d.done_at is not null hit, case when d.done_at is null then f.designated_at end open_since"
    + _NEW_CONTACTS
    + _TOLD,
    "seen": "select k.person_ref subject, k.incident_ref, k.place, k.due_from at,"
    " k.state = 'done' and k.outcome <> 'no_answer' hit, null::timestamptz open_since from followup_task k"
    " where k.kind = 'visit' and k.state <> 'cancelled' and k.due_from >= %(since)s and k.due_from < %(until)s"
    " and k.place like %(place)s",
    "lost": "select f.person_ref subject, f.incident_ref, f.place, f.designated_at at, l.state = 'lost' hit,"
    " case when l.state = 'lost' then l.changed_at end open_since from (select f.*" + _FOLLOWED + ") f"
    " join lateral (select k.state, k.changed_at from followup_task k where k.incident_ref = f.incident_ref"
    " and k.person_ref = f.person_ref and k.kind = 'visit' and k.state in ('done', 'lost', 'missed')"
    " and k.due_from < %(now)s order by k.on_day desc limit 1) l on true",
    "not_seen": "select f.person_ref subject, f.incident_ref, f.place, f.designated_at at,"
    " greatest(f.designated_at, s.seen_at) <= %(now)s - interval '3 days' hit,"
    " greatest(f.designated_at, s.seen_at) open_since from (select f.*" + _FOLLOWED + ") f"
    " cross join lateral (select max(k.done_at) seen_at from followup_task k where k.incident_ref = f.incident_ref"
    " and k.person_ref = f.person_ref and k.state = 'done' and k.outcome <> 'no_answer' and k.done_at <= %(now)s) s"
    " where exists (select from followup_task k where k.incident_ref = f.incident_ref and k.person_ref = f.person_ref"
    " and k.kind = 'visit' and k.due_from < %(now)s and k.state <> 'cancelled')",
    "symptomatic_tested": "select k.person_ref subject, k.incident_ref, k.place, k.done_at at,"
    " case when t.tested then true when k.done_at + make_interval(hours => h.hours) <= %(now)s then false end hit,"
    " case when not t.tested then k.done_at end open_since, h.hours from followup_task k"
    " join incident i using (incident_ref) cross join lateral (select "
    + hours_of("test_symptomatic", rules="i.rules", since="k.done_at")
    + " hours) h cross join lateral (select exists (select from followup_task t where t.incident_ref = k.incident_ref"
    " and t.person_ref = k.person_ref and t.kind = 'test' and t.state = 'done' and t.outcome <> 'refused'"
    " and t.done_at between k.done_at - make_interval(hours => h.hours)"
    " and k.done_at + make_interval(hours => h.hours)) tested) t"
    " where k.kind = 'visit' and k.state = 'done' and k.outcome = 'symptomatic'"
    " and k.done_at >= %(since)s and k.done_at < %(until)s and k.place like %(place)s",
    "overdue_tests": "select k.person_ref subject, k.incident_ref, k.place, k.due_until at,"
    " k.state in ('planned', 'assigned', 'missed') hit,"
    " case when k.state in ('planned', 'assigned', 'missed') then k.due_until end open_since from followup_task k"
    " where k.kind = 'test' and k.state <> 'cancelled' and k.due_until > %(since)s and k.due_until <= %(now)s"
    " and k.place like %(place)s",
    "letters_sent": _LETTER.replace("{hit}", "true", 1) + _LETTERS_SENT,
    "letters_answered": _LETTER.replace(
        "{hit}", "case when d.asked = 0 then d.last <= h.due_at when h.due_at <= %(now)s then false end", 1
    )
    + _LETTERS_SENT,
    "letters_overdue": _LETTER.replace("{hit}", "true", 1) + _LETTERS + " and d.asked > 0 and h.due_at <= %(now)s",
}

TIMED: Final = frozenset(
    {"core_facts", "contact_list", "told", "quarantined", "symptomatic_tested", "letters_answered", "letters_overdue"}
)

# What must have been written down at least once by then, or the answer is "no data" and not 0.
SOURCES: Final[Mapping[str, LiteralString]] = {
    "cases": "select exists (select from incident_case where added_at < %(until)s)",
    "interviews": "select exists (select from case_interview where core_facts_at < %(until)s)",
    "runs": "select exists (select from trace_run where finished_at < %(until)s)",
    "follow_ups": "select exists (select from followup where designated_at < %(until)s)",
    "letters": "select exists (select from handover where requested_at < %(until)s)",
}


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """[`since`, `until`), as known at `now`, in a place (a prefix of a county; empty is everywhere).

    `clocks`: the hours by rule set in which things are to be done.
    """

    since: datetime
    until: datetime
    now: datetime
    place: str
    clocks: RuleClocks

    @property
    def parameters(self) -> dict[str, Any]:
        """For the queries."""
        own = {"since": self.since, "until": self.until, "now": self.now, "place": self.place + "%"}
        return own | self.clocks.parameters


class Counted(msgspec.Struct, frozen=True):
    """How many are hits of those of whom it can be said, and since when the oldest is open.

    `least` and `most` are the hours by which they are measured; None where nothing has to be in time, or nobody is.
    """

    hits: int
    of: int
    open_since: datetime | None
    least: int | None = None
    most: int | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list behind a number; `hours` None: nothing has to be in time."""

    subject: int
    incident_ref: int
    place: str
    at: datetime
    hit: bool | None
    open_since: datetime | None
    hours: int | None


class FunnelStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the funnel over the latest runs: in, out, added back, removed, median time; None is not to be told."""

    name: str
    position: int
    before: int | None
    after: int | None
    added: int | None
    removed: int | None
    milliseconds: int


def known(read: Read, source: str, window: Window) -> bool:
    """Whether a source has ever said anything."""
    return bool(read.value(SOURCES[source], window.parameters))


def count(read: Read, query: str, window: Window) -> Counted:
    """The number."""
    row = read.row(
        "select count(*) filter (where q.hit), count(q.hit), min(q.open_since), min(" + _hours(query) + "),"
        " max(" + _hours(query) + ") from (" + QUERIES[query] + ") q",
        window.parameters,
    )
    return Counted(*row) if row is not None else Counted(0, 0, None)


def by_county(read: Read, query: str, window: Window) -> list[tuple[str, Counted]]:
    """The number in each county or unit, in order of its code."""
    rows = read.rows(
        "select q.place, count(*) filter (where q.hit), count(q.hit), min(q.open_since)"
        " from (" + QUERIES[query] + ") q group by q.place order by q.place",
        window.parameters,
    )
    return [(place, Counted(hits, of, since)) for place, hits, of, since in rows]


def subjects(
    read: Read, query: str, window: Window, *, hit: bool | None, after: tuple[datetime, int, int] | None, limit: int
) -> list[Subject]:
    """The list behind the number, in order of instant; `hit` chooses hits or misses, None both."""
    rows = read.rows(
        "select q.subject, q.incident_ref, q.place, q.at, q.hit, q.open_since, "
        + _hours(query)
        + " from ("
        + QUERIES[query]
        + ") q"
        " where (%(hit)s::boolean is null or q.hit = %(hit)s) and (%(at)s::timestamptz is null"
        " or (q.at, q.incident_ref, q.subject) > (%(at)s, %(incident)s, %(subject)s))"
        " order by q.at, q.incident_ref, q.subject limit %(limit)s",
        window.parameters
        | {
            "hit": hit,
            "at": None if after is None else after[0],
            "incident": None if after is None else after[1],
            "subject": None if after is None else after[2],
            "limit": limit,
        },
    )
    return [
        Subject(
            subject=row[0], incident_ref=row[1], place=row[2], at=row[3], hit=row[4], open_since=row[5], hours=row[6]
        )
        for row in rows
    ]


def _hours(query: str) -> LiteralString:
    return "q.hours" if query in TIMED else "null::integer"


def funnel(read: Read, window: Window) -> list[FunnelStep] | None:
    """The steps of each screening's latest run in the window, added up; None when there was no screening ever."""
    if not read.value("select exists (select from screening_run where at < %(until)s)", window.parameters):
        return None
    rows = read.rows(
        "select s.result->>'name', min(s.position), sum((s.result->>'before')::bigint)::bigint,"
        " sum((s.result->>'after')::bigint)::bigint,"
        " sum((select coalesce(sum(value::bigint), 0) from json_each_text(s.result->'added')))::bigint,"
        " sum((select coalesce(sum(value::bigint), 0) from json_each_text(s.result->'removed')))::bigint,"
        " percentile_cont(0.5) within group (order by (s.result->>'milliseconds')::float)::bigint"
        " from (select distinct on (r.screening_ref) r.run_ref from screening_run r join screening g"
        " using (screening_ref) join incident i using (incident_ref) where r.at >= %(since)s and r.at < %(until)s"
        " and i.place like %(place)s order by r.screening_ref, r.run_ref desc) l join screening_step s using (run_ref)"
        " where not (s.result->>'undone')::boolean group by s.result->>'name' order by 2, 1",
        window.parameters,
    )
    return [
        FunnelStep(
            name=row[0],
            position=row[1],
            before=row[2],
            after=row[3],
            added=row[4],
            removed=row[5],
            milliseconds=row[6],
        )
        for row in rows
    ]
