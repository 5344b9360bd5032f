"""SQL of messages that wait to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from tianfu.ids import PersonRef, VenueRef
from tianfu.platform.database import Read, Write
from tianfu.tracing.model import Tier


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A follow-up as a message tells of it; `announced` is the name of its place if that was announced."""

    person: PersonRef
    tier: Tier
    setting: str
    last_exposure: datetime
    tests: tuple[date, ...]
    announced: str | None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits: to a person, or about a place."""

    notice_ref: int
    incident_ref: int
    person: PersonRef | None
    venue: VenueRef | None
    form: str
    language: str
    text: str
    attempts: int


class Count(msgspec.Struct, frozen=True):
    """How many messages of an incident are in a state."""

    state: str
    count: int


def followed(
    read: Read, incident_ref: int, *, after: int, limit: int, persons: Sequence[PersonRef] | None = None
) -> list[Followed]:
    """People who are followed, by number after `after`, with the days of their tests."""
    rows = read.rows(
        "select f.person_ref, f.tier, f.setting, f.last_exposure,"
        " coalesce((select array_agg(k.on_day order by k.on_day)"
        " from followup_task k where k.incident_ref = f.incident_ref and k.person_ref = f.person_ref"
        " and k.kind = 'test' and k.state <> 'cancelled'), '{}'),"
        " (select v.name from venue v where v.venue_ref = t.venue_ref and exists (select from notice n"
        " where n.incident_ref = f.incident_ref and n.venue_ref = v.venue_ref and n.state in ('queued', 'sent')))"
        " from followup f left join traced t using (incident_ref, person_ref)"
        " where f.incident_ref = %s and f.person_ref > %s and f.closed_at is null"
        " and (%s::integer[] is null or f.person_ref = any(%s)) order by f.person_ref limit %s",
        (incident_ref, after, _or_none(persons), _or_none(persons), limit),
    )
    return [
        Followed(
            person=PersonRef(row[0]),
            tier=Tier(row[1]),
            setting=row[2],
            last_exposure=row[3],
            tests=tuple(row[4]),
            announced=row[5],
        )
        for row in rows
    ]


def announcements(read: Read, incident_ref: int) -> list[tuple[VenueRef, str, datetime, datetime]]:
    """Places of an incident to be announced: number, name, from, until."""
    rows = read.rows(
        "select a.venue_ref, v.name, a.begins_at, a.ends_at from place_announcement a join venue v using (venue_ref)"
        " where a.incident_ref = %s order by a.begins_at, a.venue_ref",
        (incident_ref,),
    )
    return [(VenueRef(venue), name, begins, ends) for venue, name, begins, ends in rows]


def queue(write: Write, rows: Sequence[tuple[Any, ...]]) -> int:
    """Put messages in line: incident, person, venue, form, language, text, digest, at, by. How many were new."""
    before = write.value("select coalesce(max(notice_ref), 0) from notice")
    write.execute_many(
        "insert into notice (incident_ref, person_ref, venue_ref, form, language, text, digest, queued_at, queued_by)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        rows,
    )
    added: int = write.value(
        "select count(*) from notice where notice_ref > %s and digest = any(%s)", (before, [row[6] for row in rows])
    )
    return added


def waiting(write: Write, after: int, limit: int) -> list[Notice]:
    """The next messages to send, by number after `after`, locked until the transaction ends.

    Those that another sender has are passed over.
    """
    rows = write.rows(
        "select notice_ref, incident_ref, person_ref, venue_ref, form, language, text, attempts from notice"
        " where state = 'queued' and notice_ref > %s order by notice_ref limit %s for update skip locked",
        (after, limit),
    )
    return [
        Notice(
            notice_ref=row[0],
            incident_ref=row[1],
            person=None if row[2] is None else PersonRef(row[2]),
            venue=None if row[3] is None else VenueRef(row[3]),
            form=row[4],
            language=row[5],
            text=row[6],
            attempts=row[7],
        )
        for row in rows
    ]


def set_state(write: Write, notice_ref: int, state: str, sent_at: datetime | None) -> None:
    """What became of an attempt."""
    write.execute(
        "update notice set state = %s, sent_at = %s, attempts = attempts + 1 where notice_ref = %s",
        (state, sent_at, notice_ref),
    )


def counts(read: Read, incident_ref: int) -> list[Count]:
    """Messages of an incident by state."""
    rows = read.rows(
        "select state, count(*) from notice where incident_ref = %s group by state order by state", (incident_ref,)
    )
    return [Count(state, count) for state, count in rows]


def unreachable(read: Read, incident_ref: int, after: int, limit: int) -> list[PersonRef]:
    """Whom no message can reach, because nobody knows a phone of theirs: to be called on."""
    rows = read.rows(
        "select distinct person_ref from notice where incident_ref = %s and state = 'unreachable' and person_ref > %s"
        " order by person_ref limit %s",
        (incident_ref, after, limit),
    )
    return [PersonRef(row[0]) for row in rows]


def _or_none(persons: Sequence[PersonRef] | None) -> list[int] | None:
    return None if persons is None else list(persons)
