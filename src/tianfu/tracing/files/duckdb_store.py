"""The same definition as joins in DuckDB, hop by hop; it shares the reading and the writing with the arrays."""

from __future__ import annotations

import duckdb

from tianfu.tracing.files.model import Job, Tell
from tianfu.tracing.files.workspace import Workspace

_FIRST_STARTS = """
create or replace table starts as
select distinct visits.person, visits.venue, visits.minute
from visits join cases on visits.person = cases.person and visits.minute >= cases.since and visits.minute < cases.until
"""
# Parameters: the hop of the contacts whose visits these are.
_NEXT_STARTS = """
create or replace table starts as
select visits.person, visits.venue, visits.minute
from visits join found on visits.person = found.person and visits.minute >= found.minute
where found.hop = $hop and visits.minute < (select max(until) from cases)
group by all
"""
_OTHERS = """
create or replace table others as
select distinct visits.person, visits.venue, visits.minute
from visits semi join (select distinct venue from starts) places using (venue)
where visits.person not in (select person from cases) and visits.person not in (select person from found)
"""
_MEET = """
insert into found
select person, $hop, first.minute, first.source, first.venue
from (
    select others.person, min({{
        'minute': greatest(starts.minute, others.minute), 'source': starts.person, 'venue': starts.venue
    }}) as first
    from starts join others
        on starts.venue = others.venue
        and others.minute between starts.minute - {reach} and starts.minute + {reach}
    group by others.person
)
"""


def trace(workspace: Workspace, job: Job, tell: Tell) -> None:
    """Fill the table `found` (made before, empty) from `visits` and `cases`."""
    connection = workspace.connection
    for hop in range(1, job.hops + 1):
        if hop == 1:
            connection.execute(_FIRST_STARTS)
        else:
            connection.execute(_NEXT_STARTS, {"hop": hop - 1})
        connection.execute(_OTHERS)
        people = _inserted(connection, hop, job.dwell_minutes - 1)
        tell(f"hop {hop}: {people:,} people")
        if not people:
            return


def _inserted(connection: duckdb.DuckDBPyConnection, hop: int, reach: int) -> int:
    row = connection.execute(_MEET.format(reach=reach), {"hop": hop}).fetchone()
    return int(row[0]) if row else 0
