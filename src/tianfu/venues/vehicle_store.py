"""SQL of what a venue of category `vehicle` is."""

from __future__ import annotations

from typing import NamedTuple

from tianfu.ids import VenueRef
from tianfu.platform.database import Read, Write


class VehicleRow(NamedTuple):
    """A vehicle as stored."""

    kind: str
    plate: str
    operator: str


def insert(write: Write, venue_ref: VenueRef, row: VehicleRow) -> None:
    """Say what the new venue is."""
    write.execute("insert into vehicle (venue_ref, kind, plate, operator) values (%s, %s, %s, %s)", (venue_ref, *row))


def find(read: Read, venue_ref: VenueRef) -> VehicleRow | None:
    """The vehicle that the venue is; None when it is none, or has an ordinary poster."""
    row = read.row("select kind, plate, operator from vehicle where venue_ref = %s", (venue_ref,))
    return None if row is None else VehicleRow(*row)
