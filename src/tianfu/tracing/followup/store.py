"""SQL of follow-ups and their tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, LiteralString, NamedTuple

from tianfu.evidence.care_kinds import IsolationStage
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.tracing.followup import doubled_store
from tianfu.tracing.followup.model import FollowUp, Task
from tianfu.tracing.followup.plan import Held, TaskKind, TaskState, Wanted
from tianfu.tracing.model import Tier

_FOLLOWED: Final[LiteralString] = (
    "select incident_ref, person_ref, tier, setting, last_exposure, designated_at, place, rules, plan_hash, assignee,"
    " ends_on, closed_at, closed_reason from followup"
)
TASK: Final[LiteralString] = (
    "select task_ref, incident_ref, person_ref, kind, stage, on_day, day, due_from, due_until, place, state, assignee,"
    " outcome, reason, done_at, done_by from followup_task"
)
# "TianfuFu" as a number.
_LOCK_KEY: Final = 0x5469_616E_6675_4675


class Listed(NamedTuple):
    """A confirmed contact on the list; `place` None where nobody knows the county.

    A case is not followed here, nor is somebody who is followed under another number (`is_case` says either).
    """

    person: PersonRef
    tier: Tier
    setting: str
    exposed_at: datetime
    place: str | None
    is_case: bool = False


def lock(write: Write) -> None:
    """Wait until nobody else decides which county answers for whom; held until the transaction ends.

    One lock for all incidents: one person may be followed in several, and by one county only.
    """
    write.execute("select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))


def confirmed(read: Read, incident_ref: int, after: int, limit: int) -> list[Listed]:
    """Confirmed contacts that are no cases, by person number, after `after`: traced, or found by the field only.

    The tier, setting and exposure that somebody confirmed stand before those of the trace; a county that the trace
    does not know is the one the person's code was claimed in.
    """
    rows = read.rows(
        "select l.person_ref, l.tier, l.setting, l.exposed_at, coalesce(l.place, r.district) from ("
        " (select t.person_ref, coalesce(c.tier, t.tier) tier, coalesce(c.setting, t.setting) setting,"
        " coalesce(c.last_exposure_at, t.exposed_at) exposed_at, t.place from traced t left join lateral ("
        " select c.tier, c.setting, c.last_exposure_at from contact_confirmed c where c.incident_ref = t.incident_ref"
        " and c.person_ref = t.person_ref and c.withdrawn_at is null"
        " order by c.confirmation_ref desc limit 1) c on true"
        " where t.incident_ref = %(incident)s and t.person_ref > %(after)s and t.state = 'confirmed'"
        " order by t.person_ref limit %(limit)s)"
        " union all"
        " (select distinct on (c.person_ref) c.person_ref, c.tier, c.setting, c.last_exposure_at, null"
        " from contact_confirmed c where c.incident_ref = %(incident)s and c.person_ref > %(after)s"
        " and c.withdrawn_at is null and not exists (select from traced t where t.incident_ref = c.incident_ref"
        " and t.person_ref = c.person_ref) order by c.person_ref, c.confirmation_ref desc limit %(limit)s)"
        " order by person_ref limit %(limit)s) l left join resident r on r.person_ref = l.person_ref"
        " order by l.person_ref",
        {"incident": incident_ref, "after": after, "limit": limit},
    )
    cases = cases_among(read, incident_ref, [row[0] for row in rows])
    cases |= doubled_store.doubled(read, incident_ref) | doubled_store.cases_otherwise(read, incident_ref)
    return [Listed(PersonRef(row[0]), Tier(row[1]), row[2], row[3], row[4], is_case=row[0] in cases) for row in rows]


def cases_among(read: Read, incident_ref: int, persons: Sequence[int]) -> set[int]:
    """Which of these people are cases of the incident."""
    rows = read.rows(
        "select person_ref from incident_case where incident_ref = %s and person_ref = any(%s)"
        " and withdrawn_at is null",
        (incident_ref, list(persons)),
    )
    return {row[0] for row in rows}


def no_longer_listed(read: Read, incident_ref: int, limit: int) -> list[tuple[PersonRef, str]]:
    """Who is still followed though they are off the list, and why: `became_case`, `merged`, `dropped`, `withdrawn`."""
    rows = read.rows(
        "select f.person_ref, case when c.person_ref is not null or f.person_ref = any(%(cases)s::bigint[])"
        " then 'became_case' when f.person_ref = any(%(doubled)s::bigint[]) then 'merged'"
        " when t.person_ref is not null then 'dropped' else 'withdrawn' end"
        " from followup f"
        " left join traced t on t.incident_ref = f.incident_ref and t.person_ref = f.person_ref"
        " left join incident_case c on c.incident_ref = f.incident_ref and c.person_ref = f.person_ref"
        " and c.withdrawn_at is null"
        " where f.incident_ref = %(incident)s and f.closed_at is null and (c.person_ref is not null"
        " or f.person_ref = any(%(cases)s::bigint[]) or f.person_ref = any(%(doubled)s::bigint[])"
        " or (t.person_ref is not null and t.state <> 'confirmed')"
        " or (t.person_ref is null and not exists (select from contact_confirmed k"
        " where k.incident_ref = f.incident_ref and k.person_ref = f.person_ref and k.withdrawn_at is null)))"
        " order by f.person_ref limit %(limit)s",
        {
            "incident": incident_ref,
            "limit": limit,
            "cases": sorted(doubled_store.cases_otherwise(read, incident_ref)),
            "doubled": sorted(doubled_store.doubled(read, incident_ref)),
        },
    )
    return [(PersonRef(person), reason) for person, reason in rows]


def follow_ups(write: Write, incident_ref: int, persons: Sequence[PersonRef]) -> dict[PersonRef, FollowUp]:
    """The follow-ups of these people in this incident, closed ones too, locked until the transaction ends."""
    rows = write.rows(
        _FOLLOWED + " where incident_ref = %s and person_ref = any(%s) order by person_ref for update",
        (incident_ref, list(persons)),
    )
    return {found.person: found for found in map(_follow_up, rows)}


def follow_up(read: Read, incident_ref: int, person: PersonRef) -> FollowUp | None:
    """One follow-up."""
    row = read.row(_FOLLOWED + " where incident_ref = %s and person_ref = %s", (incident_ref, person))
    return None if row is None else _follow_up(row)


def responsible(read: Read, persons: Sequence[PersonRef]) -> dict[PersonRef, str]:
    """The county that follows each of these people now, in whatever incident."""
    rows = read.rows(
        "select distinct on (person_ref) person_ref, place from followup"
        " where person_ref = any(%s) and closed_at is null order by person_ref, designated_at",
        (list(persons),),
    )
    return {PersonRef(person): place for person, place in rows}


def put_follow_ups(write: Write, rows: Sequence[FollowUp]) -> None:
    """Write these follow-ups, over what was there."""
    write.execute_many(
        "insert into followup (incident_ref, person_ref, tier, setting, last_exposure, designated_at, place, rules,"
        " plan_hash, assignee, ends_on, closed_at, closed_reason)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (incident_ref, person_ref) do update set tier = excluded.tier, setting = excluded.setting,"
        " last_exposure = excluded.last_exposure, designated_at = excluded.designated_at, place = excluded.place,"
        " rules = excluded.rules, plan_hash = excluded.plan_hash, assignee = excluded.assignee,"
        " ends_on = excluded.ends_on, closed_at = excluded.closed_at, closed_reason = excluded.closed_reason",
        [
            (
                row.incident_ref,
                row.person,
                row.tier.value,
                row.setting,
                row.last_exposure,
                row.designated_at,
                row.place,
                row.rules,
                row.plan_hash,
                row.assignee,
                row.ends_on,
                row.closed_at,
                row.closed_reason,
            )
            for row in rows
        ],
    )


def begin_county(write: Write, rows: Sequence[tuple[int, PersonRef, str, datetime]]) -> None:
    """From now on this county answers for the person: incident, person, county, since."""
    write.execute_many(
        "insert into followup_county (incident_ref, person_ref, place, since) values (%s, %s, %s, %s)", rows
    )


def end_county(write: Write, incident_ref: int, persons: Sequence[PersonRef], at: datetime) -> None:
    """The county that answers for these people no longer does."""
    write.execute(
        "update followup_county set until = %s where incident_ref = %s and person_ref = any(%s) and until is null",
        (at, incident_ref, list(persons)),
    )


def counties_of(read: Read, incident_ref: int, person: PersonRef) -> list[tuple[str, datetime, datetime | None]]:
    """Which county answered for this person from when until when, in order."""
    return [
        (place, since, until)
        for place, since, until in read.rows(
            "select place, since, until from followup_county where incident_ref = %s and person_ref = %s"
            " order by county_ref",
            (incident_ref, person),
        )
    ]


def close(write: Write, incident_ref: int, persons: Sequence[PersonRef], *, reason: str, at: datetime) -> int:
    """Close these follow-ups, cancel their open tasks and take back what is offered; how many tasks."""
    write.execute(
        "update followup set closed_at = %s, closed_reason = %s"
        " where incident_ref = %s and person_ref = any(%s) and closed_at is null",
        (at, reason, incident_ref, list(persons)),
    )
    end_county(write, incident_ref, persons, at)
    write.execute(
        "update handover_person set state = 'refused', reason = %s, decided_at = %s, decided_by = 'system'"
        " where incident_ref = %s and person_ref = any(%s) and state = 'asked'",
        (reason, at, incident_ref, list(persons)),
    )
    return write.execute(
        "update followup_task set state = 'cancelled', reason = %s, changed_at = %s"
        " where incident_ref = %s and person_ref = any(%s) and state in ('planned', 'assigned')",
        (reason, at, incident_ref, list(persons)),
    )


def held(read: Read, incident_ref: int, persons: Sequence[PersonRef]) -> dict[PersonRef, list[Held]]:
    """The tasks of these people that were not cancelled."""
    found: dict[PersonRef, list[Held]] = {person: [] for person in persons}
    rows = read.rows(
        "select person_ref, task_ref, kind, on_day, stage, state, due_from, due_until, day from followup_task"
        " where incident_ref = %s and person_ref = any(%s) and state <> 'cancelled'",
        (incident_ref, list(persons)),
    )
    for person, task_ref, kind, on, stage, state, due_from, due_until, day in rows:
        found[PersonRef(person)].append(
            Held(
                task_ref=task_ref,
                kind=TaskKind(kind),
                on=on,
                stage=IsolationStage(stage),
                state=TaskState(state),
                due_from=due_from,
                due_until=due_until,
                day=day,
            )
        )
    return found


def insert_tasks(write: Write, rows: Iterable[tuple[FollowUp, Wanted]], at: datetime) -> int:
    """New tasks, for whoever the person is assigned to; how many."""
    return write.copy(
        "copy followup_task (incident_ref, person_ref, kind, stage, on_day, day, due_from, due_until, place, state,"
        " assignee, changed_at) from stdin",
        (
            (
                owner.incident_ref,
                owner.person,
                task.kind.value,
                task.stage.value,
                task.on,
                task.day,
                task.due_from,
                task.due_until,
                owner.place,
                "planned" if owner.assignee is None else "assigned",
                owner.assignee,
                at,
            )
            for owner, task in rows
        ),
    )


def cancel(write: Write, tasks: Sequence[int], *, reason: str, at: datetime) -> int:
    """Cancel these tasks if they are open; how many were."""
    return write.execute(
        "update followup_task set state = 'cancelled', reason = %s, changed_at = %s"
        " where task_ref = any(%s) and state in ('planned', 'assigned')",
        (reason, at, list(tasks)),
    )


def shift(write: Write, rows: Iterable[tuple[int, Wanted]], at: datetime) -> None:
    """Give open tasks other hours, another day number or stage."""
    write.execute_many(
        "update followup_task set due_from = %s, due_until = %s, day = %s, stage = %s, changed_at = %s"
        " where task_ref = %s and state in ('planned', 'assigned')",
        [(task.due_from, task.due_until, task.day, task.stage.value, at, number) for number, task in rows],
    )


def met_on(read: Read, incident_ref: int, persons: Sequence[PersonRef]) -> dict[PersonRef, list[date]]:
    """The days (Shanghai) on which somebody met or reached each person, unanswered calls not counted."""
    found: dict[PersonRef, list[date]] = {person: [] for person in persons}
    for person, day in read.rows(
        "select distinct person_ref, (done_at at time zone 'Asia/Shanghai')::date from followup_task"
        " where incident_ref = %s and person_ref = any(%s) and state = 'done' and outcome <> 'no_answer'",
        (incident_ref, list(persons)),
    ):
        found[PersonRef(person)].append(day)
    return found


def task(write: Write, task_ref: int) -> Task | None:
    """One task, locked until the transaction ends."""
    row = write.row(TASK + " where task_ref = %s for update", (task_ref,))
    return None if row is None else task_of(row)


def set_done(write: Write, rows: Iterable[tuple[int, str, datetime, str, int | None]], at: datetime) -> None:
    """Tasks that are done: number, outcome, when, by whom, by which statement of the ledger."""
    write.execute_many(
        "update followup_task set state = 'done', outcome = %s, done_at = %s, done_by = %s, evidence_id = %s,"
        " reason = null, changed_at = %s where task_ref = %s",
        [(outcome, done_at, by, evidence, at, number) for number, outcome, done_at, by, evidence in rows],
    )


def set_undone(write: Write, tasks: Sequence[int], at: datetime) -> None:
    """What closed these tasks was withdrawn: they are open again, or missed if their time is over."""
    write.execute(
        "update followup_task set state = case when due_until <= %(at)s then 'missed' when assignee is null"
        " then 'planned' else 'assigned' end, outcome = null, done_at = null, done_by = null, evidence_id = null,"
        " changed_at = %(at)s where task_ref = any(%(tasks)s) and state = 'done'",
        {"at": at, "tasks": list(tasks)},
    )


def set_lost(write: Write, task_ref: int, *, reason: str, by: str, at: datetime) -> None:
    """The person was not found."""
    write.execute(
        "update followup_task set state = 'lost', reason = %s, done_by = %s, changed_at = %s where task_ref = %s",
        (reason, by, at, task_ref),
    )


def set_missed(write: Write, at: datetime, limit: int) -> int:
    """Mark up to `limit` open tasks whose time is over; how many."""
    return write.execute(
        "update followup_task set state = 'missed', changed_at = %(at)s where task_ref in"
        " (select task_ref from followup_task where state in ('planned', 'assigned') and due_until <= %(at)s"
        " order by due_until limit %(limit)s for update skip locked)",
        {"at": at, "limit": limit},
    )


def with_tests_due(read: Read, incident_ref: int, after: int, limit: int, at: datetime) -> list[PersonRef]:
    """People with a test or a move to quarantine that began, by number after `after`; closed follow-ups left out."""
    rows = read.rows(
        "select distinct t.person_ref from followup_task t join followup f using (incident_ref, person_ref)"
        " where t.incident_ref = %s and t.person_ref > %s and t.kind in ('test', 'move') and t.state <> 'cancelled'"
        " and t.due_from <= %s and f.closed_at is null order by t.person_ref limit %s",
        (incident_ref, after, at, limit),
    )
    return [PersonRef(row[0]) for row in rows]


def closed_by_ledger(read: Read, incident_ref: int, persons: Sequence[PersonRef]) -> dict[int, int]:
    """Which tasks of these people were closed by which statement of the ledger."""
    rows = read.rows(
        "select task_ref, evidence_id from followup_task where incident_ref = %s and person_ref = any(%s)"
        " and state = 'done' and evidence_id is not null",
        (incident_ref, list(persons)),
    )
    return dict(rows)


def _follow_up(row: tuple[Any, ...]) -> FollowUp:
    return FollowUp(
        incident_ref=row[0],
        person=PersonRef(row[1]),
        tier=Tier(row[2]),
        setting=row[3],
        last_exposure=row[4],
        designated_at=row[5],
        place=row[6],
        rules=row[7],
        plan_hash=bytes(row[8]),
        assignee=row[9],
        ends_on=row[10],
        closed_at=row[11],
        closed_reason=row[12],
    )


def task_of(row: tuple[Any, ...]) -> Task:
    """The task of a row of `TASK`."""
    return Task(
        task_ref=row[0],
        incident_ref=row[1],
        person=PersonRef(row[2]),
        kind=TaskKind(row[3]),
        stage=IsolationStage(row[4]),
        on=row[5],
        day=row[6],
        due_from=row[7],
        due_until=row[8],
        place=row[9],
        state=TaskState(row[10]),
        assignee=row[11],
        outcome=row[12],
        reason=row[13],
        done_at=row[14],
        done_by=row[15],
    )
