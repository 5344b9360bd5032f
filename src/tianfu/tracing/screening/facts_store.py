"""SQL that gathers what the sources say for one incident: the traced, the carriers' lists, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tianfu.platform import binary
from tianfu.platform.database import Read


class CaseRow(NamedTuple):
    """A case of the incident: its person, from when on, and the department's key of it where there is one."""

    person: int
    infectious_from: datetime
    infectious_to: datetime | None
    key: str | None


def cases(read: Read, incident_ref: int) -> list[CaseRow]:
    """The cases of an incident that were not withdrawn."""
    rows = read.rows(
        """
        select c.person_ref, c.infectious_from, c.infectious_to, e.source_record
        from incident_case c left join evidence e on e.evidence_id = c.evidence_id
        where c.incident_ref = %s and c.withdrawn_at is null
        order by c.person_ref
        """,
        (incident_ref,),
    )
    return [CaseRow._make(row) for row in rows]


def supports(read: Read, incident_ref: int) -> Iterator[tuple[int, int, str, str, datetime, bool]]:
    """Whom the traces reached: person, hop, tier, setting, exposure, and whether by a venue."""
    return read.stream(
        """
        select person_ref, hop, tier, setting, exposed_at, venue_ref is not null
        from trace_support where incident_ref = %s
        """,
        (incident_ref,),
    )


def stays(read: Read, place: str, since: datetime, until: datetime) -> Iterator[tuple[int, float | None]]:
    """Who was in `place` (a prefix) by the carriers' lists: person, minutes of one stay, None when it has no end.

    Only stays that touch [`since`, `until`), that the ledger had received by `until` and that were not withdrawn.
    """
    return read.stream(
        """
        select s.person_ref,
               extract(epoch from least(s.ended_at, %(until)s) - greatest(s.began_at, %(since)s))::float8 / 60
        from stay_place s join evidence e on e.evidence_id = s.evidence_id
        where s.division like %(place)s || '%%' and s.began_at < %(until)s
          and (s.ended_at is null or s.ended_at > %(since)s)
          and e.source = 'telecom' and e.received_at <= %(until)s
          and not exists (
              select from evidence w
              where w.source = e.source and w.source_record = e.source_record and w.withdraws = e.evidence_id
          )
        """,
        {"place": place, "since": since, "until": until},
    )


def companions(read: Read, keys: Sequence[str], until: datetime) -> Iterator[tuple[int, datetime]]:
    """Whom the carriers list as companions of the cases with these keys: person and last exposure."""
    return read.stream(
        """
        select e.person_ref, (e.attributes ->> 'last_exposure_at')::timestamptz
        from evidence e
        where e.kind = 'contact' and e.source = 'telecom' and e.withdraws is null
          and e.attributes ->> 'case' = any(%s) and e.received_at <= %s
          and not exists (
              select from evidence later
              where later.source = e.source and later.source_record = e.source_record
                and (later.withdraws = e.evidence_id
                     or (later.withdraws is null
                         and (later.occurred_at, later.evidence_id) > (e.occurred_at, e.evidence_id)))
          )
        """,
        (list(keys), until),
    )


def statements(
    read: Read, persons: Sequence[int], until: datetime
) -> list[tuple[int, str, str | None, datetime | None]]:
    """Standing tests, doses and stays of `persons`: person, kind, word, instant.

    A negative counts by nucleic acid only. The word is a test's result, a dose's number, a stay's or arrival's
    division; the instant when it was sampled, given or began. Of a record the latest statement stands, as the ledger
    has it.
    """
    rows: list[Any] = read.rows(
        """
        select e.person_ref, e.kind,
               case e.kind when 'test' then e.attributes ->> 'result'
                           when 'vaccination' then e.attributes ->> 'dose'
                           when 'stay' then e.attributes ->> 'division'
                           else e.place::text end,
               case e.kind when 'test' then (e.attributes ->> 'sampled_at')::timestamptz
                           when 'vaccination' then (e.attributes ->> 'vaccinated_at')::timestamptz
                           when 'stay' then (e.attributes ->> 'began_at')::timestamptz
                           else (e.attributes ->> 'arrived_at')::timestamptz end
        from evidence e
        where e.person_ref = any(%s::bigint[]) and e.kind in ('test', 'vaccination', 'stay', 'arrival')
          and e.withdraws is null and e.received_at <= %s
          and (e.kind <> 'test' or e.attributes ->> 'result' = 'positive' or e.attributes ->> 'method' = 'nucleic_acid')
          and not exists (
              select from evidence later
              where later.source = e.source and later.source_record = e.source_record
                and later.evidence_id <> e.evidence_id
                and (later.withdraws = e.evidence_id
                     or (later.withdraws is null
                         and (later.occurred_at, later.evidence_id) > (e.occurred_at, e.evidence_id)
                         and not exists (
                             select from evidence gone
                             where gone.source = later.source and gone.source_record = later.source_record
                               and gone.withdraws = later.evidence_id)))
          )
        """,
        (binary.bigints(persons), until),
        binary=True,
    )
    return rows


def homes(read: Read, persons: Sequence[int]) -> list[tuple[int, str]]:
    """Where holders say they live: person and county."""
    return [
        (row[0], row[1])
        for row in read.rows(
            "select person_ref, district from resident where person_ref = any(%s::bigint[])",
            (binary.bigints(persons),),
        )
    ]


def judgements(read: Read, incident_ref: int, until: int) -> list[tuple[int, str | None]]:
    """The latest judgement of the field on each person, up to number `until`: person and tier, None for no contact."""
    return [
        (row[0], row[1])
        for row in read.rows(
            """
            select distinct on (person_ref) person_ref, tier from field_judgement
            where incident_ref = %s and judgement_ref <= %s
            order by person_ref, judgement_ref desc
            """,
            (incident_ref, until),
        )
    ]
