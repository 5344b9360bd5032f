"""SQL of the places that were withheld from a list. Transactions belong to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tianfu.lake.layout import instant_of
from tianfu.platform import binary
from tianfu.platform.database import Read, Write
from tianfu.tracing.withheld import Withheld


def replace(write: Write, incident_ref: int, cases: Sequence[int], rows: Iterable[tuple[int, Withheld]]) -> None:
    """Make `rows` (case and place) all that is withheld from the list for `cases`."""
    write.execute(
        "delete from trace_withheld where incident_ref = %s and case_ref = any(%s::bigint[])",
        (incident_ref, binary.bigints(cases)),
    )
    write.copy(
        "copy trace_withheld (incident_ref, case_ref, place, kind, begins_at, ends_at, people) from stdin",
        [
            (
                incident_ref,
                case,
                one.place,
                one.kind.value,
                instant_of(one.begins),
                None if one.ends is None else instant_of(one.ends),
                one.people,
            )
            for case, one in rows
        ],
    )


def counts(read: Read, incident_ref: int) -> list[tuple[str, int, int]]:
    """By kind of stay: its word, how many places, and how many people there; a place of several cases counts once."""
    rows = read.rows(
        "select kind, count(*), sum(people)::bigint from (select kind, place, max(people) as people"
        " from trace_withheld where incident_ref = %s group by kind, place) as places group by kind order by kind",
        (incident_ref,),
    )
    return [(kind, places, people) for kind, places, people in rows]
