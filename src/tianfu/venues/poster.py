"""The text in a venue's poster: a link to our own origin whose fragment is signed; and reading it, or a vehicle's.

`<origin>/v#<COSE_Sign1 in base64url without padding>`. A plain camera app opens our page; the fragment never reaches
a server log. The signature makes a sticker over the poster worthless, the 128-bit random id makes guessing one
hopeless, and the name inside lets the page ask "is this where you are?" without network.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tianfu.platform.cbor import NUMBER, byte_string, number, read_bytes, read_head, read_text, text
from tianfu.platform.cose import CodeInvalidError
from tianfu.platform.sign import KeyPurpose, Signer, VerifyKeys
from tianfu.venues import vehicle
from tianfu.venues.link import PATH_VEHICLE, PATH_VENUE, content_of, link
from tianfu.venues.vehicle import VehicleClaim

VENUE_ID_BYTES: Final = 16
GENERATION_MAX: Final = 2**16 - 1
DISTRICT_CHARACTERS: Final = 6
CATEGORY_BYTES_MAX: Final = 24
NAME_CHARACTERS_MAX: Final = 60

_ARRAY_OF_5: Final = b"\x85"

# Content 1 + 17 + 3 + 7 + 26 + 242 = 296 bytes, COSE 81 bytes around it: 377 bytes, 503 characters of base64url.
FRAGMENT_CHARACTERS_MAX: Final = 503


class PosterInvalidError(CodeInvalidError):
    """The text is not a poster of ours: another site, changed, or signed with a key that is no venue key."""

    code = "poster_invalid"
    zh = "这不是天府健康通的场所码，请勿继续操作，并告知场所工作人员。"
    en = "This is not a Tianfu venue code. Do not go on; please tell the staff of the venue."


class PosterClaim(NamedTuple):
    """What a poster says of its venue.

    `venue_id` is random; `generation` tells whether this poster is the current one; `district` is a GB/T 2260 code
    and `category` a stable word. Whether the venue still exists is for the board to say.
    """

    venue_id: bytes
    generation: int
    district: str
    category: str
    name: str


def poster_text(signer: Signer, claim: PosterClaim, public_origin: str) -> str:
    """The text for the QR of `claim`'s poster. `public_origin` has no slash at its end.

    Raises `ValueError` for a claim outside the limits above: the caller's bug.
    """
    return link(signer, _encode(claim), public_origin + PATH_VENUE)


def read_poster(text: str, keys: VerifyKeys, public_origin: str) -> PosterClaim | VehicleClaim:
    """What the poster or the vehicle's code with `text` claims, if it is ours.

    Raises `PosterInvalidError` and nothing else. Only links to `public_origin` count, each path with keys of its own
    purpose; nothing is opened or fetched.
    """
    try:
        if text.startswith(public_origin + PATH_VEHICLE):
            content = content_of(
                text,
                public_origin + PATH_VEHICLE,
                keys,
                KeyPurpose.VEHICLE,
                fragment_max=vehicle.FRAGMENT_CHARACTERS_MAX,
            )
            return vehicle.decode(content)
        return _decode(
            content_of(
                text,
                public_origin + PATH_VENUE,
                keys,
                KeyPurpose.VENUE,
                fragment_max=FRAGMENT_CHARACTERS_MAX,
            )
        )
    except (CodeInvalidError, ValueError, IndexError):
        raise PosterInvalidError from None


def _encode(claim: PosterClaim) -> bytes:
    name = claim.name.encode()
    category = claim.category.encode()
    district_is_sound = claim.district.isascii() and claim.district.isdigit()
    if (
        len(claim.venue_id) != VENUE_ID_BYTES
        or not 1 <= claim.generation <= GENERATION_MAX
        or not district_is_sound
        or len(claim.district) != DISTRICT_CHARACTERS
    ):
        message = "venue id, generation or district is outside its limits"
        raise ValueError(message)
    if not 1 <= len(category) <= CATEGORY_BYTES_MAX or not 1 <= len(claim.name) <= NAME_CHARACTERS_MAX:
        message = "category or name is outside its limits"
        raise ValueError(message)
    parts = (byte_string(claim.venue_id), number(claim.generation), text(claim.district.encode()), text(category))
    return _ARRAY_OF_5 + b"".join(parts) + text(name)


def _decode(content: bytes) -> PosterClaim:
    """The claim that `_encode` wrote. Raises `ValueError` or `IndexError` for any other bytes."""
    venue_id, at = read_bytes(content, len(_ARRAY_OF_5))
    generation, at = read_head(content, at, NUMBER)
    district, at = read_text(content, at)
    category, at = read_text(content, at)
    name, _ = read_text(content, at)
    claim = PosterClaim(venue_id, generation, district, category, name)
    if _encode(claim) != content:
        message = "not the one encoding"
        raise ValueError(message)
    return claim
