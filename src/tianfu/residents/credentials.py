"""What a holder has been given besides the code on the phone: printed cards, and certificates of device-bound codes.

One card of a kind lives for each holder: another one kills it. A phone's certificate is renewed by asking again; one
for another key of the same session kills those of the key before, because that key is gone or in other hands.
Everything is sealed and signed before it comes here.

What is killed goes to every gate, and into the list for scanners without network until its life would have ended. That
list is bounded, so issuing is too: nobody can fill it by asking for a thousand cards.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.audit import trail
from tianfu.errors import TianfuError
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import credential_store as store
from tianfu.residents.credential_store import CredentialRow

CARD: Final = "card"
DEVICE: Final = "device"

# A phone, a spare one and a tablet; the longest unused one gives way.
PHONES_MAX: Final = 3
# Printed, lost, printed again, for four kinds; and three phones that are set up anew a few times in a day.
ISSUED_A_DAY_MAX: Final = {CARD: 12, DEVICE: 24}
GENERATION_MAX: Final = 2**16 - 1
KEPT: Final = timedelta(days=1)

_DAY: Final = timedelta(days=1)
_DAY_SECONDS: Final = 86_400
_PURPOSE: Final = "credential"


class CredentialLimitError(TianfuError):
    """A holder was given as many cards or certificates today as are allowed."""

    code = "credential_limit"
    status = 429
    zh = "今日申领次数已达上限，请明天再试。"
    en = "You have asked for this as often as is allowed in a day; please try again tomorrow."


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """A credential to store: its id and its signed text. `session_id` and `public_key` belong to a phone."""

    credential_id: bytes
    text: str
    issued_at: datetime
    expires_at: datetime
    generation: int = 1
    card_kind: int = 0
    session_id: bytes | None = None
    public_key: bytes | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A credential that lives, as its holder gets it."""

    text: str
    generation: int
    issued_at: datetime
    expires_at: datetime


def lock(write: Write, person: PersonRef) -> None:
    """Begin a change of this person's credentials; comes first in its transaction."""
    store.lock_sequence(write)
    store.lock_person(write, person)


def next_generation(read: Read, person: PersonRef, card_kind: int) -> int:
    """The generation of the next card of that kind. Past 65,535 it stays: the id tells cards apart, not this."""
    return min(store.last_generation(read, person, CARD, card_kind) + 1, GENERATION_MAX)


def card(read: Read, person: PersonRef, card_kind: int, *, pseudonym: Pseudonym, at: datetime) -> Held | None:
    """The card of that kind that a person holds; None when there is none."""
    found = [row for row in store.live(read, person, CARD, at) if row.card_kind == card_kind]
    return _held(found[-1], pseudonym) if found else None


def certificate(
    read: Read, person: PersonRef, session_id: bytes, public_key: bytes, *, pseudonym: Pseudonym, at: datetime
) -> Held | None:
    """The certificate that a session holds for this key, while more than half of its life is left; None otherwise."""
    for row in reversed(store.live(read, person, DEVICE, at)):
        is_fresh = at - row.issued_at < (row.expires_at - row.issued_at) / 2
        if row.session_id == session_id and row.public_key == public_key and is_fresh:
            return _held(row, pseudonym)
    return None


def issue_card(write: Write, person: PersonRef, issue: Issue, *, pseudonym: Pseudonym, at: datetime) -> None:
    """Store a card and kill the one of its kind from before. Needs `lock`. Raises `CredentialLimitError`."""
    _require_within_limit(write, person, CARD, at)
    older = [row for row in store.live(write, person, CARD, at) if row.card_kind == issue.card_kind]
    store.kill(write, [row.credential_id for row in older], at)
    _insert(write, person, CARD, issue, pseudonym)
    _record(write, person, "card_issued", at, issue.generation)


def issue_certificate(write: Write, person: PersonRef, issue: Issue, *, pseudonym: Pseudonym, at: datetime) -> None:
    """Store a phone's certificate. Needs `lock`. Raises `CredentialLimitError`.

    Those of the same session for another key die, and those of the sessions beyond `PHONES_MAX`. One for the same key
    is left to end by itself: it is the same phone, and a list of what is killed is no place for millions of renewals.
    """
    _require_within_limit(write, person, DEVICE, at)
    living = store.live(write, person, DEVICE, at)
    dead = [row for row in living if row.session_id == issue.session_id and row.public_key != issue.public_key]
    others = {row.session_id: row.issued_at for row in living if row.session_id != issue.session_id}
    leaving = sorted(others, key=lambda session: others[session])[: max(0, len(others) - PHONES_MAX + 1)]
    dead += [row for row in living if row.session_id in leaving]
    store.kill(write, [row.credential_id for row in dead], at)
    _insert(write, person, DEVICE, issue, pseudonym)
    _record(write, person, "device_certified", at, issue.generation)


def lose_card(write: Write, person: PersonRef, card_kind: int, *, at: datetime) -> bool:
    """Kill the card of that kind: it is lost. False when there is none. Needs `lock`."""
    found = [row for row in store.live(write, person, CARD, at) if row.card_kind == card_kind]
    if not found:
        return False
    store.kill(write, [row.credential_id for row in found], at)
    _record(write, person, "card_lost", at, found[-1].generation)
    return True


def forget_ended(write: Write, at: datetime) -> int:
    """Forget what ended a day ago and counts nothing any more; how many."""
    store.settle_undecided(write)
    return store.delete_ended(write, at - KEPT)


def _require_within_limit(read: Read, person: PersonRef, kind: str, at: datetime) -> None:
    if store.issued_since(read, person, kind, at - _DAY) >= ISSUED_A_DAY_MAX[kind]:
        raise CredentialLimitError(retry_after_seconds=_DAY_SECONDS)


def _insert(write: Write, person: PersonRef, kind: str, issue: Issue, pseudonym: Pseudonym) -> None:
    sealed = pseudonym.seal(issue.text, context=_context(issue.credential_id))
    store.insert(
        write,
        CredentialRow(
            credential_id=issue.credential_id,
            person=person,
            kind=kind,
            card_kind=issue.card_kind,
            generation=issue.generation,
            session_id=issue.session_id,
            public_key=issue.public_key,
            text_sealed=sealed.data,
            seal_key=sealed.key_id,
            issued_at=issue.issued_at,
            expires_at=issue.expires_at,
        ),
    )


def _held(row: CredentialRow, pseudonym: Pseudonym) -> Held:
    return Held(
        text=pseudonym.open(row.text_sealed, row.seal_key, context=_context(row.credential_id)),
        generation=row.generation,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )


def _context(credential_id: bytes) -> bytes:
    return b"credential.text:" + credential_id


def _record(write: Write, person: PersonRef, action: str, at: datetime, generation: int) -> None:
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="resident",
            actor=str(person),
            action=action,
            purpose=_PURPOSE,
            person=person,
            detail={"generation": generation},
        ),
    )
