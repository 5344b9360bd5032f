"""SQL of people, residents, consents and one-time passwords. Transactions belong to the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform import binary
from tianfu.platform.database import Read, Write


class ResidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A holder as stored: everything personal is sealed."""

    person: PersonRef
    document_type: str
    name_sealed: bytes
    document_sealed: bytes
    phone_sealed: bytes
    phone_index: bytes
    seal_key: str
    district: str | None
    language: str
    proofing_provider: str
    proofing_reference: str
    claimed_at: datetime


class PasswordRow(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time password as stored, after an attempt was taken from it."""

    phone_index: bytes
    code_digest: bytes
    used: bool


# --- people -----------------------------------------------------------------------------------------------------------


def persons_of_indexes(read: Read, indexes: Sequence[bytes]) -> dict[bytes, PersonRef]:
    """The person behind each blind index that is known."""
    rows = read.rows(
        "select document_index, person_ref from person_document where document_index = any(%s::bytea[])",
        (binary.byteas(indexes),),
        binary=True,
    )
    return dict(rows)


def insert_persons(write: Write, count: int, at: datetime) -> list[PersonRef]:
    """`count` new people."""
    rows = write.rows(
        "insert into person (first_seen_at) select %s from generate_series(1, %s) returning person_ref",
        (at, count),
        binary=True,
    )
    return [row[0] for row in rows]


def insert_documents(write: Write, rows: Sequence[tuple[bytes, str, PersonRef]]) -> set[bytes]:
    """Bind documents to people, in ascending order of index so that two transactions never wait in a circle.

    Returns the indexes written; one that another transaction wrote first is left as it is.
    """
    ordered = sorted(rows)
    written = write.rows(
        "insert into person_document (document_index, index_key, person_ref)"
        " select document_index, index_key, person_ref"
        " from unnest(%s::bytea[], %s::text[], %s::bigint[]) as new (document_index, index_key, person_ref)"
        " order by document_index"
        " on conflict (document_index) do nothing returning document_index",
        (
            binary.byteas(row[0] for row in ordered),
            binary.texts(row[1] for row in ordered),
            binary.bigints(row[2] for row in ordered),
        ),
        binary=True,
    )
    return {row[0] for row in written}


def any_person(read: Read) -> bool:
    """Whether anybody has ever been numbered here."""
    return bool(read.value("select exists (select from person)"))


def delete_unused_persons(write: Write, persons: Sequence[PersonRef]) -> None:
    """Take back people inserted by this transaction whose documents turned out to be another's."""
    write.execute("delete from person where person_ref = any(%s)", (list(persons),))


# --- residents --------------------------------------------------------------------------------------------------------


def find_resident(read: Read, person: PersonRef) -> ResidentRow | None:
    """The holder, None when this person has not claimed."""
    row = read.row(
        "select person_ref, document_type, name_sealed, document_sealed, phone_sealed, phone_index, seal_key,"
        " district, language, proofing_provider, proofing_reference, claimed_at from resident where person_ref = %s",
        (person,),
    )
    if row is None:
        return None
    return ResidentRow(
        person=PersonRef(row[0]),
        document_type=row[1],
        name_sealed=bytes(row[2]),
        document_sealed=bytes(row[3]),
        phone_sealed=bytes(row[4]),
        phone_index=bytes(row[5]),
        seal_key=row[6],
        district=row[7],
        language=row[8],
        proofing_provider=row[9],
        proofing_reference=row[10],
        claimed_at=row[11],
    )


def insert_resident(write: Write, row: ResidentRow) -> bool:
    """Write a new holder; False, with nothing written, when the person has claimed already."""
    return (
        write.execute(
            "insert into resident (person_ref, document_type, name_sealed, document_sealed, phone_sealed, phone_index,"
            " seal_key, district, language, proofing_provider, proofing_reference, claimed_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (person_ref) do nothing",
            msgspec.structs.astuple(row),
        )
        == 1
    )


def update_resident(write: Write, row: ResidentRow) -> None:
    """Replace what a holder proved again; the instant of the first claim stays."""
    write.execute(
        "update resident set document_type = %s, name_sealed = %s, document_sealed = %s, phone_sealed = %s,"
        " phone_index = %s, seal_key = %s, district = %s, language = %s, proofing_provider = %s,"
        " proofing_reference = %s where person_ref = %s",
        (*msgspec.structs.astuple(row)[1:-1], row.person),
    )


def district_of(read: Read, person: PersonRef) -> str | None:
    """Where the holder lives; None when unknown or not claimed."""
    district = read.value("select district from resident where person_ref = %s", (person,))
    return None if district is None else str(district)


# --- consents ---------------------------------------------------------------------------------------------------------


def latest_consents(read: Read, person: PersonRef) -> dict[str, tuple[str, bool]]:
    """What the person last said of each purpose: the version of the text and yes or no."""
    rows = read.rows(
        "select distinct on (purpose) purpose, text_version, given from consent where person_ref = %s"
        " order by purpose, consent_id desc",
        (person,),
    )
    return {purpose: (version, given) for purpose, version, given in rows}


def insert_consents(
    write: Write, person: PersonRef, answers: Sequence[tuple[str, bool]], *, version: str, at: datetime
) -> None:
    """Append the person's answers, each a purpose and yes or no."""
    write.execute_many(
        "insert into consent (person_ref, purpose, text_version, given, at) values (%s, %s, %s, %s, %s)",
        [(person, purpose, version, given, at) for purpose, given in answers],
    )


# --- one-time passwords -----------------------------------------------------------------------------------------------


def lock_phone(write: Write, phone_index: bytes) -> None:
    """Let one request for this phone through at a time, until the transaction ends."""
    write.execute("select pg_advisory_xact_lock(%s)", (int.from_bytes(phone_index[:8], "big", signed=True),))


def passwords_since(read: Read, phone_indexes: Sequence[bytes], since: datetime) -> list[datetime]:
    """When passwords were sent to a phone since an instant, newest first."""
    rows = read.rows(
        "select created_at from one_time_password where phone_index = any(%s) and created_at > %s"
        " order by created_at desc",
        (list(phone_indexes), since),
    )
    return [created_at for (created_at,) in rows]


def insert_password(
    write: Write,
    *,
    challenge: bytes,
    phone_index: bytes,
    code_digest: bytes,
    attempts: int,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    """Write a new challenge."""
    write.execute(
        "insert into one_time_password (challenge_id, phone_index, code_digest, attempts_left, created_at, expires_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        (challenge, phone_index, code_digest, attempts, created_at, expires_at),
    )


def delete_password(write: Write, challenge: bytes) -> None:
    """Forget a challenge whose message was never sent."""
    write.execute("delete from one_time_password where challenge_id = %s", (challenge,))


def delete_passwords_before(write: Write, before: datetime) -> int:
    """Forget challenges made before an instant; they serve no limit any more."""
    return write.execute("delete from one_time_password where created_at < %s", (before,))


def take_attempt(write: Write, challenge: bytes, at: datetime) -> PasswordRow | None:
    """Spend one attempt of a live challenge; None when there is none, it has expired or no attempt is left."""
    row = write.row(
        "update one_time_password set attempts_left = attempts_left - 1"
        " where challenge_id = %s and attempts_left > 0 and expires_at > %s"
        " returning phone_index, code_digest, used_at is not null",
        (challenge, at),
    )
    return None if row is None else PasswordRow(phone_index=bytes(row[0]), code_digest=bytes(row[1]), used=row[2])


def use_password(write: Write, challenge: bytes, person: PersonRef | None, at: datetime) -> bool:
    """Mark a challenge used by `person`; False when it was used already."""
    return (
        write.execute(
            "update one_time_password set used_at = %s, used_by = %s where challenge_id = %s and used_at is null",
            (at, person, challenge),
        )
        == 1
    )


def password_user(read: Read, challenge: bytes) -> PersonRef | None:
    """Whose claim used a challenge; None when unused or used otherwise."""
    person = read.value("select used_by from one_time_password where challenge_id = %s", (challenge,))
    return None if person is None else PersonRef(person)
