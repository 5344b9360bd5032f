"""Making a holder's credentials: the id that leads to them for us alone, the signature, the row.

A card kills the one of its kind from before; a phone's certificate asked for again is the same one while it is fresh.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import PersonRef
from tianfu.passcode import base45, device
from tianfu.passcode import card as cards
from tianfu.passcode.card import Card
from tianfu.passcode.device import Certificate, device_key
from tianfu.passcode.reference import CARD_DOMAIN, DEVICE_DOMAIN, RANDOM_BYTES, credential_id
from tianfu.platform import base64url
from tianfu.platform.cose import sign1
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import GateKeys
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.sign import KeyPurpose
from tianfu.residents import credentials
from tianfu.residents.credentials import Held, Issue
from tianfu.status import store as statuses

_DAY_SECONDS: Final = 86_400
_HOUR_SECONDS: Final = 3_600
# A compressed point of P-256 in base64url.
PUBLIC_KEY_CHARACTERS: Final = 44


class Holder(NamedTuple):
    """Who gets a credential, and what it may show of them."""

    person: PersonRef
    masked_name: str
    last_digits: str


class Issuing(NamedTuple):
    """What issuing needs."""

    database: Database
    keys: GateKeys
    pseudonym: Pseudonym
    card_days: int
    device_hours: int


def card_kind(word: str) -> int:
    """The number of a kind of card. Raises `InputInvalidError`."""
    if word not in cards.KINDS:
        raise InputInvalidError(
            faults=(Fault("kind", "card_kind", "没有这种离线码。", "There is no such kind of card."),)
        )
    return cards.KINDS.index(word)


def issue_card(issuing: Issuing, holder: Holder, kind: int, *, at: datetime) -> Held:
    """A new card of that kind; the one before is dead when this returns. Raises `CredentialLimitError`."""
    issued_at = int(at.timestamp())
    expires_at = issued_at + issuing.card_days * _DAY_SECONDS
    keys = issuing.keys.at(issued_at)
    signer = keys.signers[KeyPurpose.CARD]
    named = credential_id(holder.person, os.urandom(RANDOM_BYTES), keys.references[signer.kid], CARD_DOMAIN)
    with issuing.database.write(Purpose.RESIDENT) as write:
        credentials.lock(write, holder.person)
        generation = credentials.next_generation(write, holder.person, kind)
        content = Card(expires_at, issued_at, named, generation, kind, holder.masked_name, holder.last_digits)
        issue = Issue(
            credential_id=named,
            text=cards.PREFIX + base45.encode(sign1(signer, cards.encode(content))),
            issued_at=_instant(issued_at),
            expires_at=_instant(expires_at),
            generation=generation,
            card_kind=kind,
        )
        credentials.issue_card(write, holder.person, issue, pseudonym=issuing.pseudonym, at=at)
    return _held(issue)


def public_key(text: str) -> bytes:
    """The phone's key as sent: a compressed point of P-256 in base64url. Raises `InputInvalidError`."""
    try:
        found = base64url.decode(text) if len(text) == PUBLIC_KEY_CHARACTERS else b""
        device_key(found)
    except ValueError:
        fault = Fault(
            "public_key",
            "public_key",
            "应为 P-256 公钥的压缩格式（33 字节，base64url）。",
            "Must be a P-256 public key, compressed (33 bytes), in base64url.",
        )
        raise InputInvalidError(faults=(fault,)) from None
    return found


def certify(issuing: Issuing, holder: Holder, session_id: bytes, key: bytes, *, at: datetime) -> Held:
    """A certificate for the phone's `key`; the session's own for it while that is fresh.

    Raises `CredentialLimitError`.
    """
    issued_at = int(at.timestamp())
    expires_at = issued_at + issuing.device_hours * _HOUR_SECONDS
    keys = issuing.keys.at(issued_at)
    signer = keys.signers[KeyPurpose.DEVICE]
    named = credential_id(holder.person, os.urandom(RANDOM_BYTES), keys.references[signer.kid], DEVICE_DOMAIN)
    with issuing.database.write(Purpose.RESIDENT) as write:
        credentials.lock(write, holder.person)
        held = credentials.certificate(write, holder.person, session_id, key, pseudonym=issuing.pseudonym, at=at)
        if held is not None:
            return held
        status = statuses.read_many(write, [holder.person]).get(holder.person)
        rule_set = 0 if status is None else status.decision.policy_number
        content = Certificate(expires_at, issued_at, named, key, rule_set, holder.masked_name, holder.last_digits)
        issue = Issue(
            credential_id=named,
            text=base64url.encode(sign1(signer, device.encode(content))),
            issued_at=_instant(issued_at),
            expires_at=_instant(expires_at),
            session_id=session_id,
            public_key=key,
        )
        credentials.issue_certificate(write, holder.person, issue, pseudonym=issuing.pseudonym, at=at)
    return _held(issue)


def _held(issue: Issue) -> Held:
    return Held(text=issue.text, generation=issue.generation, issued_at=issue.issued_at, expires_at=issue.expires_at)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
