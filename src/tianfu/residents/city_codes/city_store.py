"""SQL of the old city codes' files: blocks, buckets, parts, rows set aside and conflicts.

Transactions belong to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec

from tianfu.platform.database import Read, Write
from tianfu.residents.city_codes.blocks import Block, Plan
from tianfu.residents.city_codes.parts import Part
from tianfu.residents.store import ResidentRow


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was begun, and where it stands."""

    file_id: int
    city: str
    size: int
    rows: int
    bucket_bits: int
    begun_at: datetime
    finished_at: datetime | None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file's rows so far. Each accepted row is, once settled, one of the five after it.

    `made` are new people, `known` people that a department knew, `updated` holders from an older registration of
    another city, `duplicates` rows that said nothing newer, `claimed` rows about people who hold a code already.
    """

    blocks: int
    blocks_done: int
    accepted: int
    set_aside: int
    buckets: int
    buckets_done: int
    made: int
    known: int
    updated: int
    duplicates: int
    claimed: int
    conflicts: int


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one bucket; as in `Counts`."""

    made: int = 0
    known: int = 0
    updated: int = 0
    duplicates: int = 0
    claimed: int = 0
    conflicts: int = 0


class ConflictRow(msgspec.Struct, frozen=True, kw_only=True):
    """A name that lost against a newer registration's."""

    conflict_id: int
    person: int
    city: str
    name_sealed: bytes
    seal_key: str
    found_at: datetime


def insert_file(
    write: Write, plan: Plan, *, city: str, mapping_digest: bytes, loaded_by: str, at: datetime
) -> int | None:
    """Begin a file, with its blocks and buckets; its number, None when it was begun before."""
    number: int | None = write.value(
        """
        insert into city_file (city, digest, mapping_digest, bytes, rows, bucket_bits, loaded_by, begun_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (digest, mapping_digest) do nothing returning file_id
        """,
        (city, plan.digest, mapping_digest, plan.size, plan.rows, plan.bucket_bits, loaded_by, at),
    )
    if number is None:
        return None
    write.copy(
        "copy city_block (file_id, block, starts_at, ends_at, first_row) from stdin",
        ((number, *block) for block in plan.blocks),
    )
    write.execute(
        "insert into city_bucket (file_id, bucket) select %s, generate_series(0, %s)",
        (number, 2**plan.bucket_bits - 1),
    )
    return number


def find_file(read: Read, *, digest: bytes, mapping_digest: bytes) -> FileRow | None:
    """The file with this content, if it was ever begun by this mapping."""
    row = read.row(
        "select file_id, city, bytes, rows, bucket_bits, begun_at, finished_at from city_file"
        " where digest = %s and mapping_digest = %s",
        (digest, mapping_digest),
    )
    return None if row is None else _file(row)


def files(read: Read) -> list[FileRow]:
    """Every file that was begun, the newest first."""
    rows = read.rows(
        "select file_id, city, bytes, rows, bucket_bits, begun_at, finished_at from city_file order by file_id desc"
    )
    return [_file(row) for row in rows]


def counts(read: Read, file_id: int) -> Counts:
    """How far a file is."""
    row = read.row(
        """
        select b.all_blocks, b.done, b.accepted, b.set_aside, u.all_buckets, u.done,
               u.made, u.known, u.updated, u.duplicates, u.claimed, u.conflicts
        from (select count(*) as all_blocks, count(done_at) as done, coalesce(sum(accepted), 0)::bigint as accepted,
                     coalesce(sum(set_aside), 0)::bigint as set_aside
              from city_block where file_id = %(file)s) b,
             (select count(*) as all_buckets, count(done_at) as done, coalesce(sum(made), 0)::bigint as made,
                     coalesce(sum(known), 0)::bigint as known, coalesce(sum(updated), 0)::bigint as updated,
                     coalesce(sum(duplicates), 0)::bigint as duplicates, coalesce(sum(claimed), 0)::bigint as claimed,
                     coalesce(sum(conflicts), 0)::bigint as conflicts
              from city_bucket where file_id = %(file)s) u
        """,
        {"file": file_id},
    )
    return msgspec.convert(dict(zip(Counts.__struct_fields__, row or (), strict=True)), Counts)


def finish_file(write: Write, file_id: int, at: datetime) -> bool:
    """Mark a file finished; False when it was."""
    return (
        write.execute("update city_file set finished_at = %s where file_id = %s and finished_at is null", (at, file_id))
        == 1
    )


# --- blocks: from the file to parts -----------------------------------------------------------------------------------


def open_blocks(read: Read, file_id: int) -> list[Block]:
    """The blocks that wait, in order of the file."""
    rows = read.rows(
        "select block, starts_at, ends_at, first_row from city_block where file_id = %s and done_at is null"
        " order by block",
        (file_id,),
    )
    return [Block(*row) for row in rows]


def hold_block(write: Write, file_id: int, block: int) -> bool:
    """Have the block for this transaction alone; False when it is done."""
    row = write.row(
        "select done_at is null from city_block where file_id = %s and block = %s for update", (file_id, block)
    )
    return row is not None and bool(row[0])


def insert_parts(write: Write, file_id: int, parts: Iterable[Part]) -> None:
    """Keep a block's parts."""
    write.copy(
        "copy city_part (file_id, bucket, block, index_key, seal_key, rows_sealed) from stdin",
        ((file_id, *part) for part in parts),
    )


def insert_set_aside(write: Write, file_id: int, rows: Iterable[tuple[int, str, str, bytes, str]]) -> None:
    """Keep rows that were set aside: line, field, reason, the line sealed, and its key."""
    write.copy(
        "copy city_set_aside (file_id, row_number, field, reason, row_sealed, seal_key) from stdin",
        ((file_id, *row) for row in rows),
    )


def finish_block(write: Write, file_id: int, block: int, *, accepted: int, set_aside: int, at: datetime) -> None:
    """Mark a block done."""
    write.execute(
        "update city_block set accepted = %s, set_aside = %s, done_at = %s where file_id = %s and block = %s",
        (accepted, set_aside, at, file_id, block),
    )


def reasons(read: Read, file_id: int) -> list[tuple[str, str, int, int]]:
    """Why rows of a file were set aside: field, reason, how many, the first line; the most frequent first."""
    return [
        (field, reason, rows, first)
        for field, reason, rows, first in read.rows(
            "select field, reason, count(*), min(row_number) from city_set_aside where file_id = %s"
            " group by field, reason order by count(*) desc, field, reason",
            (file_id,),
        )
    ]


# --- buckets: from parts to people ------------------------------------------------------------------------------------


def open_buckets(read: Read, file_id: int) -> list[int]:
    """The buckets that wait, ascending."""
    rows = read.rows(
        "select bucket from city_bucket where file_id = %s and done_at is null order by bucket", (file_id,)
    )
    return [bucket for (bucket,) in rows]


def hold_bucket(write: Write, file_id: int, bucket: int) -> bool:
    """Have the bucket for this transaction alone; False when it is done."""
    row = write.row(
        "select done_at is null from city_bucket where file_id = %s and bucket = %s for update", (file_id, bucket)
    )
    return row is not None and bool(row[0])


def find_by_key(write: Write) -> None:
    """Have this transaction look up its rows by index: the tables are new to the planner and grow as it looks away."""
    write.execute("set local plan_cache_mode = force_custom_plan")
    write.execute("set local enable_seqscan = off")


def take_parts(write: Write, file_id: int, bucket: int) -> list[Part]:
    """Remove and return the parts of a bucket, in order of the file."""
    rows = write.rows(
        "delete from city_part where file_id = %s and bucket = %s"
        " returning bucket, block, index_key, seal_key, rows_sealed",
        (file_id, bucket),
    )
    return sorted((Part(*row) for row in rows), key=lambda part: part.block)


def finish_bucket(write: Write, file_id: int, bucket: int, settled: Settled, at: datetime) -> None:
    """Mark a bucket done."""
    write.execute(
        "update city_bucket set made = %s, known = %s, updated = %s, duplicates = %s, claimed = %s, conflicts = %s,"
        " done_at = %s where file_id = %s and bucket = %s",
        (*msgspec.structs.astuple(settled), at, file_id, bucket),
    )


@contextmanager
def references_unchecked(write: Write) -> Iterator[None]:
    """Do not look up, row by row, people whom this very transaction has made: 20 µs each for three references.

    Where the role of the database may not do that, the references are checked and it only takes longer.
    """
    allowed = write.value("select has_parameter_privilege('session_replication_role', 'set')")
    if allowed:
        write.execute("set local session_replication_role = replica")
    yield
    if allowed:
        write.execute("set local session_replication_role = origin")


def copy_documents(write: Write, rows: bytes) -> None:
    """Bind documents to new people, packed in COPY's binary format in ascending order of index."""
    write.copy_binary("copy person_document (document_index, index_key, person_ref) from stdin (format binary)", [rows])


def copy_residents(write: Write, rows: bytes) -> None:
    """Write new holders, packed in COPY's binary format."""
    write.copy_binary(
        """
        copy resident (person_ref, document_type, name_sealed, document_sealed, phone_sealed, phone_index, seal_key,
                       district, language, proofing_provider, proofing_reference, claimed_at)
        from stdin (format binary)
        """,
        [rows],
    )


def lock_residents(write: Write, persons: Sequence[int]) -> None:
    """Let nobody change these holders until the transaction ends."""
    write.rows(
        "select person_ref from resident where person_ref = any(%s::bigint[]) order by person_ref for update",
        (list(persons),),
    )


def update_carried(write: Write, row: ResidentRow) -> None:
    """Replace a holder who was taken over by a newer registration, the instant of registration included."""
    write.execute(
        "update resident set document_type = %s, name_sealed = %s, document_sealed = %s, phone_sealed = %s,"
        " phone_index = %s, seal_key = %s, district = %s, language = %s, proofing_provider = %s,"
        " proofing_reference = %s, claimed_at = %s where person_ref = %s",
        (*msgspec.structs.astuple(row)[1:], row.person),
    )


def insert_conflicts(write: Write, rows: Iterable[tuple[int, int, str, bytes, str, datetime]]) -> None:
    """Keep names that lost: person, file, city, the name sealed, its key, and when."""
    write.copy("copy city_conflict (person_ref, file_id, city, name_sealed, seal_key, found_at) from stdin", rows)


def conflicts(read: Read, *, after: int, limit: int) -> list[ConflictRow]:
    """Conflicts by number, beyond `after`."""
    rows = read.rows(
        "select conflict_id, person_ref, city, name_sealed, seal_key, found_at from city_conflict"
        " where conflict_id > %s order by conflict_id limit %s",
        (after, limit),
    )
    return [ConflictRow(**dict(zip(ConflictRow.__struct_fields__, row, strict=True))) for row in rows]


# --- large loads ------------------------------------------------------------------------------------------------------


def holders_about(read: Read) -> int:
    """How many hold a code, as the planner believes; exact would mean to read them all."""
    believed: float = read.value("select greatest(reltuples, 0) from pg_class where oid = 'resident'::regclass")
    return int(believed)


def drop_phone_index(write: Write) -> None:
    """Before a large load: filled in random order, it writes a page of the log for nearly every row."""
    write.execute("drop index if exists resident_phone")


def build_phone_index(write: Write) -> None:
    """After a load, sorted and at once; nothing when it is there."""
    write.execute("set local maintenance_work_mem = '1GB'")
    write.execute("create index if not exists resident_phone on resident (phone_index)")


def refresh_statistics(write: Write) -> None:
    """Tell the planner that the tables have grown."""
    write.execute("analyze person, person_document, resident")


def _file(row: tuple[int, str, int, int, int, datetime, datetime | None]) -> FileRow:
    return FileRow(
        file_id=row[0],
        city=row[1],
        size=row[2],
        rows=row[3],
        bucket_bits=row[4],
        begun_at=row[5],
        finished_at=row[6],
    )
