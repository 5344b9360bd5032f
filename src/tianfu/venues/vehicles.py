"""Vehicles as venues: creating one, and the code to put up in it, whichever kind a venue needs.

Everything else about a vehicle (guards, a new generation, closing) is as for any venue.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from tianfu.access.decide import Principal
from tianfu.access.places import is_county, is_sichuan
from tianfu.errors import Fault, InputInvalidError
from tianfu.platform.database import Database, Purpose, Read
from tianfu.platform.sign import KeyPurpose, Signer
from tianfu.venues import create, vehicle_store
from tianfu.venues.model import NAME_LENGTH_MAX, Venue, VenueCategory
from tianfu.venues.poster import PosterClaim, poster_text
from tianfu.venues.vehicle import KINDS, OPERATOR_CHARACTERS_MAX, PLATE_BYTES_MAX, VehicleClaim, vehicle_text
from tianfu.venues.vehicle_store import VehicleRow

_CUT: Final = "…"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A new vehicle whose every field can be accepted. `district` is the county that its operator answers in."""

    kind: str
    plate: str
    operator: str
    district: str


class Printed(NamedTuple):
    """What a venue puts up: what its code says, and the text for the QR."""

    claim: PosterClaim | VehicleClaim
    text: str


def check(*, kind: str, plate: str, operator: str, district: str) -> Checked:
    """The new vehicle's fields, parsed. Raises `InputInvalidError` with all faults at once."""
    faults = []
    plate, operator = " ".join(plate.split()), " ".join(operator.split())
    if kind not in KINDS:
        faults.append(Fault("kind", "vehicle_kind", "请选择车辆类型。", "Please choose a kind of vehicle."))
    if not 1 <= len(plate.encode("utf-8", "replace")) <= PLATE_BYTES_MAX or not plate.isprintable():
        faults.append(
            Fault(
                "plate",
                "plate",
                f"车牌或车次不超过 {PLATE_BYTES_MAX} 字节（约 {PLATE_BYTES_MAX // 3} 个汉字）。",
                f"A plate or number has at most {PLATE_BYTES_MAX} bytes.",
            )
        )
    if not 1 <= len(operator) <= OPERATOR_CHARACTERS_MAX or not operator.isprintable():
        faults.append(
            Fault(
                "operator",
                "vehicle_operator",
                f"运营单位名称为 1 至 {OPERATOR_CHARACTERS_MAX} 个字。",
                f"An operator's name has 1 to {OPERATOR_CHARACTERS_MAX} characters.",
            )
        )
    if not (is_sichuan(district) and is_county(district)):
        faults.append(
            Fault(
                "district",
                "district",
                "请选择运营单位所在的区县。",
                "Please choose the county of the operator.",
            )
        )
    if faults:
        raise InputInvalidError(faults=tuple(faults))
    return Checked(kind=kind, plate=plate, operator=operator, district=district)


def create_vehicle(database: Database, principal: Principal, vehicle: Checked, *, at: datetime) -> Venue:
    """A new vehicle under the asker, who may make venues in its county. Raises `ForbiddenError`, `VenueLimitError`.

    Sent twice it makes two; the second can be closed.
    """
    name = f"{vehicle.plate} {vehicle.operator}"
    if len(name) > NAME_LENGTH_MAX:
        name = name[: NAME_LENGTH_MAX - len(_CUT)] + _CUT
    venue = create.Checked(name=name, category=VenueCategory.VEHICLE, district=vehicle.district, address="")
    with database.write(Purpose.OPERATOR) as write:
        made = create.create_within(write, principal, venue, at=at)
        row = VehicleRow(vehicle.kind, vehicle.plate, vehicle.operator)
        vehicle_store.insert(write, made.venue_ref, row)
    return made


def printed(read: Read, venue: Venue, signers: Mapping[KeyPurpose, Signer], public_origin: str) -> Printed:
    """The code of the present generation: a vehicle's for a vehicle, a poster's for any other venue."""
    vehicle = vehicle_store.find(read, venue.venue_ref)
    if vehicle is not None:
        moving = VehicleClaim(venue.venue_id, venue.generation, vehicle.kind, vehicle.plate, vehicle.operator)
        return Printed(moving, vehicle_text(signers[KeyPurpose.VEHICLE], moving, public_origin))
    claim = PosterClaim(venue.venue_id, venue.generation, venue.district, venue.category.value, venue.name)
    return Printed(claim, poster_text(signers[KeyPurpose.VENUE], claim, public_origin))
