"""A manager's venues: creating, posters, guards."""

from __future__ import annotations

from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath, RawBody

from tianfu.access.decide import Resource, require
from tianfu.access.roles import Action
from tianfu.console.forms import GuardForm, VehicleForm, VenueAnswer, VenueForm
from tianfu.console.parts import ConsoleParts, operator
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Purpose
from tianfu.venues import create, store, vehicles
from tianfu.venues.poster_svg import poster_svg

# The drawing styles itself and loads nothing.
_SVG_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


@post("/venues", status_code=201, operation_class=documented(VenueForm), sync_to_thread=True)
def create_venue(request: AnyRequest, console: ConsoleParts, body: RawBody) -> VenueAnswer:
    """Create a venue in my district."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(VenueForm, body)
    checked = create.check(name=sent.name, category=sent.category, district=sent.district, address=sent.address)
    return VenueAnswer.of(create.create(console.database, account.principal, checked, at=at))


@post("/vehicles", status_code=201, operation_class=documented(VehicleForm), sync_to_thread=True)
def create_vehicle(request: AnyRequest, console: ConsoleParts, body: RawBody) -> VenueAnswer:
    """Create a vehicle: a venue whose code says plate and operator."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(VehicleForm, body)
    checked = vehicles.check(kind=sent.kind, plate=sent.plate, operator=sent.operator, district=sent.district)
    return VenueAnswer.of(vehicles.create_vehicle(console.database, account.principal, checked, at=at))


@get("/venues", sync_to_thread=True)
def my_venues(request: AnyRequest, console: ConsoleParts) -> list[VenueAnswer]:
    """The venues I answer for."""
    account = operator(console, request, console.clock.now())
    require(account.principal, Action.LIST_VENUES, Resource(place=None))
    with console.database.read(Purpose.OPERATOR) as read:
        found = store.managed_by(read, account.account_ref, create.VENUES_PER_MANAGER_MAX)
    return [VenueAnswer.of(venue) for venue in found]


@get("/venues/{venue_ref:int}/poster.svg", sync_to_thread=True)
def poster(request: AnyRequest, console: ConsoleParts, venue_ref: FromPath[int]) -> Response[str]:
    """The poster of the present generation, ready to print; for a vehicle its code."""
    at = console.clock.now()
    account = operator(console, request, at)
    with console.database.read(Purpose.OPERATOR) as read:
        venue = create.own(read, account.principal, venue_ref, Action.PRINT_POSTER)
        signers = console.keys.at(int(at.timestamp())).signers
        claim, text = vehicles.printed(read, venue, signers, console.public_origin)
    drawing = poster_svg(claim, text, place=venue.address)
    return Response(
        drawing,
        media_type="image/svg+xml",
        headers={
            "content-security-policy": _SVG_POLICY,
            "content-disposition": f'inline; filename="venue-{venue.venue_ref}.svg"',
        },
    )


@post("/venues/{venue_ref:int}/guards", status_code=204, operation_class=documented(GuardForm), sync_to_thread=True)
def bind_guard(request: AnyRequest, console: ConsoleParts, venue_ref: FromPath[int], body: RawBody) -> None:
    """Let a guard's account check codes at my venue."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(GuardForm, body)
    create.bind_guard(console.database, account.principal, venue_ref, sent.username, at=at)


@post("/venues/{venue_ref:int}/generation", status_code=200, sync_to_thread=True)
def renew_poster(request: AnyRequest, console: ConsoleParts, venue_ref: FromPath[int]) -> VenueAnswer:
    """Start a new generation: posters printed before are refused from now on."""
    at = console.clock.now()
    account = operator(console, request, at)
    return VenueAnswer.of(create.renew_poster(console.database, account.principal, venue_ref, at=at))


@post("/venues/{venue_ref:int}/closing", status_code=204, sync_to_thread=True)
def close_venue(request: AnyRequest, console: ConsoleParts, venue_ref: FromPath[int]) -> None:
    """Close my venue for good."""
    at = console.clock.now()
    account = operator(console, request, at)
    create.close(console.database, account.principal, venue_ref, at=at)
