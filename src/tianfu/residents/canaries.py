"""Canary documents: numbers of right form that nobody has. Whoever looks one up goes through numbers, or has a list.

Only the keyed digest is kept, as of any document, so a stolen database does not tell which they are.
"""

from __future__ import annotations

from datetime import datetime

from tianfu.platform.database import Read, Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import canary_store
from tianfu.residents.documents import Document, document_key


def add(write: Write, document: Document, *, pseudonym: Pseudonym, at: datetime) -> bool:
    """Make `document` a canary; False when it was one. It must be nobody's: the caller has looked."""
    index = pseudonym.index(document_key(document))
    return canary_store.insert(write, index.digest, index.key_id, at)


def remove(write: Write, document: Document, *, pseudonym: Pseudonym) -> bool:
    """Make `document` a canary no longer; False when it was none."""
    return canary_store.delete(write, _digests(document, pseudonym)) > 0


def is_canary(read: Read, document: Document, *, pseudonym: Pseudonym) -> bool:
    """Whether `document` is one. One statement, whatever it finds."""
    return canary_store.any_of(read, _digests(document, pseudonym))


def _digests(document: Document, pseudonym: Pseudonym) -> list[bytes]:
    return [index.digest for index in pseudonym.index_candidates(document_key(document))]
