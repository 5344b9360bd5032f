"""The personal part of a holder: sealed for the database, opened for the holder alone."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform.database import Read
from tianfu.platform.pseudonym import IndexDomain, Pseudonym
from tianfu.residents import mask, store
from tianfu.residents.documents import Document, DocumentType
from tianfu.residents.proofing import Proof
from tianfu.residents.store import ResidentRow

CARRIED_OVER_PREFIX: Final = "city:"
"""How the provider of a holder's proof begins who was taken over from an old city code and has proved nothing here."""


class Personal(msgspec.Struct, frozen=True):
    """Name, document and phone in the clear."""

    name: str
    document: Document
    phone: str

    def __repr__(self) -> str:
        """Never the values: a repr ends up in tracebacks."""
        return "Personal(…)"


class Masks(msgspec.Struct, frozen=True):
    """What may be shown of a holder."""

    name: str
    document: str


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder sees of the stored data."""

    masked_name: str
    masked_document: str
    masked_phone: str
    claimed_at: datetime
    language: str


def masks(name: str, document: Document) -> Masks:
    """The masked name and document number."""
    return Masks(name=mask.mask_name(name), document=mask.mask_document(document.number))


def find(read: Read, person: PersonRef, *, pseudonym: Pseudonym) -> Profile | None:
    """What `person` sees of the stored data, None when there is no claim."""
    row = store.find_resident(read, person)
    if row is None:
        return None
    personal = opened(row, pseudonym=pseudonym)
    masked = masks(personal.name, personal.document)
    return Profile(
        masked_name=masked.name,
        masked_document=masked.document,
        masked_phone=mask.mask_phone(personal.phone),
        claimed_at=row.claimed_at,
        language=row.language,
    )


def sealed(
    person: PersonRef,
    personal: Personal,
    *,
    district: str,
    language: str,
    proof: Proof,
    claimed_at: datetime,
    pseudonym: Pseudonym,
) -> ResidentRow:
    """The row to store. Each field is sealed to this person and this column, so rows cannot be swapped."""
    fields = {"name": personal.name, "document": personal.document.number, "phone": personal.phone}
    while True:
        made = {column: pseudonym.seal(text, context=_context(column, person)) for column, text in fields.items()}
        key_ids = {field.key_id for field in made.values()}
        # A row has one key. A rotation between two of the seals is undone by sealing once more.
        if len(key_ids) == 1:
            break
    return ResidentRow(
        person=person,
        document_type=personal.document.type.value,
        name_sealed=made["name"].data,
        document_sealed=made["document"].data,
        phone_sealed=made["phone"].data,
        phone_index=pseudonym.index(personal.phone, domain=IndexDomain.PHONE).digest,
        seal_key=key_ids.pop(),
        district=district,
        language=language,
        proofing_provider=proof.provider,
        proofing_reference=proof.reference,
        claimed_at=claimed_at,
    )


def opened(row: ResidentRow, *, pseudonym: Pseudonym) -> Personal:
    """The personal data of a stored row."""

    def field(data: bytes, column: str) -> str:
        return pseudonym.open(data, row.seal_key, context=_context(column, row.person))

    return Personal(
        name=field(row.name_sealed, "name"),
        document=Document(DocumentType(row.document_type), field(row.document_sealed, "document")),
        phone=field(row.phone_sealed, "phone"),
    )


def _context(column: str, person: PersonRef) -> bytes:
    return f"resident.{column}:{person}".encode()
