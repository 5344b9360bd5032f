from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.platform import base64url
from tianfu.platform.cose import sign1
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKeys, generate_secret
from tianfu.venues.poster import PosterClaim, PosterInvalidError, poster_text, read_poster
from tianfu.venues.vehicle import (
    FRAGMENT_CHARACTERS_MAX,
    GENERATION_MAX,
    KINDS,
    OPERATOR_CHARACTERS_MAX,
    VehicleClaim,
    vehicle_text,
)

ORIGIN = "https://jkt.example.cn"
SIGNER = SigningKey(generate_secret(), KeyPurpose.VEHICLE)
VENUE_SIGNER = SigningKey(generate_secret(), KeyPurpose.VENUE)
KEYS = VerifyKeys([SIGNER.verify_key(), VENUE_SIGNER.verify_key()])
CLAIM = VehicleClaim(bytes(range(16)), 3, "coach", "川A12345", "四川蜀运客运公司")
TEXT = vehicle_text(SIGNER, CLAIM, ORIGIN)
POSTER = PosterClaim(bytes(range(16)), 3, "510104", "transport", "成都东站")

claims = st.builds(
    VehicleClaim,
    venue_id=st.binary(min_size=16, max_size=16),
    generation=st.integers(1, GENERATION_MAX),
    kind=st.sampled_from(KINDS),
    plate=st.text(min_size=1, max_size=6),
    operator=st.text(min_size=1, max_size=OPERATOR_CHARACTERS_MAX),
)


def link(content: object) -> str:
    """A vehicle's code with a real signature over any content."""
    body = content if isinstance(content, bytes) else cbor2.dumps(content)
    return f"{ORIGIN}/t#" + base64url.encode(sign1(SIGNER, body))


def refuse(text: str, *, keys: VerifyKeys = KEYS, origin: str = ORIGIN) -> None:
    with pytest.raises(PosterInvalidError):
        read_poster(text, keys, origin)


@given(claims)
def test_a_vehicles_code_says_what_it_was_made_from_in_the_general_encoding(claim: VehicleClaim) -> None:
    text = vehicle_text(SIGNER, claim, ORIGIN)

    assert text == link(list(claim))
    assert read_poster(text, KEYS, ORIGIN) == claim


def test_a_vehicle_reads_like_a_venue() -> None:
    found = read_poster(TEXT, KEYS, ORIGIN)

    assert (found.name, found.category, found.district) == ("川A12345 四川蜀运客运公司", "vehicle", "")


def test_the_longest_code_fits_into_the_limit() -> None:
    longest = VehicleClaim(bytes(16), GENERATION_MAX, "coach", "川" * 8, "𠮷" * OPERATOR_CHARACTERS_MAX)
    text = vehicle_text(SIGNER, longest, ORIGIN)

    assert len(text) - len(f"{ORIGIN}/t#") == FRAGMENT_CHARACTERS_MAX
    assert read_poster(text, KEYS, ORIGIN) == longest


def test_path_and_key_belong_together() -> None:
    refuse(TEXT.replace("/t#", "/v#"))
    refuse(poster_text(VENUE_SIGNER, POSTER, ORIGIN).replace("/v#", "/t#"))
    refuse(vehicle_text(VENUE_SIGNER, CLAIM, ORIGIN))
    refuse(poster_text(SIGNER, POSTER, ORIGIN))


@pytest.mark.parametrize(
    "start", ["http://jkt.example.cn", "https://jkt.example.cn.evil.example", "https://evil.cn", ""]
)
def test_another_origin_is_refused(start: str) -> None:
    refuse(TEXT.replace(ORIGIN, start))


@pytest.mark.parametrize(
    "claim",
    [
        CLAIM._replace(venue_id=bytes(15)),
        CLAIM._replace(generation=0),
        CLAIM._replace(generation=GENERATION_MAX + 1),
        CLAIM._replace(kind="plane"),
        CLAIM._replace(plate=""),
        CLAIM._replace(plate="川" * 9),
        CLAIM._replace(operator=""),
        CLAIM._replace(operator="运" * 61),
    ],
)
def test_values_outside_the_limits_are_refused_before_and_after_signing(claim: VehicleClaim) -> None:
    with pytest.raises(ValueError):
        vehicle_text(SIGNER, claim, ORIGIN)
    refuse(link(list(claim)))


@given(position=st.integers(len(ORIGIN), len(TEXT) - 1), character=st.characters(codec="ascii"))
def test_a_changed_character_is_refused(position: int, character: str) -> None:
    changed = TEXT[:position] + character + TEXT[position + 1 :]

    if changed != TEXT:
        refuse(changed)


@given(st.binary(max_size=200))
def test_content_of_any_kind_under_a_good_signature_ends_in_an_error_of_ours(content: bytes) -> None:
    refuse(link(content))


@given(st.text(max_size=600))
def test_random_text_is_refused(text: str) -> None:
    refuse(f"{ORIGIN}/t#{text}")


def test_the_next_and_the_previous_id_are_another_vehicle_that_nobody_signed() -> None:
    for near in (bytes(15) + b"\x01", CLAIM.venue_id[:-1] + b"\x10", CLAIM.venue_id[:-1] + b"\x0e"):
        content = cbor2.dumps(list(CLAIM._replace(venue_id=near)))
        message = base64url.decode(TEXT.partition("#")[2])
        body = message.replace(cbor2.dumps(list(CLAIM)), content)
        assert body != message
        refuse(f"{ORIGIN}/t#" + base64url.encode(body))
