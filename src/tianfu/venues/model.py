"""What a venue is."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Final

import msgspec

from tianfu.ids import VenueRef

NAME_LENGTH_MAX: Final = 60
ADDRESS_LENGTH_MAX: Final = 120
VENUE_ID_BYTES: Final = 16


class VenueCategory(enum.Enum):
    """The classes of venue where scanning was compulsory in Sichuan, one word each."""

    MEDICAL = "medical"
    PRISON = "prison"
    WELFARE = "welfare"
    SCHOOL = "school"
    MARKET = "market"
    RETAIL = "retail"
    CATERING = "catering"
    EXHIBITION = "exhibition"
    TOURISM = "tourism"
    CULTURE = "culture"
    SPORT = "sport"
    HOTEL = "hotel"
    TRANSPORT = "transport"
    PARK = "park"
    COMMUNITY = "community"
    VEHICLE = "vehicle"


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """A place with a poster.

    The poster carries `venue_id` (random, so that no neighbour can be guessed) and `generation`: a poster of an older
    generation is refused. `manager` is the account that answers for it; a venue with `closed_at` takes no visits.
    """

    venue_ref: VenueRef
    venue_id: bytes
    name: str
    category: VenueCategory
    district: str
    address: str
    manager: int
    generation: int
    created_at: datetime
    closed_at: datetime | None
    sequence: int
