"""The ledger: the only way evidence comes into being.

Append-only. A source names each record with its own key; what the ledger makes of another statement under the same
key depends on nothing but what is stated:

- the same content again is a repetition and changes nothing, whenever it comes;
- other content is a revision. Of a record's statements the one with the latest `occurred_at` stands (the source's own
  instant: result, report, designation or declaration), so a late old report never overrides a newer one. For
  statements of one instant the one received last stands;
- a withdrawn statement counts as never made: what it replaced stands again. Sending it again does not revive it; a
  source that means it after all states it with a later instant.

A revision may name another person (a corrected document): then both people's statuses are recomputed.
"""

from __future__ import annotations

import functools
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final

import msgspec

from tianfu.clock import require_aware
from tianfu.errors import NotFoundError
from tianfu.evidence import case_changes, changes, reach, records, sources, store
from tianfu.evidence.kinds import Case, Test
from tianfu.evidence.model import Evidence, Grade, NewEvidence
from tianfu.ids import EvidenceId, PersonRef
from tianfu.platform import binary
from tianfu.platform.database import Read, Write
from tianfu.residents import merging

SOURCE_RECORD_CHARACTERS_MAX: Final = 128

# Appends to one record wait for each other; appends to other records of the source do so only when they share a
# stripe, and sources never wait for each other. A bulk append holds at most all stripes of its source: 256 entries of
# a lock table that has room for thousands.
_STRIPE_BITS: Final = 8
_SOURCE_BITS: Final = 31 - _STRIPE_BITS
# Keys of one look-up: two arrays of about 40 bytes a key, 0.8 MB.
_LOOK_UP_KEYS: Final = 10_000
# A batch is withdrawn in parts of this many statements, about 1.5 kB each as Python values: 75 MB.
_WITHDRAWN_AT_ONCE: Final = 50_000
_PLACE: Final = re.compile(r"[0-9]{6}", re.ASCII)
# Revising one of these can make a case, or unmake one.
_OF_CASES: Final = (Case, Test)
_NO_OFFSET: Final = timedelta(0)
_NOT_YET_NUMBERED: Final = 0
_ENCODE: Final = msgspec.json.Encoder().encode
_COLUMNS: Final = 16
# Number of columns, evidence number and person.
_ROW_BEGIN: Final = Struct(">hiqiq")
_DIGEST_BEGIN: Final = Struct(">i").pack(32)
_GRADES: Final = {grade: binary.text(grade.value) for grade in Grade}
# Some 3,000 counties and a few words.
_WORDS_REMEMBERED: Final = 4_096

_Key = tuple[str, str]


class EvidenceNotFoundError(NotFoundError):
    """There is no such statement, or it is itself a withdrawal."""

    code = "evidence_not_found"
    zh = "没有找到这条依据。"
    en = "There is no such piece of evidence."


class Appended(msgspec.Struct, frozen=True):
    """What became of each statement.

    `ids` has one entry for each statement in the order given: its new number, or the number under which the ledger
    already held it.
    """

    ids: tuple[EvidenceId, ...]
    accepted: int
    duplicates: int


def append(
    write: Write, items: Sequence[NewEvidence], *, received_at: datetime, batch_id: int | None = None
) -> Appended:
    """Append `items`, queue the people concerned, and wake the worker when the transaction commits.

    All or nothing with the caller's transaction; a retry adds nothing. Raises `SourceUnknownError`; a statement that
    breaks the model (no time zone, overlong key, malformed place) is the caller's bug and raises `ValueError`.
    """
    require_aware(received_at)
    if any(item.withdraws is not None for item in items):
        message = "use withdraw() to withdraw a statement"
        raise ValueError(message)
    return _append(write, items, received_at=received_at, batch_id=batch_id)


def withdraw(
    write: Write, evidence_id: EvidenceId, *, received_at: datetime, batch_id: int | None = None
) -> EvidenceId:
    """Withdraw one statement: from now on it counts as never made. Doing it twice changes nothing.

    Returns the number of the withdrawal. Raises `EvidenceNotFoundError`.
    """
    statement = store.statement(write, evidence_id)
    if statement is None or statement.withdraws is not None:
        raise EvidenceNotFoundError
    return _append(write, [_withdrawal(statement)], received_at=received_at, batch_id=batch_id).ids[0]


def withdraw_many(write: Write, evidence_ids: Sequence[EvidenceId], *, received_at: datetime) -> int:
    """Withdraw many statements at once; how many were not withdrawn before. Doing it twice changes nothing.

    Bounded by the caller: each takes about 1.5 kB as Python values. Raises `EvidenceNotFoundError`, and then none is
    withdrawn.
    """
    require_aware(received_at)
    statements = store.statements(write, evidence_ids)
    if len(statements) < len(set(evidence_ids)) or any(each.withdraws is not None for each in statements):
        raise EvidenceNotFoundError
    items = [_withdrawal(statement) for statement in statements]
    return _append(write, items, received_at=received_at, batch_id=None).accepted


def withdraw_batch(write: Write, batch_id: int, *, received_at: datetime) -> int:
    """Withdraw every statement of the batch that was not withdrawn yet; how many there were.

    A statement that another batch merely repeated is withdrawn with the batch that brought it first. A retry, or
    a second call, withdraws nothing more.
    """
    require_aware(received_at)
    withdrawn = 0
    while statements := store.of_batch(write, batch_id, _WITHDRAWN_AT_ONCE):
        items = [_withdrawal(statement) for statement in statements]
        withdrawn += _append(write, items, received_at=received_at, batch_id=batch_id).accepted
    return withdrawn


def _withdrawal(statement: Evidence) -> NewEvidence:
    """The statement that `statement` counts as never made."""
    return NewEvidence(
        person=statement.person,
        source=statement.source,
        source_record=statement.source_record,
        attributes=statement.attributes,
        occurred_at=statement.occurred_at,
        valid=statement.valid,
        grade=statement.grade,
        place=statement.place,
        withdraws=statement.evidence_id,
    )


def about(read: Read, person: PersonRef, *, known_at: datetime | None = None) -> list[Evidence]:
    """The statements about `person` that stand, by number; `known_at` asks what the ledger knew at that instant.

    What is stated of the person under another number (`residents.merging`) is among them, with that number.
    """
    return about_many(read, [person], known_at=known_at)[person]


def about_many(
    read: Read, persons: Sequence[PersonRef], *, known_at: datetime | None = None
) -> dict[PersonRef, list[Evidence]]:
    """`about` for many people in one look-up; a person without evidence has an empty list."""
    by_person: dict[PersonRef, list[Evidence]] = {person: [] for person in persons}
    partners = merging.partners(read, list(by_person), at=known_at)
    everybody = {*by_person, *(other for others in partners.values() for other in others)}
    own: dict[PersonRef, list[Evidence]] = by_person if len(everybody) == len(by_person) else {}
    for statement in store.standing_about(read, sorted(everybody), known_at):
        own.setdefault(statement.person, []).append(statement)
    if not partners:
        return by_person
    shared = {
        person: sorted(
            (item for number in (person, *others) for item in own.get(number, ())), key=lambda item: item.evidence_id
        )
        for person, others in partners.items()
    }
    return {person: shared.get(person, own.get(person, [])) for person in by_person}


def _append(write: Write, items: Sequence[NewEvidence], *, received_at: datetime, batch_id: int | None) -> Appended:
    spelled = [msgspec.json.encode(item.attributes) for item in items]
    digests = [_checked_digest(item, text) for item, text in zip(items, spelled, strict=True)]
    keys = [(item.source, item.source_record) for item in items]
    distinct = set(keys)
    store.lock_records(write, sorted({_stripe(key) for key in distinct}))
    # Only records with several statements, held or new, need to be looked at together.
    several: dict[_Key, list[store.Held]] = {}
    if len(distinct) < len(keys):
        several = {key: [] for key, times in Counter(keys).items() if times > 1}
    for held in _held(write, list(distinct)):
        several.setdefault((held.source, held.source_record), []).append(held)
    known = {(key, held.content_hash): held.evidence_id for key, record in several.items() for held in record}

    identities = list(zip(keys, digests, strict=True))
    # Number exactly what is new; a repetition inside the batch gets the number of its first occurrence.
    fresh: list[int] = []
    for position, identity in enumerate(identities):
        if identity not in known:
            known[identity] = _NOT_YET_NUMBERED
            fresh.append(position)
    rows = []
    ids = store.draw_ids(write, len(fresh))
    row_of = _rows(received_at, batch_id)
    concerned: set[PersonRef] = set()
    revised: set[PersonRef] = set()
    for position, evidence_id in zip(fresh, ids, strict=True):
        item, key = items[position], keys[position]
        known[identities[position]] = evidence_id
        record = several.get(key)
        supersedes = None
        if record is not None:
            supersedes = _superseded(record, item)
            record.append(
                store.Held(evidence_id, *key, item.person, digests[position], item.occurred_at, item.withdraws)
            )
            concerned.update(PersonRef(held.person) for held in record)
            if isinstance(item.attributes, _OF_CASES):
                revised.update(PersonRef(held.person) for held in record)
        concerned.add(item.person)
        rows.append(row_of(evidence_id, item, digests[position], spelled[position], supersedes))
    if rows:
        store.insert(write, rows)
        numbered = [(number, items[position]) for number, position in zip(ids, fresh, strict=True)]
        concerned |= reach.note(write, numbered, several, received_at)
        case_changes.note(write, (items[position] for position in fresh), revised, received_at)
        changes.mark(write, merging.together(write, concerned), received_at)
    numbers = tuple(EvidenceId(known[identity]) for identity in identities)
    return Appended(ids=numbers, accepted=len(fresh), duplicates=len(items) - len(fresh))


def _held(read: Read, keys: Sequence[_Key]) -> Iterator[store.Held]:
    for start in range(0, len(keys), _LOOK_UP_KEYS):
        part = keys[start : start + _LOOK_UP_KEYS]
        yield from store.held(read, [source for source, _ in part], [record for _, record in part])


def _superseded(record: Sequence[store.Held], item: NewEvidence) -> int | None:
    """The statement that `item` replaces: the one that stands, unless that is newer by the source's own instant."""
    if not record or item.withdraws is not None:
        return None
    held = records.standing(record)
    return held.evidence_id if held is not None and held.occurred_at <= item.occurred_at else None


def _rows(received_at: datetime, batch_id: int | None) -> Callable[[int, NewEvidence, bytes, bytes, int | None], bytes]:
    """Packs the rows of one append, in the order of the columns of `store.insert`."""
    instant, text, raw, bigint = binary.remembered_instants(), _remembered_texts(), binary.raw, binary.bigint
    received, batch = instant(received_at), bigint(batch_id)
    begin, nothing, join = _ROW_BEGIN.pack, binary.NULL + binary.NULL + batch, b"".join

    def row(evidence_id: int, item: NewEvidence, digest: bytes, attributes: bytes, supersedes: int | None) -> bytes:
        valid, withdraws = item.valid, item.withdraws
        return join(
            (
                begin(_COLUMNS, 8, evidence_id, 8, item.person),
                text(item.attributes.__struct_config__.tag),
                text(item.source),
                raw(item.source_record.encode()),
                _DIGEST_BEGIN,
                digest,
                text(item.place),
                instant(item.occurred_at),
                received,
                instant(valid.start),
                instant(valid.end),
                _GRADES[item.grade],
                raw(attributes),
                nothing if supersedes is None and withdraws is None else bigint(supersedes) + bigint(withdraws) + batch,
            )
        )

    return row


def _remembered_texts() -> Callable[[object], bytes]:
    """`binary.text` for words that repeat: the kinds, sources and places of one append."""
    return functools.lru_cache(maxsize=_WORDS_REMEMBERED)(binary.text)


def _stripe(key: _Key) -> int:
    source, record = zlib.crc32(key[0].encode()), zlib.crc32(key[1].encode())
    return source % 2**_SOURCE_BITS << _STRIPE_BITS | record % 2**_STRIPE_BITS


def _checked_digest(item: NewEvidence, attributes: bytes) -> bytes:
    """SHA-256 over everything the statement says, the person included. Raises for what the model does not allow."""
    sources.find(item.source)
    if not 1 <= len(item.source_record) <= SOURCE_RECORD_CHARACTERS_MAX:
        message = f"source record of {len(item.source_record)} characters"
        raise ValueError(message)
    if item.place is not None and _PLACE.fullmatch(item.place) is None:
        message = "place is not a six-digit division code"
        raise ValueError(message)
    for value in msgspec.structs.astuple(item.attributes):
        if type(value) is datetime:
            _utc(value)
    content = (
        item.person,
        msgspec.Raw(attributes),
        _utc(item.occurred_at),
        _utc(item.valid.start),
        item.valid.end and _utc(item.valid.end),
        item.grade,
        item.place,
        item.withdraws,
    )
    return hashlib.sha256(_ENCODE(content)).digest()


def _utc(at: datetime) -> datetime:
    """`at`, which must be in UTC: one instant has one spelling, or a repetition would look like a revision."""
    if at.tzinfo is not UTC and require_aware(at).utcoffset() != _NO_OFFSET:
        message = "instants in the ledger are in UTC"
        raise ValueError(message)
    return at
