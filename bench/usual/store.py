"""The tables and statements of the comparison: one row a person, one a venue, one a visit; one statement a request."""

from __future__ import annotations

import asyncpg

SCHEMA = """
create table person (
    person_id bigint primary key,
    colour text not null,
    popup text not null,
    reason text not null,
    rule_set integer not null,
    test_result text,
    sampled_at bigint
);
create table venue (
    venue_id bytea primary key,
    venue_ref bigint not null,
    generation integer not null,
    is_open boolean not null,
    name text not null,
    category text not null,
    district text not null
);
create table visit (
    visit_id bigint generated always as identity primary key,
    person_id bigint not null,
    venue_ref bigint not null,
    checked_by bigint,
    colour text not null,
    nonce bytea,
    code_id bytea,
    happened_at timestamptz not null default now()
);
create index visit_person on visit (person_id, happened_at);
create index visit_venue on visit (venue_ref, happened_at);
create unique index visit_code on visit (code_id) where code_id is not null;
"""

PEOPLE = """
insert into person
select number, 'green', '', 'none', 1, 'negative', extract(epoch from now())::bigint - number % 2880 * 60
from generate_series(1, $1::bigint) as number
"""

VENUE = "insert into venue values ($1, $2, 1, true, $3, $4, $5)"

STATUS = "select colour, popup, reason, rule_set, test_result, sampled_at from person where person_id = $1"

SCAN = """
with place as (
    select venue_ref, name, category, district from venue where venue_id = $2 and is_open
), visited as (
    insert into visit (person_id, venue_ref, colour, nonce)
    select p.person_id, place.venue_ref, p.colour, $3 from person p, place where p.person_id = $1
)
select p.colour, p.popup, p.reason, p.rule_set, p.test_result, p.sampled_at,
       place.venue_ref, place.name, place.category, place.district
from person p, place where p.person_id = $1
"""

CHECK = """
with visited as (
    insert into visit (person_id, venue_ref, checked_by, colour, code_id)
    select person_id, $2, $3, colour, $4 from person where person_id = $1
    on conflict (code_id) where code_id is not null do nothing
    returning visit_id
)
select colour, popup, reason, rule_set, test_result, sampled_at, exists (select from visited) as is_first
from person where person_id = $1
"""


async def fill(url: str, people: int, venues: list[tuple[bytes, str, str, str]]) -> None:
    """Make the tables and put everybody in, with fresh statistics and a checkpoint behind."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA)
        await connection.execute(PEOPLE, people)
        rows = [(venue_id, number, *words) for number, (venue_id, *words) in enumerate(venues, 1)]
        await connection.executemany(VENUE, rows)
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
