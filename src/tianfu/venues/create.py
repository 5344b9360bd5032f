"""Creating venues and changing them: what a manager does.

Each use asks `access.decide` first, writes the trail in the same transaction, and moves the venue's sequence so that
every gate hears of it.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

import msgspec

from tianfu.access import accounts
from tianfu.access.accounts import AccountNotFoundError
from tianfu.access.decide import Principal, Resource, require
from tianfu.access.places import is_county, is_sichuan
from tianfu.access.roles import Action, Role
from tianfu.audit import trail
from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.ids import VENUE_REF_MAX, VenueRef
from tianfu.platform.database import Database, Purpose, Read, Write
from tianfu.venues import store
from tianfu.venues.model import ADDRESS_LENGTH_MAX, NAME_LENGTH_MAX, VENUE_ID_BYTES, Venue, VenueCategory

# A chain of shops may have hundreds of branches under one account; a page lists them all.
VENUES_PER_MANAGER_MAX: Final = 1_000
GUARDS_PER_VENUE_MAX: Final = 100
_PURPOSE: Final = "venue"


class VenueNotFoundError(NotFoundError):
    """There is no such venue, or it is not the asker's."""

    code = "venue_not_found"
    zh = "没有找到该场所，或您无权管理。"
    en = "There is no such venue, or it is not yours."


class VenueLimitError(TianfuError):
    """An account answers for as many venues, or a venue has as many guards, as are allowed."""

    code = "venue_limit"
    status = 409
    zh = f"数量已达上限（每个账号 {VENUES_PER_MANAGER_MAX} 个场所，每个场所 {GUARDS_PER_VENUE_MAX} 名查验员）。"
    en = (
        f"The limit is reached ({VENUES_PER_MANAGER_MAX} venues for an account,"
        f" {GUARDS_PER_VENUE_MAX} guards for a venue)."
    )


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A new venue whose every field can be accepted."""

    name: str
    category: VenueCategory
    district: str
    address: str


def check(*, name: str, category: str, district: str, address: str) -> Checked:
    """The new venue's fields, parsed. Raises `InputInvalidError` with all faults at once."""
    faults = []
    name, address = " ".join(name.split()), " ".join(address.split())
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        faults.append(
            Fault(
                "name",
                "venue_name",
                f"场所名称为 1 至 {NAME_LENGTH_MAX} 个字。",
                f"A venue's name has 1 to {NAME_LENGTH_MAX} characters.",
            )
        )
    if len(address) > ADDRESS_LENGTH_MAX or not address.isprintable():
        faults.append(
            Fault(
                "address",
                "venue_address",
                f"地址不超过 {ADDRESS_LENGTH_MAX} 个字。",
                f"An address has at most {ADDRESS_LENGTH_MAX} characters.",
            )
        )
    known = next((member for member in VenueCategory if member.value == category), None)
    if known is None:
        faults.append(Fault("category", "venue_category", "请选择场所类型。", "Please choose a category of venue."))
    if not (is_sichuan(district) and is_county(district)):
        faults.append(
            Fault("district", "district", "请选择场所所在的区县。", "Please choose the county the venue lies in.")
        )
    if faults or known is None:
        raise InputInvalidError(faults=tuple(faults))
    return Checked(name=name, category=known, district=district, address=address)


def create(database: Database, principal: Principal, venue: Checked, *, at: datetime) -> Venue:
    """A new venue under the asker. Raises `ForbiddenError`, `VenueLimitError`.

    Sent twice it makes two venues: a manager may have two branches of one name; the second can be closed.
    """
    with database.write(Purpose.OPERATOR) as write:
        return create_within(write, principal, venue, at=at)


def create_within(write: Write, principal: Principal, venue: Checked, *, at: datetime) -> Venue:
    """As `create`, in the caller's transaction. Raises the same."""
    require(principal, Action.CREATE_VENUE, Resource(place=venue.district))
    store.lock_sequence(write)
    if len(store.managed_by(write, principal.account, VENUES_PER_MANAGER_MAX)) >= VENUES_PER_MANAGER_MAX:
        raise VenueLimitError
    made = store.insert(
        write,
        venue_id=secrets.token_bytes(VENUE_ID_BYTES),
        name=venue.name,
        category=venue.category,
        district=venue.district,
        address=venue.address,
        manager=principal.account,
        at=at,
    )
    _record(write, principal, "venue_created", made.venue_ref, at)
    return made


def own(read: Read, principal: Principal, venue_ref: int, action: Action) -> Venue:
    """The asker's venue. Raises `VenueNotFoundError` for another's as for none: numbers can be guessed."""
    venue = store.find(read, VenueRef(venue_ref)) if 1 <= venue_ref <= VENUE_REF_MAX else None
    if venue is None or venue.manager != principal.account:
        raise VenueNotFoundError
    require(principal, action, Resource(place=venue.district, owners=frozenset({venue.manager})))
    return venue


def renew_poster(database: Database, principal: Principal, venue_ref: int, *, at: datetime) -> Venue:
    """The venue with a new generation: posters printed before die. Raises `VenueNotFoundError`."""
    with database.write(Purpose.OPERATOR) as write:
        store.lock_sequence(write)
        venue = own(write, principal, venue_ref, Action.RENEW_POSTER)
        renewed = store.raise_generation(write, venue.venue_ref)
        if renewed is None:
            raise VenueNotFoundError
        _record(write, principal, "venue_poster_renewed", venue.venue_ref, at)
    return renewed


def close(database: Database, principal: Principal, venue_ref: int, *, at: datetime) -> None:
    """Close the venue for good; closing it twice changes nothing. Raises `VenueNotFoundError`."""
    with database.write(Purpose.OPERATOR) as write:
        store.lock_sequence(write)
        venue = own(write, principal, venue_ref, Action.CLOSE_VENUE)
        if store.close(write, venue.venue_ref, at):
            _record(write, principal, "venue_closed", venue.venue_ref, at)


def bind_guard(database: Database, principal: Principal, venue_ref: int, username: str, *, at: datetime) -> None:
    """Let a guard's account check at the venue; binding it twice changes nothing.

    Raises `VenueNotFoundError`, `AccountNotFoundError` (also for an account that is no guard), `VenueLimitError`.
    """
    with database.write(Purpose.OPERATOR) as write:
        venue = own(write, principal, venue_ref, Action.BIND_GUARD)
        store.lock(write, venue.venue_ref)
        guard = accounts.find(write, username)
        if guard is None or guard.closed or all(grant.role is not Role.GUARD for grant in guard.grants):
            raise AccountNotFoundError
        bound = store.guards_of(write, venue.venue_ref)
        if guard.account_ref in bound:
            return
        if len(bound) >= GUARDS_PER_VENUE_MAX:
            raise VenueLimitError
        store.bind_guard(write, venue.venue_ref, guard.account_ref, at)
        _record(write, principal, "venue_guard_bound", venue.venue_ref, at, {"account": guard.account_ref})


def _record(
    write: Write,
    principal: Principal,
    action: str,
    venue: VenueRef,
    at: datetime,
    detail: dict[str, int] | None = None,
) -> None:
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=str(principal.account),
            action=action,
            purpose=_PURPOSE,
            subject=f"venue:{venue}",
            detail=detail or {},
        ),
    )
