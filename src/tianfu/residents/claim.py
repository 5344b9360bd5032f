"""Claiming a code: from a filled-in form to a holder, once and for all.

The order is the defence. The form is checked without the database; then the one-time password, in a transaction of
its own, so that a wrong guess always costs an attempt; only then is the identity provider asked, outside any
transaction because it may take seconds; and everything that is written is written in one last transaction.

Sent again after a lost answer, the same claim has the same outcome. Somebody who holds a code already and proves the
identity again replaces phone, name and district with what was proved: a lost phone must not lock anybody out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from tianfu.access.places import is_sichuan
from tianfu.audit import trail
from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose, Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import consents, documents, names, otp, people, phones, profile, store
from tianfu.residents.documents import Document
from tianfu.residents.proofing import TICKET_LENGTH_MAX, IdentityProofing, Proof

CHALLENGE_LENGTH_MAX: Final = 64
CODE_LENGTH_MAX: Final = 16
LANGUAGES: Final = ("zh", "en")
_PURPOSE: Final = "claim"

Announce = Callable[[Write, PersonRef, datetime], None]
"""Told of every claim in its transaction, so that a status is computed for a holder without any evidence too."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A claim as it was sent, nothing checked but the types."""

    name: str
    document_type: str
    document_number: str
    phone: str
    challenge: str
    one_time_password: str
    district: str
    consents: tuple[str, ...]
    consent_version: str
    language: str
    ticket: str | None = None

    def __repr__(self) -> str:
        """Never what was typed."""
        return "Form(…)"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A claim whose every field can be accepted."""

    name: str
    document: Document
    phone: str
    challenge: str
    one_time_password: str
    district: str
    consents: tuple[str, ...]
    language: str
    ticket: str | None

    def __repr__(self) -> str:
        """Never what was typed."""
        return "Checked(…)"


class Outcome(enum.Enum):
    """What became of a claim; the value is the action in the trail."""

    CLAIMED = "claim"
    REPEATED = "claim_repeated"
    PHONE_REPLACED = "phone_replaced"
    RENEWED = "identity_renewed"


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A holder. The masks are what may be shown and go into the session."""

    person: PersonRef
    masked_name: str
    masked_document: str
    outcome: Outcome


class Desk(msgspec.Struct, frozen=True):
    """What a claim needs from outside, put together once per process."""

    database: Database
    pseudonym: Pseudonym
    proofing: IdentityProofing
    announce: Announce


def check(form: Form, *, at: datetime) -> Checked:
    """`form` with every field parsed. Raises `InputInvalidError` with all faults at once."""
    name, name_faults = names.inspect(form.name)
    document, document_faults = documents.inspect(form.document_type, form.document_number, at=at)
    phone, phone_faults = phones.inspect(form.phone)
    faults = (
        *name_faults,
        *document_faults,
        *phone_faults,
        *_inspect_rest(form),
        *consents.inspect(form.consents, form.consent_version),
    )
    if faults or name is None or document is None or phone is None:
        raise InputInvalidError(faults=faults)
    return Checked(
        name=name,
        document=document,
        phone=phone,
        challenge=form.challenge,
        one_time_password=form.one_time_password,
        district=form.district,
        consents=form.consents,
        language=form.language,
        ticket=form.ticket,
    )


def _inspect_rest(form: Form) -> list[Fault]:
    """The fields that are codes and words."""
    faults = []
    if not 1 <= len(form.challenge) <= CHALLENGE_LENGTH_MAX:
        faults.append(Fault("challenge", "challenge", "请先获取验证码。", "Please ask for a code first."))
    if not 1 <= len(form.one_time_password) <= CODE_LENGTH_MAX:
        faults.append(
            Fault("one_time_password", "one_time_password", "请填写 6 位验证码。", "Please enter the 6-digit code.")
        )
    if not is_sichuan(form.district):
        faults.append(
            Fault("district", "district", "请选择四川省内的居住地。", "Please choose where you live in Sichuan.")
        )
    if form.language not in LANGUAGES:
        faults.append(Fault("language", "language", "语言应为 zh 或 en。", "The language must be zh or en."))
    if form.ticket is not None and len(form.ticket) > TICKET_LENGTH_MAX:
        faults.append(Fault("ticket", "ticket", "人脸核验凭证过长。", "The face-check ticket is too long."))
    return faults


def claim(checked: Checked, desk: Desk, *, at: datetime) -> Claimed:
    """Make the person who asks a holder, or answer as before when that is done already.

    Raises `PasswordWrongError`, `ProofingRefusedError`, `ProofingUnavailableError`, `DatabaseUnavailableError`;
    after any of them nothing is written but the attempt. A retry is harmless.
    """
    with desk.database.write(Purpose.RESIDENT) as write:
        answered = otp.attempt(
            write,
            challenge=checked.challenge,
            code=checked.one_time_password,
            phone=checked.phone,
            pseudonym=desk.pseudonym,
            at=at,
        )
    if answered is None:
        raise otp.PasswordWrongError
    proof = desk.proofing.prove(name=checked.name, document=checked.document, ticket=checked.ticket)
    with desk.database.write(Purpose.RESIDENT) as write:
        return _settle(write, checked, answered, proof, desk, at)


def _settle(write: Write, checked: Checked, answered: otp.Attempt, proof: Proof, desk: Desk, at: datetime) -> Claimed:
    """Everything a claim writes, in the caller's transaction."""
    (person,) = people.refer(write, [checked.document], pseudonym=desk.pseudonym, at=at)
    # Used by this very claim: its answer was lost and it is sent again. Used by anything else: refused.
    if not otp.use(write, answered, person, at) and not otp.used_by(write, answered, person):
        raise otp.PasswordWrongError
    outcome = _write_resident(write, person, checked, proof, desk.pseudonym, at)
    consents.record(write, person, checked.consents, at)
    if outcome is not Outcome.REPEATED:
        desk.announce(write, person, at)
        trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="resident",
                actor=str(person),
                action=outcome.value,
                purpose=_PURPOSE,
                person=person,
                detail={"provider": proof.provider},
            ),
        )
    masked = profile.masks(checked.name, checked.document)
    return Claimed(person=person, masked_name=masked.name, masked_document=masked.document, outcome=outcome)


def _write_resident(
    write: Write, person: PersonRef, checked: Checked, proof: Proof, pseudonym: Pseudonym, at: datetime
) -> Outcome:
    """Insert the holder, or bring the stored one up to what was proved; says which."""
    row = profile.sealed(
        person,
        profile.Personal(name=checked.name, document=checked.document, phone=checked.phone),
        district=checked.district,
        language=checked.language,
        proof=proof,
        claimed_at=at,
        pseudonym=pseudonym,
    )
    if store.insert_resident(write, row):
        return Outcome.CLAIMED
    stored = store.find_resident(write, person)
    if stored is None:
        message = "a resident that could not be inserted is not there either"
        raise RuntimeError(message)
    before = profile.opened(stored, pseudonym=pseudonym)
    unchanged = before.name == checked.name and before.document == checked.document
    # Somebody taken over from an old city code who claims has now proved what a city only said.
    carried = stored.proofing_provider.startswith(profile.CARRIED_OVER_PREFIX)
    settled = stored.district == checked.district and stored.language == checked.language and not carried
    if before.phone == checked.phone and unchanged and settled:
        return Outcome.REPEATED
    store.update_resident(write, row)
    return Outcome.RENEWED if before.phone == checked.phone else Outcome.PHONE_REPLACED
