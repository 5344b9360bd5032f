"""SQL of confirmations and of what the field judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, LiteralString, NamedTuple

from tianfu.ids import EvidenceId
from tianfu.platform import binary
from tianfu.platform.database import Read, Write


class Chosen(NamedTuple):
    """Somebody whose result may become evidence. `case_ref` is the case that first exposed them."""

    person_ref: int
    tier: str
    setting: str
    hop: int
    parent_ref: int
    place: str | None
    case_ref: int
    last_exposure_at: datetime


class ConfirmationRow(NamedTuple):
    """A confirmation as stored."""

    confirmation_ref: int
    incident_ref: int
    tiers: list[str]
    run_ref: int | None
    person_ref: int | None
    people: int
    people_sum: int
    state: str
    stated_by: str
    stated_at: datetime
    approved_by: str | None
    decided_at: datetime | None
    asked_back_by: str | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawal_approved_by: str | None


class Found(NamedTuple):
    """What the field found: the tier (None: no contact), on what ground, the last exposure, what it rests on."""

    tier: str | None
    setting: str | None
    exposed_at: datetime | None
    reason: str


class Which(NamedTuple):
    """Whose results: of an incident, of these tiers, on the list of that run (None: all), one person (None: all)."""

    incident_ref: int
    tiers: Sequence[str]
    run_ref: int | None
    person_ref: int | None


# What the field judged last goes before what the engine found. Who stays in one home goes on being exposed until the
# case is isolated. Who is confirmed already with the same words has nothing to be confirmed.
_BEGIN: Final = """
    from (
        select base.person_ref, base.hop, base.parent_ref, base.place,
               case when judged.judgement_ref is null then base.tier else judged.tier end as tier,
               coalesce(judged.setting, base.setting) as setting,
               coalesce(support.case_ref, base.parent_ref) as case_ref,
               coalesce(
                   judged.exposed_at,
                   greatest(base.exposed_at, support.latest,
                            case when base.setting in ('household', 'care') then isolated.at end)
               ) as last_exposure_at
        from (
"""
_TRACED: Final = """
    select t.incident_ref, t.person_ref, t.tier, t.setting, t.hop, t.parent_ref, t.place, t.exposed_at
    from traced t
    where t.incident_ref = %(incident)s and t.state <> 'dropped' and t.person_ref > %(after)s
      and (%(person)s::integer is null or t.person_ref = %(person)s)
"""
# Whom the field found though no trace did: contacts of the incident's first case until somebody knows better.
_JUDGED: Final = """
    select j.incident_ref, j.person_ref, null::text as tier, 'other' as setting, 1 as hop,
           first.person_ref as parent_ref, null::text as place, max(j.at) as exposed_at
    from field_judgement j
    cross join (
        select c.person_ref from incident_case c
        where c.incident_ref = %(incident)s and c.withdrawn_at is null
        order by c.infectious_from, c.person_ref limit 1
    ) first
    where j.incident_ref = %(incident)s and j.person_ref > %(after)s
      and (%(person)s::integer is null or j.person_ref = %(person)s)
      and not exists (
          select from traced t where t.incident_ref = j.incident_ref and t.person_ref = j.person_ref
      )
    group by j.incident_ref, j.person_ref, first.person_ref
"""
_END: Final = """
        ) base
        left join lateral (
            select j.judgement_ref, j.tier, j.setting, j.exposed_at from field_judgement j
            where j.incident_ref = base.incident_ref and j.person_ref = base.person_ref
            order by j.judgement_ref desc limit 1
        ) judged on true
        left join lateral (
            select (array_agg(s.case_ref order by s.exposed_at, s.case_ref))[1] as case_ref,
                   max(s.exposed_at) as latest
            from trace_support s
            where s.incident_ref = base.incident_ref and s.person_ref = base.person_ref
        ) support on true
        left join lateral (
            select max(c.infectious_to) as at
            from trace_support s join incident_case c
                on c.incident_ref = s.incident_ref and c.person_ref = s.case_ref
            where s.incident_ref = base.incident_ref and s.person_ref = base.person_ref and s.hop = 1
              and c.infectious_to <= %(at)s
        ) isolated on true
        where %(run)s::integer is null or exists (
            select from screened d where d.run_ref = %(run)s and d.person_ref = base.person_ref and d.listed
        )
    ) chosen
    where chosen.tier = any(%(tiers)s)
      and not exists (
          select from (
              select c.tier, c.setting, c.last_exposure_at from contact_confirmed c
              where c.incident_ref = %(incident)s and c.person_ref = chosen.person_ref and c.withdrawn_at is null
              order by c.confirmation_ref desc limit 1
          ) live
          where live.tier = chosen.tier and live.setting = chosen.setting
            and live.last_exposure_at = chosen.last_exposure_at
      )
"""
# The sum says whether they are the same people with the same words, in whatever order they are read.
_SUM: Final = """
    select count(*), coalesce(bit_xor(hashtextextended(
        concat_ws('/', chosen.person_ref, chosen.tier, chosen.setting, chosen.last_exposure_at), 0)), 0)
"""
_ROWS: Final = """
    select chosen.person_ref, chosen.tier, chosen.setting, chosen.hop, chosen.parent_ref, chosen.place,
           chosen.case_ref, chosen.last_exposure_at
"""
_PAGE: Final = " order by chosen.person_ref limit %(limit)s"
_SUMS: Final[tuple[LiteralString, ...]] = (_SUM + _BEGIN + _TRACED + _END, _SUM + _BEGIN + _JUDGED + _END)
_PAGES: Final[tuple[LiteralString, ...]] = (
    _ROWS + _BEGIN + _TRACED + _END + _PAGE,
    _ROWS + _BEGIN + _JUDGED + _END + _PAGE,
)
_CONFIRMATIONS: Final = """
    select confirmation_ref, incident_ref, tiers, run_ref, person_ref, people, people_sum, state, stated_by, stated_at,
           approved_by, decided_at, asked_back_by, withdrawn_by, withdrawn_at, withdrawal_approved_by
    from contact_confirmation
"""


def count(read: Read, which: Which, at: datetime) -> tuple[int, int]:
    """How many would be confirmed now, and a sum over who they are and what would be said of them."""
    people = total = 0
    for statement in _SUMS:
        counted, part = read.row(statement, _parameters(which, at, after=0)) or (0, 0)
        people += counted
        total ^= part
    return people, total


def following(read: Read, which: Which, at: datetime, *, limit: int) -> Iterator[list[Chosen]]:
    """Those that `count` counts, at most `limit` at once: the traced by number, then whom only the field found.

    Each part is asked for when the one before has been dealt with.
    """
    for statement in _PAGES:
        after = 0
        while rows := read.rows(statement, _parameters(which, at, after=after) | {"limit": limit}):
            yield [Chosen._make(row) for row in rows]
            after = rows[-1][0]


def insert(write: Write, which: Which, *, counted: tuple[int, int], stated_by: str, at: datetime) -> int:
    """A confirmation that waits; its number."""
    number: int = write.value(
        "insert into contact_confirmation (incident_ref, tiers, run_ref, person_ref, people, people_sum, state,"
        " stated_by, stated_at) values (%s, %s, %s, %s, %s, %s, 'waiting', %s, %s) returning confirmation_ref",
        (which.incident_ref, list(which.tiers), which.run_ref, which.person_ref, *counted, stated_by, at),
    )
    return number


def lock(write: Write, incident_ref: int, confirmation_ref: int) -> ConfirmationRow | None:
    """A confirmation of this incident, once nobody else decides about it; None when there is none of that number."""
    row = write.row(
        _CONFIRMATIONS + " where incident_ref = %s and confirmation_ref = %s for update",
        (incident_ref, confirmation_ref),
    )
    return None if row is None else ConfirmationRow._make(row)


def lock_incident(write: Write, incident_ref: int) -> None:
    """Wait until nobody else confirms for this incident: what is confirmed is looked at and written by one."""
    write.execute("select from incident where incident_ref = %s for no key update", (incident_ref,))


def confirmation(read: Read, incident_ref: int, confirmation_ref: int) -> ConfirmationRow | None:
    """A confirmation of this incident; None when there is none of that number."""
    row = read.row(
        _CONFIRMATIONS + " where incident_ref = %s and confirmation_ref = %s", (incident_ref, confirmation_ref)
    )
    return None if row is None else ConfirmationRow._make(row)


def confirmations(read: Read, incident_ref: int, limit: int) -> list[ConfirmationRow]:
    """Up to `limit` confirmations of an incident, newest first."""
    rows = read.rows(
        _CONFIRMATIONS + " where incident_ref = %s order by confirmation_ref desc limit %s", (incident_ref, limit)
    )
    return [ConfirmationRow._make(row) for row in rows]


def finish(write: Write, confirmation_ref: int, *, people: int, approved_by: str | None, at: datetime) -> None:
    """A confirmation is carried out."""
    write.execute(
        "update contact_confirmation set state = 'done', people = %s, approved_by = %s, decided_at = %s"
        " where confirmation_ref = %s",
        (people, approved_by, at, confirmation_ref),
    )


def insert_confirmed(
    write: Write, confirmation_ref: int, incident_ref: int, rows: Sequence[tuple[Chosen, EvidenceId]]
) -> None:
    """These people are confirmed by these statements."""
    write.copy(
        "copy contact_confirmed (confirmation_ref, incident_ref, person_ref, evidence_id, tier, setting,"
        " last_exposure_at) from stdin",
        (
            (confirmation_ref, incident_ref, who.person_ref, number, who.tier, who.setting, who.last_exposure_at)
            for who, number in rows
        ),
    )
    write.execute(
        "update traced set state = 'confirmed' where incident_ref = %s and person_ref = any(%s::bigint[])",
        (incident_ref, binary.bigints(who.person_ref for who, _ in rows)),
    )


def confirmed_after(read: Read, confirmation_ref: int, *, after: int, limit: int) -> list[tuple[int, EvidenceId]]:
    """Up to `limit` people of a confirmation above `after` who were not withdrawn: person and statement."""
    rows = read.rows(
        "select person_ref, evidence_id from contact_confirmed"
        " where confirmation_ref = %s and person_ref > %s and withdrawn_at is null order by person_ref limit %s",
        (confirmation_ref, after, limit),
    )
    return [(row[0], EvidenceId(row[1])) for row in rows]


def confirmed_statements(read: Read, incident_ref: int, person_ref: int) -> list[EvidenceId]:
    """The statements that confirm one person in an incident and were not withdrawn."""
    rows = read.rows(
        "select evidence_id from contact_confirmed"
        " where incident_ref = %s and person_ref = %s and withdrawn_at is null",
        (incident_ref, person_ref),
    )
    return [EvidenceId(row[0]) for row in rows]


def release(
    write: Write, incident_ref: int, persons: Sequence[int], *, confirmation_ref: int | None, at: datetime
) -> None:
    """These people's confirmations (all, or the one) are withdrawn; who has no other is proposed again."""
    write.execute(
        "update contact_confirmed set withdrawn_at = %s"
        " where incident_ref = %s and person_ref = any(%s::bigint[]) and withdrawn_at is null"
        " and (%s::integer is null or confirmation_ref = %s)",
        (at, incident_ref, binary.bigints(persons), confirmation_ref, confirmation_ref),
    )
    write.execute(
        """
        update traced set state = 'proposed'
        where incident_ref = %s and person_ref = any(%s::bigint[]) and state = 'confirmed'
          and not exists (
              select from contact_confirmed c
              where c.incident_ref = traced.incident_ref and c.person_ref = traced.person_ref
                and c.withdrawn_at is null
          )
        """,
        (incident_ref, binary.bigints(persons)),
    )
    # Who has left the list must not come back to it as confirmed.
    write.execute(
        """
        delete from trace_decision d
        where d.incident_ref = %s and d.person_ref = any(%s::bigint[]) and d.state = 'confirmed'
          and not exists (
              select from contact_confirmed c
              where c.incident_ref = d.incident_ref and c.person_ref = d.person_ref and c.withdrawn_at is null
          )
        """,
        (incident_ref, binary.bigints(persons)),
    )


def ask_back(write: Write, confirmation_ref: int, by: str) -> None:
    """Somebody asks that a confirmation of many be withdrawn."""
    write.execute(
        "update contact_confirmation set asked_back_by = %s where confirmation_ref = %s", (by, confirmation_ref)
    )


def finish_withdrawal(
    write: Write, confirmation_ref: int, *, by: str, approved_by: str | None, reason: str, at: datetime
) -> None:
    """A confirmation is withdrawn."""
    write.execute(
        "update contact_confirmation set state = 'withdrawn', withdrawn_by = %s, withdrawn_at = %s, reason = %s,"
        " withdrawal_approved_by = %s where confirmation_ref = %s",
        (by, at, reason, approved_by, confirmation_ref),
    )


def insert_judgement(write: Write, incident_ref: int, person_ref: int, found: Found, by: str, at: datetime) -> int:
    """A judgement of the field; its number. Who was traced is dropped by no contact, and proposed again by a tier."""
    tier = found.tier
    number: int = write.value(
        "insert into field_judgement (incident_ref, person_ref, tier, setting, exposed_at, reason, at, judged_by)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) returning judgement_ref",
        (incident_ref, person_ref, tier, found.setting, found.exposed_at, found.reason, at, by),
    )
    write.execute(
        "update traced set state = case when %s::text is null then 'dropped' else 'proposed' end"
        " where incident_ref = %s and person_ref = %s and (%s::text is null or state = 'dropped')",
        (tier, incident_ref, person_ref, tier),
    )
    return number


def judgement_of(read: Read, incident_ref: int, person_ref: int) -> tuple[str | None, str, datetime, str] | None:
    """The latest judgement on a person: tier, reason, when, by whom."""
    row = read.row(
        "select tier, reason, at, judged_by from field_judgement where incident_ref = %s and person_ref = %s"
        " order by judgement_ref desc limit 1",
        (incident_ref, person_ref),
    )
    return None if row is None else (row[0], row[1], row[2], row[3])


def known(read: Read, incident_ref: int, person_ref: int) -> bool:
    """Whether the incident has anything on a person: traced, or named by a source of one of its screenings."""
    return bool(
        read.value(
            """
            select exists (select from traced where incident_ref = %(incident)s and person_ref = %(person)s)
                or exists (
                    select from screened d
                    join screening_run r on r.run_ref = d.run_ref
                    join screening s on s.screening_ref = r.screening_ref
                    where s.incident_ref = %(incident)s and d.person_ref = %(person)s
                )
            """,
            {"incident": incident_ref, "person": person_ref},
        )
    )


def _parameters(which: Which, at: datetime, *, after: int) -> dict[str, object]:
    return {
        "incident": which.incident_ref,
        "tiers": list(which.tiers),
        "run": which.run_ref,
        "person": which.person_ref,
        "after": after,
        "at": at,
    }
