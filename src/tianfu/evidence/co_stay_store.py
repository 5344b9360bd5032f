"""SQL by which the ledger keeps the table of stays in step with what stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from tianfu.evidence.co_stays import CoStay
from tianfu.platform import binary
from tianfu.platform.database import Write

# People of one statement: two arrays of a batch, 0.8 MB.
_AT_ONCE: Final = 50_000


class StatedStay(NamedTuple):
    """A stay, and the statement that gives it."""

    person: int
    evidence_id: int
    strong: bool
    stay: CoStay


def insert(write: Write, rows: Sequence[StatedStay]) -> None:
    """Note stays."""
    write.copy(
        "copy co_stay (place, begins_at, ends_at, person_ref, kind, seat_row, strong, evidence_id) from stdin",
        (
            (stay.place, stay.begins_at, stay.ends_at, person, stay.kind.value, stay.row, strong, evidence_id)
            for person, evidence_id, strong, stay in rows
        ),
    )


def delete(write: Write, statements: Sequence[tuple[int, int]]) -> None:
    """Forget the stays that these statements (person and evidence number) gave."""
    for start in range(0, len(statements), _AT_ONCE):
        part = statements[start : start + _AT_ONCE]
        write.execute(
            """
            delete from co_stay using unnest(%s::bigint[], %s::bigint[]) as gone (person_ref, evidence_id)
            where co_stay.person_ref = gone.person_ref and co_stay.evidence_id = gone.evidence_id
            """,
            (binary.bigints([person for person, _ in part]), binary.bigints([number for _, number in part])),
        )
