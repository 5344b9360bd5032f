"""The second half of a load: the rows of one bucket of documents become people, in one transaction.

One document is one person, whoever named it before: an earlier row, another city, a department or the person's own
claim. What somebody claimed here is never touched. Among registrations in old city codes the newest counts; an older
one under another name leaves that name for review.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from psycopg.errors import UniqueViolation

from tianfu.ids import PersonRef
from tianfu.platform.database import Purpose, Write
from tianfu.platform.pseudonym import NONCE_BYTES, Bulk
from tianfu.residents import profile, store
from tianfu.residents.city_codes import city_store, copyrows, parts
from tianfu.residents.city_codes.city_store import Settled
from tianfu.residents.city_codes.desk import Desk
from tianfu.residents.city_codes.parts import Indexed
from tianfu.residents.city_codes.read import Holder
from tianfu.residents.documents import Document, DocumentType
from tianfu.residents.proofing import Proof
from tianfu.residents.store import ResidentRow

# Somebody who claims, or a feed that names somebody, in the middle of a bucket makes it start again.
TRIES_MAX: Final = 5


class _Tally:
    """Counts as they come, and the conflicts found on the way."""

    def __init__(self, city: str) -> None:
        self.city = city
        self.updated = self.duplicates = self.claimed = 0
        # The person, whose name it is, and the city that it came from.
        self.lost_names: list[tuple[PersonRef, str, str]] = []


def bucket(desk: Desk, number: int, *, file_id: int, city: str, at: datetime) -> int:
    """Settle a bucket; how many rows it had. Nothing happens when it was done before."""
    for attempt in range(1, TRIES_MAX + 1):
        try:
            with desk.database.write(Purpose.BATCH) as write:
                if not city_store.hold_bucket(write, file_id, number):
                    return 0
                return _settle(write, desk, number, file_id=file_id, city=city, at=at)
        except UniqueViolation:
            if attempt == TRIES_MAX:
                raise
    raise AssertionError


def _settle(write: Write, desk: Desk, number: int, *, file_id: int, city: str, at: datetime) -> int:
    city_store.find_by_key(write)
    keys = desk.pseudonym.bulk()
    rows = parts.opened(
        city_store.take_parts(write, file_id, number), file_id=file_id, keys=keys, pseudonym=desk.pseudonym
    )
    tally = _Tally(city)
    newest, others = _newest(rows)
    tally.duplicates += len(rows) - len(newest)
    persons = _known(write, desk, rows, newest, keys)
    known = {index: persons[index] for index in newest if index in persons}
    made = _make(write, desk, {i: h for i, h in newest.items() if i not in known}, keys, file_id, city, at)
    held = _carry(write, desk, known, newest, tally, file_id, at)
    for index, name in others:
        tally.lost_names.append(((made.get(index) or known[index]), name, city))
    city_store.insert_conflicts(
        write, [_conflict(lost, file_id=file_id, keys=keys, at=at) for lost in tally.lost_names]
    )
    settled = Settled(
        made=len(made),
        known=held,
        updated=tally.updated,
        duplicates=tally.duplicates,
        claimed=tally.claimed,
        conflicts=len(tally.lost_names),
    )
    city_store.finish_bucket(write, file_id, number, settled, at)
    return len(rows)


def _newest(rows: Sequence[Indexed]) -> tuple[dict[bytes, Holder], list[tuple[bytes, str]]]:
    """The newest registration of each document, and the other names that older ones gave."""
    newest: dict[bytes, Holder] = {}
    again: list[Indexed] = []
    for row in rows:
        before = newest.get(row.document)
        if before is None:
            newest[row.document] = row.holder
            continue
        again.append(row)
        if (row.holder.registered, row.holder.row) > (before.registered, before.row):
            newest[row.document] = row.holder
            again[-1] = Indexed(row.document, before)
    others = {(row.document, row.holder.name) for row in again if row.holder.name != newest[row.document].name}
    return newest, sorted(others)


def _known(
    write: Write, desk: Desk, rows: Sequence[Indexed], newest: Mapping[bytes, Holder], keys: Bulk
) -> dict[bytes, PersonRef]:
    """The people whose documents have been seen before, also under an older key."""
    if not rows or not store.any_person(write):
        return {}
    found = store.persons_of_indexes(write, list(newest))
    sample = parts.document_text(rows[0].holder)
    if len(desk.pseudonym.index_candidates(sample)) == 1:
        return found
    rebound = []
    for index, holder in newest.items():
        if index in found:
            continue
        older = [key.digest for key in desk.pseudonym.index_candidates(parts.document_text(holder))[1:]]
        for person in store.persons_of_indexes(write, older).values():
            found[index] = person
            rebound.append((index, keys.index_key, person))
    store.insert_documents(write, rebound)
    return found


def _make(
    write: Write, desk: Desk, holders: Mapping[bytes, Holder], keys: Bulk, file_id: int, city: str, at: datetime
) -> dict[bytes, PersonRef]:
    """New people, numbered in the order of their documents, so that every index grows at its end."""
    if not holders:
        return {}
    indexes = sorted(holders)
    persons = dict(zip(indexes, store.insert_persons(write, len(indexes), at), strict=True))
    block = copyrows.residents(
        ((persons[index], holders[index]) for index in indexes),
        provider=profile.CARRIED_OVER_PREFIX + city,
        reference=f"file:{file_id}",
        keys=keys,
    )
    with city_store.references_unchecked(write):
        city_store.copy_documents(
            write, copyrows.documents(((person, index) for index, person in persons.items()), index_key=keys.index_key)
        )
        city_store.copy_residents(write, block)
        desk.announce(write, list(persons.values()), at)
    return persons


def _carry(
    write: Write,
    desk: Desk,
    known: Mapping[bytes, PersonRef],
    newest: Mapping[bytes, Holder],
    tally: _Tally,
    file_id: int,
    at: datetime,
) -> int:
    """Bring known people up to what this file says of them; how many became holders by it."""
    if not known:
        return 0
    city_store.lock_residents(write, sorted(set(known.values())))
    added: list[PersonRef] = []
    for index, person in known.items():
        holder = newest[index]
        stored = store.find_resident(write, person)
        if stored is None:
            store.insert_resident(write, _row(desk, person, holder, tally.city, file_id))
            added.append(person)
        elif not stored.proofing_provider.startswith(profile.CARRIED_OVER_PREFIX):
            tally.claimed += 1
        else:
            _compare(write, desk, stored, holder, tally, file_id)
    if added:
        desk.announce(write, sorted(added), at)
    return len(added)


def _compare(write: Write, desk: Desk, stored: ResidentRow, holder: Holder, tally: _Tally, file_id: int) -> None:
    """Two registrations of one document: the newer one stays."""
    before = profile.opened(stored, pseudonym=desk.pseudonym)
    is_newer = holder.registered > stored.claimed_at.timestamp()
    if before.name != holder.name:
        before_city = stored.proofing_provider.removeprefix(profile.CARRIED_OVER_PREFIX)
        lost = (before.name, before_city) if is_newer else (holder.name, tally.city)
        tally.lost_names.append((stored.person, *lost))
    if is_newer:
        city_store.update_carried(write, _row(desk, stored.person, holder, tally.city, file_id))
        tally.updated += 1
    else:
        tally.duplicates += 1


def _row(desk: Desk, person: PersonRef, holder: Holder, city: str, file_id: int) -> ResidentRow:
    document = Document(DocumentType(holder.document_type), holder.document_number)
    return profile.sealed(
        person,
        profile.Personal(name=holder.name, document=document, phone=holder.phone),
        district=holder.district,
        language="zh",
        proof=Proof(provider=profile.CARRIED_OVER_PREFIX + city, reference=f"file:{file_id}"),
        claimed_at=datetime.fromtimestamp(holder.registered, UTC),
        pseudonym=desk.pseudonym,
    )


def _conflict(
    lost: tuple[PersonRef, str, str], *, file_id: int, keys: Bulk, at: datetime
) -> tuple[int, int, str, bytes, str, datetime]:
    person, name, city = lost
    sealed = keys.seal(name.encode(), conflict_context(person), os.urandom(NONCE_BYTES))
    return person, file_id, city, sealed, keys.seal_key, at


def conflict_context(person: int) -> bytes:
    """What a name kept for review is sealed to."""
    return f"city_conflict.name:{person}".encode()
