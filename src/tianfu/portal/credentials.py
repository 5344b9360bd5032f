"""A resident's printed card, and the certificate with which a phone shows codes without network."""

from __future__ import annotations

from typing import Final

from litestar import delete, get, post
from litestar.params import RawBody

from tianfu.access.session import Session
from tianfu.ids import PersonRef
from tianfu.passcode.card import KINDS
from tianfu.passcode.issue import last_digits
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Purpose
from tianfu.portal import issue
from tianfu.portal.card_svg import CardDrawing, card_svg
from tianfu.portal.forms import CardAnswer, CardForm, CertificateAnswer, DeviceKeyForm
from tianfu.portal.issue import Holder
from tianfu.portal.parts import PortalParts, person_of, present
from tianfu.residents import credentials
from tianfu.residents.credentials import Held

# A guardian's cards for others come with the guardians themselves; until then everybody has their own.
OWN: Final = KINDS.index("self")


@post("/device-key", status_code=201, operation_class=documented(DeviceKeyForm), sync_to_thread=True)
def certify_device(request: AnyRequest, portal: PortalParts, body: RawBody) -> CertificateAnswer:
    """A certificate for my phone's key. Asked for again with the same key it is the same one while that is fresh.

    One for another key kills those that this session had before.
    """
    at = portal.clock.now()
    session = present(portal, request, at)
    key = issue.public_key(read_body(DeviceKeyForm, body).public_key)
    held = issue.certify(portal.issuing, _holder(session), session.session_id, key, at=at)
    return CertificateAnswer(certificate=held.text, issued_at=held.issued_at, expires_at=held.expires_at)


@post("/card", status_code=201, operation_class=documented(CardForm), sync_to_thread=True)
def print_card(request: AnyRequest, portal: PortalParts, body: RawBody) -> CardAnswer:
    """A new card, ready to print. The one before is refused at every gate within seconds."""
    at = portal.clock.now()
    session = present(portal, request, at)
    kind = issue.card_kind(read_body(CardForm, body).kind)
    holder = _holder(session)
    return _answer(issue.issue_card(portal.issuing, holder, kind, at=at), holder, kind)


@get("/card", sync_to_thread=True)
def my_card(request: AnyRequest, portal: PortalParts) -> CardAnswer | None:
    """My card that lives, to print it again; null when there is none."""
    at = portal.clock.now()
    holder = _holder(present(portal, request, at))
    with portal.database.read(Purpose.RESIDENT) as read:
        held = credentials.card(read, holder.person, OWN, pseudonym=portal.pseudonym, at=at)
    return None if held is None else _answer(held, holder, OWN)


@delete("/card", status_code=204, sync_to_thread=True)
def lose_card(request: AnyRequest, portal: PortalParts) -> None:
    """My card is lost: it is refused at every gate within seconds. Without one, or twice, the answer is the same."""
    at = portal.clock.now()
    person: PersonRef = person_of(present(portal, request, at))
    with portal.database.write(Purpose.RESIDENT) as write:
        credentials.lock(write, person)
        credentials.lose_card(write, person, OWN, at=at)


def _holder(session: Session) -> Holder:
    return Holder(person_of(session), session.masked_name, last_digits(session.masked_document))


def _answer(held: Held, holder: Holder, kind: int) -> CardAnswer:
    drawing = CardDrawing(
        text=held.text,
        masked_name=holder.masked_name,
        last_digits=holder.last_digits,
        kind=KINDS[kind],
        generation=held.generation,
        issued_at=held.issued_at,
        expires_at=held.expires_at,
    )
    return CardAnswer(
        code=held.text,
        kind=KINDS[kind],
        generation=held.generation,
        issued_at=held.issued_at,
        expires_at=held.expires_at,
        svg=card_svg(drawing),
    )
