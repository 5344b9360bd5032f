from __future__ import annotations

import hashlib
import random
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.codes import AT, gate_ring
from tests.support.credentials import mirrored
from tests.support.lists import LIFE, not_green_text, told, trust_text
from tianfu.passcode.lists import (
    ENTRIES_MAX,
    FILTER_BYTES_MADE_MIN,
    FILTER_BYTES_MAX,
    HASHES,
    LIST_CHARACTERS_MAX,
    LIST_LIFE_SECONDS_MAX,
    ListInvalidError,
    ListTooLongError,
    NotGreenList,
    TrustList,
    not_green,
    read_not_green,
    read_trust,
    sign_list,
)
from tianfu.platform import base64url
from tianfu.platform.cose import PAYLOAD_BYTES_MAX, sign1
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKeys, generate_secret

SIGNER = SigningKey(generate_secret(), KeyPurpose.LIST)
KEYS = VerifyKeys([SIGNER.verify_key()])


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    return gate_ring(tmp_path_factory.mktemp("gate"))


def ids(count: int, seed: int) -> list[bytes]:
    source = random.Random(seed)
    return [source.randbytes(16) for _ in range(count)]


def signed(content: object) -> str:
    """A list with a good signature over any content."""
    body = content if isinstance(content, bytes) else cbor2.dumps(content, canonical=True)
    return "HKL:" + base64url.encode(sign1(SIGNER, body))


def refuse(text: str) -> None:
    for read in (read_trust, read_not_green):
        with pytest.raises(ListInvalidError):
            read(text, KEYS)


def test_a_trust_list_tells_the_keys_it_was_made_of_in_the_general_encoding(ring: GateKeys) -> None:
    made = TrustList(9, AT, AT + LIFE, told(ring, AT))
    text = sign_list(SIGNER, made)

    assert read_trust(text, KEYS) == made
    keys = [[key.purpose.value, key.kid, key.point, key.starts_at, key.ends_at] for key in made.keys]
    assert text == signed(["trust", 9, AT, AT + LIFE, keys])
    assert {key.purpose.value for key in made.keys} == {"personal", "card", "device", "venue", "vehicle", "list"}


def test_a_not_green_list_comes_back_in_the_general_encoding() -> None:
    made = not_green(ids(100, 1), number=70_000, issued_at=AT, expires_at=AT + LIFE)
    text = sign_list(SIGNER, made)

    assert read_not_green(text, KEYS) == made
    assert text == signed(["not-green", 70_000, AT, AT + LIFE, 100, HASHES, made.bits])
    assert len(made.bits) == FILTER_BYTES_MADE_MIN


def test_the_bits_are_where_the_page_says() -> None:
    credential = bytes(range(16))
    made = not_green([credential], number=5, issued_at=AT, expires_at=AT + LIFE)
    digest = hashlib.sha256(credential + b"\0\0\0\5").digest()
    a, b = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
    size = len(made.bits) * 8

    expected = {(a + i * b) % size for i in range(13)}
    assert {bit for bit in range(size) if made.bits[bit // 8] >> bit % 8 & 1} == expected


def test_every_entry_is_found_and_of_others_about_one_in_ten_thousand() -> None:
    listed = ids(5_000, 2)
    made = not_green(listed, number=3, issued_at=AT, expires_at=AT + LIFE)

    assert all(made.has(credential) for credential in listed)
    wrong = sum(made.has(credential) for credential in ids(60_000, 3))
    assert wrong <= 15, "6 are expected of 60,000 at one in 10,000; 15 is four deviations away"


@pytest.mark.parametrize("count", [1, 3, 50, 800])
def test_a_short_list_stops_no_more_of_the_others(count: int) -> None:
    strangers = ids(60_000, 5)

    made = not_green(ids(count, 4), number=7, issued_at=AT, expires_at=AT + LIFE)

    wrong = sum(made.has(credential) for credential in strangers)
    assert wrong <= 24, "9 are expected at most, at 0.00015; 24 is five deviations away"


def test_who_is_wrongly_stopped_by_one_list_is_let_through_by_the_next() -> None:
    listed = ids(3_000, 4)
    first, second = (not_green(listed, number=number, issued_at=AT, expires_at=AT + LIFE) for number in (1, 2))
    wrong = [credential for credential in ids(100_000, 5) if first.has(credential)]

    assert wrong
    assert not any(second.has(credential) for credential in wrong)


def test_an_empty_list_stops_nobody() -> None:
    made = not_green([], number=1, issued_at=AT, expires_at=AT + LIFE)

    assert not any(made.has(credential) for credential in ids(1_000, 6))


def test_the_longest_list_fits_into_a_message_and_a_longer_one_is_refused_never_cut() -> None:
    longest = NotGreenList(2**32 - 1, 2**32 - 9, 2**32 - 1, ENTRIES_MAX, HASHES, bytes(FILTER_BYTES_MAX))
    text = sign_list(SIGNER, longest)

    assert len(text) <= LIST_CHARACTERS_MAX
    assert FILTER_BYTES_MAX < PAYLOAD_BYTES_MAX
    assert read_not_green(text, KEYS) == longest
    with pytest.raises(ListTooLongError):
        not_green(range(ENTRIES_MAX + 1), number=1, issued_at=AT, expires_at=AT + LIFE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "made",
    [
        TrustList(2**32, AT, AT + LIFE, ()),
        TrustList(1, AT, AT, ()),
        TrustList(1, 0, LIFE, ()),
        TrustList(1, AT, AT + LIST_LIFE_SECONDS_MAX + 1, ()),
        NotGreenList(1, AT, AT + LIFE, 0, 0, bytes(8)),
        NotGreenList(1, AT, AT + LIFE, 0, 33, bytes(8)),
        NotGreenList(1, AT, AT + LIFE, 0, 13, bytes(7)),
        NotGreenList(1, AT, AT + LIFE, 0, 13, bytes(FILTER_BYTES_MAX + 1)),
        NotGreenList(1, AT, AT + LIFE, ENTRIES_MAX + 1, 13, bytes(8)),
    ],
)
def test_values_outside_the_limits_are_refused_before_and_after_signing(made: TrustList | NotGreenList) -> None:
    kind = "trust" if isinstance(made, TrustList) else "not-green"
    with pytest.raises(ValueError):
        sign_list(SIGNER, made)
    refuse(signed([kind, *made]))


def test_a_key_that_is_not_what_its_kid_says_or_off_the_curve_is_refused(ring: GateKeys) -> None:
    key = told(ring, AT)[0]

    for wrong in (
        [key.purpose.value, bytes(4), key.point, 0, 0],
        [key.purpose.value, hashlib.sha256(b"\4" + b"\xff" * 64).digest()[:4], b"\xff" * 64, 0, 0],
        ["evidence", key.kid, key.point, 0, 0],
        ["personal", key.kid, key.point[:63], 0, 0],
        [key.purpose.value, key.kid, key.point, 0],
    ):
        refuse(signed(["trust", 1, AT, AT + LIFE, [wrong]]))
    refuse(signed(["trust", 1, AT, AT + LIFE, [["card", key.kid, key.point, 0, 0]] * 1_441]))


@pytest.mark.parametrize("purpose", [purpose for purpose in KeyPurpose if purpose is not KeyPurpose.LIST])
def test_a_list_signed_with_one_of_our_keys_for_something_else_is_refused(ring: GateKeys, purpose: KeyPurpose) -> None:
    keys = ring.at(AT).verify

    assert read_trust(trust_text(ring, AT), keys).number == 1
    with pytest.raises(ListInvalidError):
        read_trust(trust_text(ring, AT, purpose=purpose), keys)


def test_a_list_of_another_installation_is_refused(ring: GateKeys, tmp_path: Path) -> None:
    elsewhere = gate_ring(tmp_path)

    for read, text in ((read_trust, trust_text(elsewhere, AT)), (read_not_green, not_green_text(elsewhere, AT))):
        with pytest.raises(ListInvalidError):
            read(text, ring.at(AT).verify)


def test_one_kind_is_not_read_as_the_other_but_a_mirrored_signature_is_the_same_list(ring: GateKeys) -> None:
    keys = ring.at(AT).verify
    text = trust_text(ring, AT)

    with pytest.raises(ListInvalidError):
        read_not_green(text, keys)
    with pytest.raises(ListInvalidError):
        read_trust(not_green_text(ring, AT), keys)
    message = base64url.decode(text[4:])
    other = "HKL:" + base64url.encode(message[:-64] + mirrored(message[-64:]))
    assert read_trust(other, keys) == read_trust(text, keys)


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300).map(base64url.encode)))
def test_random_text_is_refused(text: str) -> None:
    refuse(text)
    refuse("HKL:" + text)


@given(st.binary(max_size=300))
def test_content_of_any_kind_under_a_good_signature_ends_in_an_error_of_ours(content: bytes) -> None:
    refuse(signed(content))


@given(st.integers(0, 200), st.binary(max_size=4))
def test_changed_content_is_refused_or_is_the_one_encoding_of_another_list(position: int, between: bytes) -> None:
    body = cbor2.dumps(["not-green", 7, AT, AT + LIFE, 3, 13, bytes(180)], canonical=True)
    changed = body[:position] + between + body[position + len(between) :]
    try:
        found = read_not_green(signed(changed), KEYS)
    except ListInvalidError:
        return
    assert sign_list(SIGNER, found) == signed(changed)


def test_what_is_too_long_is_refused_unread() -> None:
    refuse("HKL:" + "A" * (LIST_CHARACTERS_MAX + 1))
    refuse("HKL:" + "A" * 1_000_003)
