"""SQL by which the ledger keeps the table of stays in step with what stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final, NamedTuple

from tianfu.evidence.co_stays import CoStay, StayKind
from tianfu.platform import binary
from tianfu.platform.database import Write

# People of one statement: two arrays of a batch, 0.8 MB.
_AT_ONCE: Final = 50_000

# Number of columns and the place; the person; the row of seats, whether it is strong, and the statement.
_ROW_BEGIN: Final = Struct(">hi16s")
_PERSON: Final = Struct(">ii")
_ROW_END: Final = Struct(">ihi?iq")
_COLUMNS: Final = 8
_KINDS: Final = {kind: binary.text(kind.value) for kind in StayKind}


class StatedStay(NamedTuple):
    """A stay, and the statement that gives it."""

    person: int
    evidence_id: int
    strong: bool
    stay: CoStay


def insert(write: Write, rows: Sequence[StatedStay]) -> None:
    """Note stays."""
    write.copy_binary(
        """
        copy co_stay (place, begins_at, ends_at, person_ref, kind, seat_row, strong, evidence_id)
        from stdin (format binary)
        """,
        list(_packed(rows)),
    )


def delete(write: Write, statements: Sequence[tuple[int, int]]) -> list[tuple[int, CoStay]]:
    """Forget the stays that these statements (person and evidence number) gave: whose they were, and which."""
    gone: list[tuple[int, CoStay]] = []
    for start in range(0, len(statements), _AT_ONCE):
        part = statements[start : start + _AT_ONCE]
        rows = write.rows(
            """
            delete from co_stay using unnest(%s::bigint[], %s::bigint[]) as gone (person_ref, evidence_id)
            where co_stay.person_ref = gone.person_ref and co_stay.evidence_id = gone.evidence_id
            returning co_stay.person_ref, kind, place, seat_row, begins_at, ends_at
            """,
            (binary.bigints([person for person, _ in part]), binary.bigints([number for _, number in part])),
        )
        gone.extend((row[0], CoStay(StayKind(row[1]), *row[2:])) for row in rows)
    return gone


def _packed(rows: Sequence[StatedStay]) -> Iterator[bytes]:
    """The rows in the order of the columns of `insert`."""
    instant, join = binary.remembered_instants(), b"".join
    for person, evidence_id, strong, stay in rows:
        yield join(
            (
                _ROW_BEGIN.pack(_COLUMNS, 16, stay.place.bytes),
                instant(stay.begins_at),
                instant(stay.ends_at),
                _PERSON.pack(4, person),
                _KINDS[stay.kind],
                _ROW_END.pack(2, stay.row, 1, strong, 8, evidence_id),
            )
        )
