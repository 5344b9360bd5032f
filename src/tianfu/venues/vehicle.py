"""The text in a vehicle's code: a signed link like a venue's poster, for a bus, a coach, a taxi, a train or a ship.

`<origin>/t#<COSE_Sign1 in base64url without padding>`, signed with a key for vehicles only. It says plate and operator,
so that the page can ask "is this what you are boarding?" without network. A vehicle is a venue of category `vehicle`
otherwise: the same board, the same scans, the same generations.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tianfu.platform.cbor import NUMBER, byte_string, number, read_bytes, read_head, read_text, text
from tianfu.platform.sign import Signer
from tianfu.venues.link import PATH_VEHICLE, link

VEHICLE_ID_BYTES: Final = 16
GENERATION_MAX: Final = 2**16 - 1
KINDS: Final = ("bus", "coach", "taxi", "ride", "train", "ship")
PLATE_BYTES_MAX: Final = 24
OPERATOR_CHARACTERS_MAX: Final = 60
CATEGORY: Final = "vehicle"

_ARRAY_OF_5: Final = b"\x85"

# Content 1 + 17 + 3 + 6 + 26 + 242 = 295 bytes, COSE 81 bytes around it: 376 bytes, 502 characters of base64url.
FRAGMENT_CHARACTERS_MAX: Final = 502


class VehicleClaim(NamedTuple):
    """What a vehicle's code says. `venue_id` is random; `generation` tells whether this code is the current one."""

    venue_id: bytes
    generation: int
    kind: str
    plate: str
    operator: str

    @property
    def name(self) -> str:
        """What a resident sees of it, as a venue's name."""
        return f"{self.plate} {self.operator}"

    @property
    def category(self) -> str:
        """The category of venue that a vehicle is."""
        return CATEGORY

    @property
    def district(self) -> str:
        """A vehicle is in none."""
        return ""


def vehicle_text(signer: Signer, claim: VehicleClaim, public_origin: str) -> str:
    """The text for the QR of `claim`'s code. `public_origin` has no slash at its end.

    Raises `ValueError` for a claim outside the limits above: the caller's bug.
    """
    return link(signer, encode(claim), public_origin + PATH_VEHICLE)


def encode(claim: VehicleClaim) -> bytes:
    """The content bytes. Raises `ValueError` for a claim outside its limits."""
    plate = claim.plate.encode()
    if len(claim.venue_id) != VEHICLE_ID_BYTES or not 1 <= claim.generation <= GENERATION_MAX:
        message = "id or generation is outside its limits"
        raise ValueError(message)
    if claim.kind not in KINDS or not 1 <= len(plate) <= PLATE_BYTES_MAX:
        message = "kind or plate is outside its limits"
        raise ValueError(message)
    if not 1 <= len(claim.operator) <= OPERATOR_CHARACTERS_MAX:
        message = "the operator's name is outside its limits"
        raise ValueError(message)
    parts = (byte_string(claim.venue_id), number(claim.generation), text(claim.kind.encode()), text(plate))
    return _ARRAY_OF_5 + b"".join(parts) + text(claim.operator.encode())


def decode(content: bytes) -> VehicleClaim:
    """The claim that `encode` wrote. Raises `ValueError` or `IndexError` for any other bytes."""
    venue_id, at = read_bytes(content, len(_ARRAY_OF_5))
    generation, at = read_head(content, at, NUMBER)
    kind, at = read_text(content, at)
    plate, at = read_text(content, at)
    operator, _ = read_text(content, at)
    claim = VehicleClaim(venue_id, generation, kind, plate, operator)
    if encode(claim) != content:
        message = "not the one encoding"
        raise ValueError(message)
    return claim
