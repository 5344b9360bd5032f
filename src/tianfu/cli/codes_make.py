"""What `tianfu codes card` and `tianfu codes vehicle` do: as the portal and the console, from a terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tianfu.access import accounts
from tianfu.access.accounts import AccountNotFoundError
from tianfu.audit import trail
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.errors import NotFoundError
from tianfu.ids import PersonRef, parse_person_ref
from tianfu.passcode.card import KINDS
from tianfu.passcode.issue import last_digits
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose, Write
from tianfu.platform.keyring import GateKeys, RecordKeys, gate_path, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.portal.card_svg import CardDrawing, card_svg
from tianfu.portal.issue import Holder, Issuing, issue_card
from tianfu.residents import profile
from tianfu.services.installation import installed_database
from tianfu.venues import vehicles
from tianfu.venues.poster_svg import poster_svg


def print_card(text: str, kind: str, out: Path) -> datetime:
    """Write the page of a new card for the person of that reference; until when it is good.

    Raises `PersonRefInvalidError`, `NotFoundError` for a person who has claimed no code, `CredentialLimitError`.
    """
    person = parse_person_ref(text)
    loaded = settings.load()
    at = SystemClock().now()
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(loaded.var)))
    ring = GateKeys.load_or_create(gate_path(loaded.var))
    with installed_database(loaded) as database:
        with database.write(Purpose.OPERATOR) as write:
            found = profile.find(write, person, pseudonym=pseudonym)
            _record(write, "card_printed", at, person=person, subject="", outcome="none" if found is None else "found")
        if found is None:
            raise NotFoundError(zh="此人尚未申领健康码。", en="This person has not claimed a code.")
        holder = Holder(person, found.masked_name, last_digits(found.masked_document))
        issuing = Issuing(database, ring, pseudonym, loaded.codes.card_days, loaded.codes.device_hours)
        held = issue_card(issuing, holder, KINDS.index(kind), at=at)
    drawing = CardDrawing(
        text=held.text,
        masked_name=holder.masked_name,
        last_digits=holder.last_digits,
        kind=kind,
        generation=held.generation,
        issued_at=held.issued_at,
        expires_at=held.expires_at,
    )
    out.write_text(card_svg(drawing), encoding="utf-8")
    return held.expires_at


def make_vehicle(*, plate: str, operator: str, kind: str, district: str, account: str, svg: Path | None) -> str:
    """Make a vehicle under that account; the text of its code. Raises as `vehicles.create_vehicle` does."""
    checked = vehicles.check(kind=kind, plate=plate, operator=operator, district=district)
    loaded = settings.load()
    at = SystemClock().now()
    ring = GateKeys.load_or_create(gate_path(loaded.var))
    with installed_database(loaded) as database:
        venue = vehicles.create_vehicle(database, _manager(database, account).principal, checked, at=at)
        with database.write(Purpose.OPERATOR) as write:
            signers = ring.at(int(at.timestamp())).signers
            claim, text = vehicles.printed(write, venue, signers, loaded.server.public_origin)
            _record(write, "vehicle_created", at, person=None, subject=f"venue:{venue.venue_ref}", outcome="made")
    if svg is not None:
        svg.write_text(poster_svg(claim, text), encoding="utf-8")
    return text


def _manager(database: Database, username: str) -> accounts.Account:
    with database.read(Purpose.OPERATOR) as read:
        found = accounts.find(read, username)
    if found is None:
        raise AccountNotFoundError
    return found


def _record(write: Write, action: str, at: datetime, *, person: PersonRef | None, subject: str, outcome: str) -> None:
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=terminal_actor(),
            action=action,
            purpose="credential",
            person=person,
            subject=subject,
            detail={"channel": "terminal", "outcome": outcome},
        ),
    )
