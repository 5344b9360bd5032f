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
    newest = pseudonym.bulk()
    texts = [document_key(document) for document in documents]
    digests = {text: newest.index_document(text) for text in texts}
    known = store.persons_of_indexes(write, list(digests.values()))
    missing = [text for text, digest in digests.items() if digest not in known]
    if missing:
        found = _under_older_keys(write, missing, pseudonym=pseudonym)
        if found:
            store.insert_documents(write, [(digests[text], newest.index_key, person) for text, person in found.items()])
            known |= {digests[text]: person for text, person in found.items()}
        unknown = [digests[text] for text in missing if text not in found]
        known |= _create(write, unknown, index_key=newest.index_key, at=at)
    return [known[digests[text]] for text in texts]


def _under_older_keys(write: Write, texts: Sequence[str], *, pseudonym: Pseudonym) -> dict[str, PersonRef]:
    """Those of `texts` that are known under an older index key."""
    older = {text: [index.digest for index in pseudonym.index_candidates(text)[1:]] for text in texts}
    wanted = [digest for digests in older.values() for digest in digests]
    known = store.persons_of_indexes(write, wanted) if wanted else {}
    return {
        text: next(known[digest] for digest in digests if digest in known)
        for text, digests in older.items()
        if not known.keys().isdisjoint(digests)
    }


def _create(write: Write, digests: Sequence[bytes], *, index_key: str, at: datetime) -> dict[bytes, PersonRef]:
    """New people for the documents with these indexes, or those another transaction made for them meanwhile."""
    if not digests:
        return {}
    created = dict(zip(digests, store.insert_persons(write, len(digests), at), strict=True))
    written = store.insert_documents(write, [(digest, index_key, person) for digest, person in created.items()])
    lost = [digest for digest in digests if digest not in written]
    if lost:
        unused = [created[digest] for digest in lost]
        created |= store.persons_of_indexes(write, lost)
        store.delete_unused_persons(write, unused)
    return created


def find(read: Read, document: Document, *, pseudonym: Pseudonym) -> PersonRef | None:
    """The person of a document that has been seen before, None otherwise. Creates nobody."""
    digests = [index.digest for index in pseudonym.index_candidates(document_key(document))]
    known = store.persons_of_indexes(read, digests)
    return next((known[digest] for digest in digests if digest in known), None)
