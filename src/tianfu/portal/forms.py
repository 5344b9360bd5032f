"""What residents send and get, as JSON shapes. Limits and meaning are checked by the features that use them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tianfu.residents.consents import ConsentPurpose

SYMPTOMS_MAX: Final = 20


class DocumentForm(msgspec.Struct, frozen=True):
    """A document as typed."""

    type: str
    number: str


class PasswordForm(msgspec.Struct, frozen=True):
    """A request for a one-time password."""

    phone: str


class ChallengeAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A password is on its way. `sandbox_code` is there only when no message leaves the machine."""

    challenge: str
    expires_in_seconds: int
    resend_after_seconds: int
    sandbox_code: str | None = None


class ClaimForm(msgspec.Struct, frozen=True, kw_only=True):
    """A claim. `proofing_ticket` is what the identity provider's face check gave the client, if it has one."""

    name: str
    document: DocumentForm
    phone: str
    challenge: str
    one_time_password: str
    district: str
    consents: tuple[str, ...]
    consent_version: str
    language: str = "zh"
    proofing_ticket: str | None = None


class LoginForm(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in."""

    document: DocumentForm
    phone: str
    challenge: str
    one_time_password: str


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed in, masked, and until when."""

    masked_name: str
    masked_document: str
    expires_at: datetime


class InfoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What this installation is."""

    environment: str
    sandbox: bool
    version: str


class ConsentsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The text of the consents, one version of it."""

    version: str
    purposes: tuple[ConsentPurpose, ...]


class MeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of me, masked. `consents_missing` are required ones that I have not given to the text of today."""

    masked_name: str
    masked_document: str
    masked_phone: str
    claimed_at: datetime
    language: str
    declared_until: datetime | None
    consents_missing: tuple[str, ...]


class ConsentForm(msgspec.Struct, frozen=True, kw_only=True):
    """What I agree to, in the text of that version."""

    consents: tuple[str, ...]
    consent_version: str


class DeclarationForm(msgspec.Struct, frozen=True, kw_only=True):
    """How I feel today. `temperature_decidegrees` is 365 for 36.5 °C."""

    symptoms: tuple[str, ...]
    truthful: bool
    temperature_decidegrees: int | None = None


class DeclarationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Until when the declaration counts."""

    declared_until: datetime


class DeviceKeyForm(msgspec.Struct, frozen=True):
    """A phone's public key: P-256, compressed, in base64url. The private half never leaves the phone."""

    public_key: str


class CertificateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate (COSE, in base64url) that goes into every code the phone shows without network."""

    certificate: str
    issued_at: datetime
    expires_at: datetime


class CardForm(msgspec.Struct, frozen=True):
    """For whom a card is."""

    kind: str = "self"


class CardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A printed card: its code, and the A6 page to print."""

    code: str
    kind: str
    generation: int
    issued_at: datetime
    expires_at: datetime
    svg: str


class UndecidedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """There is no decision yet; there will be one within a second or so."""

    at: datetime
    colour: str = "checking"
    popup: None = None
    reasons: tuple[()] = ()
    policy: None = None
    next_change_at: None = None


class ReadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of my record by somebody."""

    at: datetime
    role: str
    action: str
    purpose: str
