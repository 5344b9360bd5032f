from __future__ import annotations

import binascii

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.platform.cose import sign1
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKeys, generate_secret
from tianfu.venues.poster import (
    CATEGORY_BYTES_MAX,
    FRAGMENT_CHARACTERS_MAX,
    GENERATION_MAX,
    NAME_CHARACTERS_MAX,
    PosterClaim,
    PosterInvalidError,
    poster_text,
    read_poster,
)

ORIGIN = "https://jkt.example.cn"
SIGNER = SigningKey(generate_secret(), KeyPurpose.VENUE)
KEYS = VerifyKeys([SIGNER.verify_key()])
CLAIM = PosterClaim(bytes(range(16)), 3, "510104", "transport", "成都东站")
TEXT = poster_text(SIGNER, CLAIM, ORIGIN)

claims = st.builds(
    PosterClaim,
    venue_id=st.binary(min_size=16, max_size=16),
    generation=st.integers(1, GENERATION_MAX),
    district=st.text(alphabet="0123456789", min_size=6, max_size=6),
    category=st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=CATEGORY_BYTES_MAX),
    name=st.text(min_size=1, max_size=NAME_CHARACTERS_MAX),
)


def link(content: object, *, signer: SigningKey = SIGNER) -> str:
    """A poster with a real signature over any content."""
    message = sign1(signer, cbor2.dumps(content))
    return f"{ORIGIN}/v#" + binascii.b2a_base64(message, newline=False).decode().translate(
        str.maketrans("+/", "-_", "=")
    )


def refuse(text: str, *, keys: VerifyKeys = KEYS, origin: str = ORIGIN) -> None:
    with pytest.raises(PosterInvalidError):
        read_poster(text, keys, origin)


@given(claims)
def test_a_poster_says_what_it_was_made_from_in_the_general_encoding(claim: PosterClaim) -> None:
    text = poster_text(SIGNER, claim, ORIGIN)

    assert text == link(list(claim))
    assert read_poster(text, KEYS, ORIGIN) == claim


def test_the_longest_poster_fits_into_the_limit() -> None:
    longest = CLAIM._replace(
        generation=GENERATION_MAX, category="x" * CATEGORY_BYTES_MAX, name="🐼" * NAME_CHARACTERS_MAX
    )
    text = poster_text(SIGNER, longest, ORIGIN)

    assert len(text) == len(ORIGIN) + len("/v#") + FRAGMENT_CHARACTERS_MAX
    assert read_poster(text, KEYS, ORIGIN) == longest


@pytest.mark.parametrize(
    "claim",
    [
        CLAIM._replace(venue_id=b"short"),
        CLAIM._replace(generation=0),
        CLAIM._replace(generation=GENERATION_MAX + 1),
        CLAIM._replace(district="51010"),
        CLAIM._replace(district="51010x"),
        CLAIM._replace(district="５10104"),
        CLAIM._replace(category=""),
        CLAIM._replace(category="x" * (CATEGORY_BYTES_MAX + 1)),
        CLAIM._replace(name=""),
        CLAIM._replace(name="x" * (NAME_CHARACTERS_MAX + 1)),
    ],
)
def test_a_claim_outside_the_limits_is_neither_made_nor_read(claim: PosterClaim) -> None:
    with pytest.raises(ValueError, match="limits"):
        poster_text(SIGNER, claim, ORIGIN)
    refuse(link(list(claim)))


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("https://jkt.example.cn", "https://jkt.example.cn.evil.example"),
        TEXT.replace("https://", "http://"),
        TEXT.replace("https://jkt", "https://JKT"),
        TEXT.replace("https://jkt", "https://user@jkt"),
        TEXT.replace("example.cn/", "example.cn:443/"),
        TEXT.replace("/v#", "/v/#"),
        TEXT.replace("/v#", "/v?x#"),
        TEXT.replace("/v#", "/w#"),
        " " + TEXT,
        TEXT + " ",
        TEXT + "=",
        TEXT + "A",
        TEXT + "AAAA",
        TEXT[:-1],
        TEXT.partition("#")[2],
        ORIGIN,
        ORIGIN + "/v#",
        ORIGIN + "/v#AAAA",
        ORIGIN + "/v#场所",
        "",
        "https://example.org/",
    ],
)
def test_another_site_or_another_writing_is_refused(text: str) -> None:
    refuse(text)


def test_our_poster_is_refused_by_an_installation_with_another_origin() -> None:
    refuse(TEXT, origin="https://other.example.cn")


def test_a_fragment_of_ten_million_characters_is_refused() -> None:
    refuse(f"{ORIGIN}/v#" + "A" * 10_000_000)


def test_a_poster_of_an_unknown_key_or_a_key_for_something_else_is_refused() -> None:
    refuse(TEXT, keys=VerifyKeys([SigningKey(generate_secret(), KeyPurpose.VENUE).verify_key()]))
    personal = SigningKey(generate_secret(), KeyPurpose.PERSONAL)
    refuse(link(list(CLAIM), signer=personal), keys=VerifyKeys([personal.verify_key()]))


@pytest.mark.parametrize(
    "content",
    [
        [*CLAIM, 0],
        list(CLAIM)[:-1],
        {},
        7,
        [CLAIM.venue_id, 3.0, *CLAIM[2:]],
        [CLAIM.venue_id.hex(), *CLAIM[1:]],
        [*CLAIM[:4], CLAIM.name.encode()],
    ],
)
def test_content_of_another_shape_is_refused_under_a_good_signature(content: object) -> None:
    refuse(link(content))


@given(position=st.integers(0, len(TEXT) - 1), character=st.characters())
def test_a_changed_character_is_refused(position: int, character: str) -> None:
    changed = TEXT[:position] + character + TEXT[position + 1 :]

    if changed != TEXT:
        refuse(changed)


@given(st.text(max_size=600))
def test_random_text_is_refused(text: str) -> None:
    refuse(text)
    refuse(f"{ORIGIN}/v#{text}")


@given(st.binary(max_size=377))
def test_random_content_is_refused_under_a_good_signature(content: bytes) -> None:
    message = sign1(SIGNER, content)
    refuse(
        f"{ORIGIN}/v#" + binascii.b2a_base64(message, newline=False).decode().translate(str.maketrans("+/", "-_", "="))
    )
