"""People by their documents: one number for each person, given when the document is first seen.

A claim and a department's feed refer to people the same way, so evidence that came before the claim needs no moving.
Only the keyed digest of the document is kept here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import store
from tianfu.residents.documents import Document, document_key


def refer(write: Write, documents: Sequence[Document], *, pseudonym: Pseudonym, at: datetime) -> list[PersonRef]:
    """The person of each document, in the order given; unknown documents become new people.

    Safe against a concurrent call with the same documents: one of the two waits and both answer the same. Part of
    the caller's transaction, so a rollback forgets the new people. A document found under an older index key is also
    bound under the newest, so that a key can be retired once everybody has been seen.
    """
    candidates = {document: pseudonym.index_candidates(document_key(document)) for document in set(documents)}
    known = store.persons_of_indexes(write, [index.digest for indexes in candidates.values() for index in indexes])
    found: dict[Document, PersonRef] = {}
    missing: list[Document] = []
    rebound: list[tuple[bytes, str, PersonRef]] = []
    for document, indexes in candidates.items():
        person = next((known[index.digest] for index in indexes if index.digest in known), None)
        if person is None:
            missing.append(document)
            continue
        found[document] = person
        newest = indexes[0]
        if newest.digest not in known:
            rebound.append((newest.digest, newest.key_id, person))
    if rebound:
        store.insert_documents(write, rebound)
    if missing:
        found |= _create(write, missing, pseudonym=pseudonym, at=at)
    return [found[document] for document in documents]


def _create(
    write: Write, documents: Sequence[Document], *, pseudonym: Pseudonym, at: datetime
) -> dict[Document, PersonRef]:
    """New people for `documents`, or those another transaction made for them meanwhile."""
    persons = store.insert_persons(write, len(documents), at)
    indexes = [pseudonym.index(document_key(document)) for document in documents]
    written = store.insert_documents(
        write,
        [(index.digest, index.key_id, person) for index, person in zip(indexes, persons, strict=True)],
    )
    lost = [
        (document, index.digest, person)
        for document, index, person in zip(documents, indexes, persons, strict=True)
        if index.digest not in written
    ]
    created = dict(zip(documents, persons, strict=True))
    if lost:
        winners = store.persons_of_indexes(write, [digest for _, digest, _ in lost])
        created |= {document: winners[digest] for document, digest, _ in lost}
        store.delete_unused_persons(write, [person for _, _, person in lost])
    return created


def find(read: Read, document: Document, *, pseudonym: Pseudonym) -> PersonRef | None:
    """The person of a document that has been seen before, None otherwise. Creates nobody."""
    digests = [index.digest for index in pseudonym.index_candidates(document_key(document))]
    known = store.persons_of_indexes(read, digests)
    return next((known[digest] for digest in digests if digest in known), None)
