"""What operators send and get, as JSON shapes. A venue's number travels as text, as every reference does."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tianfu.console.purposes import StatedForm
from tianfu.venues.model import Venue


class SignInForm(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in; a guard bound to several venues says at which one the shift is."""

    username: str
    password: str
    venue: str | int | None = None


class VenueName(msgspec.Struct, frozen=True):
    """A venue in a list."""

    venue_ref: str
    name: str


class OperatorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed in. `venue` is where a guard's session checks codes; None for a session that cannot check."""

    display_name: str
    roles: tuple[str, ...]
    venues: tuple[VenueName, ...]
    venue: VenueName | None = None


class VenueForm(msgspec.Struct, frozen=True, kw_only=True):
    """A new venue."""

    name: str
    category: str
    district: str
    address: str = ""


class VehicleForm(msgspec.Struct, frozen=True, kw_only=True):
    """A new vehicle: bus, coach, taxi, ride, train or ship; its plate or number; who operates it, and where."""

    kind: str
    plate: str
    operator: str
    district: str


class VenueAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A venue as its manager sees it."""

    venue_ref: str
    name: str
    category: str
    district: str
    address: str
    generation: int
    created_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, venue: Venue) -> VenueAnswer:
        """The answer for `venue`."""
        return cls(
            venue_ref=str(venue.venue_ref),
            name=venue.name,
            category=venue.category.value,
            district=venue.district,
            address=venue.address,
            generation=venue.generation,
            created_at=venue.created_at,
            closed_at=venue.closed_at,
        )


class GuardForm(msgspec.Struct, frozen=True):
    """An account to bind to a venue."""

    username: str


class LookupForm(StatedForm, frozen=True, kw_only=True):
    """A document whose bearer is here and agreed to be looked up."""

    document_type: str
    document_number: str
    consent: bool


class LookupTest(msgspec.Struct, frozen=True):
    """The latest result, and full hours since the sample."""

    result: str
    hours: int


class LookupAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a guard learns of a document: what they would see of a code, less the name. `checked_at` is in seconds."""

    verdict: str
    colour: str
    popup: str
    reason: str
    test: LookupTest | None
    last_digits: str
    checked_at: int


class ExplanationForm(StatedForm, frozen=True, kw_only=True):
    """Whose decision to explain (`P-000000012-62`), and why it is read."""

    person: str
