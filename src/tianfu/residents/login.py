"""Signing in with document, phone and one-time password.

Whether a document is registered is nobody's business: unknown document, other phone and wrong password are one
refusal, after the same statements and the same cryptography.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tianfu.audit import trail
from tianfu.errors import InputInvalidError, TianfuError
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import IndexDomain, Pseudonym
from tianfu.residents import documents, otp, people, phones, profile, store
from tianfu.residents.documents import Document

_NOBODY: Final = PersonRef(0)
_NO_INDEX: Final = bytes(32)


class LoginFailedError(TianfuError):
    """The details do not belong to one holder, or the password is wrong; which of these is not said."""

    code = "login_failed"
    status = 401
    zh = "登录信息或验证码不正确。如尚未申领健康码，请先申领。"
    en = "These details or the code are not right. If you have no health code yet, please claim one."


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent to sign in, parsed."""

    document: Document
    phone: str
    challenge: str
    one_time_password: str

    def __repr__(self) -> str:
        """Never what was typed."""
        return "Credentials(…)"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The holder, with what may be shown."""

    person: PersonRef
    masked_name: str
    masked_document: str


def check(
    *, document_type: str, document_number: str, phone: str, challenge: str, one_time_password: str, at: datetime
) -> Credentials:
    """The parsed credentials. Raises `InputInvalidError` with all faults; those are of form and say nothing."""
    document, document_faults = documents.inspect(document_type, document_number, at=at)
    number, phone_faults = phones.inspect(phone)
    if document is None or number is None:
        raise InputInvalidError(faults=(*document_faults, *phone_faults))
    return Credentials(document=document, phone=number, challenge=challenge, one_time_password=one_time_password)


def login(credentials: Credentials, *, database: Database, pseudonym: Pseudonym, at: datetime) -> SignedIn:
    """The holder. Raises `LoginFailedError`. A right password is spent by the try, whatever comes of it."""
    with database.write(Purpose.RESIDENT) as write:
        answered = otp.attempt(
            write,
            challenge=credentials.challenge,
            code=credentials.one_time_password,
            phone=credentials.phone,
            pseudonym=pseudonym,
            at=at,
        )
        fresh = answered is not None and otp.use(write, answered, None, at)
        person = people.find(write, credentials.document, pseudonym=pseudonym)
        row = store.find_resident(write, person or _NOBODY)
    phones_known = [index.digest for index in pseudonym.index_candidates(credentials.phone, domain=IndexDomain.PHONE)]
    stored = row.phone_index if row else _NO_INDEX
    owned = otp.equals_any(stored, phones_known)
    if not fresh or row is None or not owned:
        raise LoginFailedError
    with database.write(Purpose.RESIDENT) as write:
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="resident",
                actor=str(row.person),
                action="login",
                purpose="login",
                person=row.person,
            ),
        )
    personal = profile.opened(row, pseudonym=pseudonym)
    masked = profile.masks(personal.name, personal.document)
    return SignedIn(person=row.person, masked_name=masked.name, masked_document=masked.document)
