"""What a field worker needs to find somebody: name, phone, county. Opened for one task at a time."""

from __future__ import annotations

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform.database import Read
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import profile
from tianfu.residents import store as residents


class ContactDetails(msgspec.Struct, frozen=True):
    """Name and phone in the clear and the county somebody claimed their code in; all None without a code.

    No address is kept: who lives where in a county is in the community's own register.
    """

    name: str | None
    phone: str | None
    district: str | None
    language: str | None

    def __repr__(self) -> str:
        """Never the values: a repr ends up in tracebacks."""
        return "ContactDetails(…)"


def opened(read: Read, person: PersonRef, *, pseudonym: Pseudonym) -> ContactDetails:
    """The details of one person. The caller has asked whether this may be read, and writes it into the trail."""
    row = residents.find_resident(read, person)
    if row is None:
        return ContactDetails(None, None, None, None)
    personal = profile.opened(row, pseudonym=pseudonym)
    return ContactDetails(personal.name, personal.phone, row.district, row.language)
