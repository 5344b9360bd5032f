"""What strangers have done to other codes, tried on every signed format of ours."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.support.codes import AT, HOLDER, gate_ring
from tests.support.credentials import Phone, card_of, card_text
from tests.support.gate import GateWorld, request
from tests.support.lists import ORIGIN, not_green_text, pinned, trust_text
from tianfu.access.session import SessionInvalidError, SessionKeys
from tianfu.errors import TianfuError
from tianfu.passcode import base45
from tianfu.passcode.issue import Issuer
from tianfu.passcode.lists import read_trust
from tianfu.passcode.offline import Trust
from tianfu.passcode.verify import verify
from tianfu.platform import base64url
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKey, VerifyKeys, generate_secret
from tianfu.venues.poster import read_poster
from tianfu.venues.vehicle import VehicleClaim, vehicle_text

FORMATS = ("HK1", "HK2", "HK3", "HKL", "vehicle")
DEVICE_TAIL = 68


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    return gate_ring(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def genuine(ring: GateKeys, kind: str) -> str:
    if kind == "HK1":
        return Issuer(ring).issue(HOLDER, 1, 7, AT).text
    if kind == "HK2":
        return card_text(ring, card_of(ring, 1, AT), AT)
    if kind == "HK3":
        return Phone(ring, 1, AT).text(AT)
    if kind == "HKL":
        return trust_text(ring, AT)
    signer = ring.at(AT).signers[KeyPurpose.VEHICLE]
    return vehicle_text(signer, VehicleClaim(bytes(16), 1, "bus", "川A1", "公交"), ORIGIN)


def accept(ring: GateKeys, kind: str, text: str) -> None:
    """Read `text` as the one who meets it does; an error of ours when it is refused."""
    if kind == "HKL":
        read_trust(text, ring.at(AT).verify)
    elif kind == "vehicle":
        read_poster(text, ring.at(AT).verify, ORIGIN)
    else:
        verify(text, ring, AT)


def message_of(kind: str, text: str) -> tuple[bytes, Callable[[bytes], str]]:
    """The signed message inside a text, and how to put another in its place."""
    if kind in {"HK1", "HK2"}:
        return base45.decode(text[4:]), lambda message: text[:4] + base45.encode(message)
    if kind == "HK3":
        data = base45.decode(text[4:])
        return data[:-DEVICE_TAIL], lambda message: "HK3:" + base45.encode(message + data[-DEVICE_TAIL:])
    start = 4 if kind == "HKL" else text.index("#") + 1
    return base64url.decode(text[start:]), lambda message: text[:start] + base64url.encode(message)


def attacker_signed(protected: bytes, unprotected: Mapping[int, object], payload: bytes, key: SigningKey) -> bytes:
    """A message as any library would make it, with the attacker's own key."""
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    return cbor2.dumps([protected, unprotected, payload, key.sign(signed)], canonical=True)


@pytest.mark.parametrize("kind", FORMATS)
def test_4_a_code_signed_with_the_attackers_own_key_is_refused_whatever_its_header_says(
    ring: GateKeys, kind: str
) -> None:
    text = genuine(ring, kind)
    accept(ring, kind, text)
    message, put = message_of(kind, text)
    protected, _, payload, _ = cbor2.loads(message)
    kid = cbor2.loads(protected)[4]
    key = SigningKey(generate_secret(), KeyPurpose.PERSONAL)
    point = {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}

    for header, unprotected in (
        ({1: -7, 4: kid}, {}),
        ({1: -7, 4: key.kid}, {}),
        ({1: 0, 4: kid}, {}),
        ({1: -35, 4: kid}, {}),
        ({1: -65_537, 4: kid}, {}),
        ({1: -7}, {4: kid}),
        ({1: -7, 4: key.kid}, {-1: point}),
        ({1: -7, 4: kid, 5: "https://evil.example/jwks"}, {}),
        ({}, {}),
    ):
        forged = attacker_signed(cbor2.dumps(header, canonical=True), unprotected, payload, key)
        with pytest.raises(TianfuError):
            accept(ring, kind, put(forged))


@pytest.mark.parametrize("kind", FORMATS)
def test_4_a_message_without_a_signature_or_with_an_empty_one_is_refused(ring: GateKeys, kind: str) -> None:
    message, put = message_of(kind, genuine(ring, kind))

    for changed in (message[:-66], message[:-66] + b"\x40", message[:-64] + bytes(64), message[:-64] + b"\xff" * 64):
        with pytest.raises(TianfuError):
            accept(ring, kind, put(changed))


def test_5_of_two_keys_with_one_kid_each_is_tried_and_none_with_another(ring: GateKeys) -> None:
    first, second = (SigningKey(generate_secret(), KeyPurpose.LIST) for _ in range(2))
    second.kid = first.kid
    keys = VerifyKeys(VerifyKey(key.verify_key()._public, KeyPurpose.LIST, kid=first.kid) for key in (first, second))
    third = SigningKey(generate_secret(), KeyPurpose.LIST)
    list_ring = ring.at(AT).verify
    message, put = message_of("HKL", trust_text(ring, AT))
    _, _, payload, _ = cbor2.loads(message)

    def by(key: SigningKey, kid: bytes) -> str:
        return put(attacker_signed(cbor2.dumps({1: -7, 4: kid}), {}, payload, key))

    assert read_trust(by(first, first.kid), keys) == read_trust(by(second, first.kid), keys)
    for key, kid, trusted in ((third, first.kid, keys), (first, third.kid, keys), (first, first.kid, list_ring)):
        with pytest.raises(TianfuError):
            read_trust(by(key, kid), trusted)


@pytest.mark.parametrize(("kind", "other"), list(itertools.permutations(FORMATS, 2)))
def test_6_a_code_of_one_kind_is_none_of_another(ring: GateKeys, kind: str, other: str) -> None:
    message, _ = message_of(kind, genuine(ring, kind))
    _, put = message_of(other, genuine(ring, other))

    with pytest.raises(TianfuError):
        accept(ring, other, put(message))


def test_16_a_card_opens_nothing_it_can_only_be_checked(world: GateWorld) -> None:
    at = world.at_ms // 1000
    text = card_text(world.ring, card_of(world.ring, 1, at), at)

    for handler in (world.code.show, world.code.changes, world.venue.scan, world.guard.check):
        with pytest.raises(SessionInvalidError):
            handler(request(text, {"code": text}))
    with pytest.raises(SessionInvalidError):
        SessionKeys(world.ring).open(text, at)
    answer = json.loads(world.guard.check(request(world.guard_token(), {"code": text})).body)
    assert set(answer) <= {
        *("verdict", "kind", "colour", "popup", "reason", "rule_set", "test", "masked_name", "last_digits"),
        "vaccination",
        *("checked_at", "board_age_seconds", "server_time"),
    }


@pytest.mark.parametrize("kind", FORMATS)
def test_21_a_der_signature_a_tag_or_a_byte_more_is_refused(ring: GateKeys, kind: str) -> None:
    message, put = message_of(kind, genuine(ring, kind))
    raw = message[-64:]
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    for changed in (
        message[:-66] + cbor2.dumps(der),
        b"\xd2" + message,
        message + b"\0",
        b"\0" + message,
        b"\x9f" + message[1:] + b"\xff",
        b"\xef\xbb\xbf" + message,
    ):
        with pytest.raises(TianfuError):
            accept(ring, kind, put(changed))


def test_25_no_two_signatures_share_a_nonce(ring: GateKeys) -> None:
    """Two messages with one nonce would have one r, and give the key away."""
    seen = set()
    for number in range(200):
        message, _ = message_of("HK2", card_text(ring, card_of(ring, 1, AT, generation=number + 1), AT))
        seen.add(message[-64:-32])
    assert len(seen) == 200


@pytest.mark.parametrize(
    "text",
    [
        "https://jkt.example.cn.evil.example/v#hEmi",
        "https://evil.example/?https://jkt.example.cn/v#hEmi",
        "javascript:alert(1)",
        "tel:10086",
        "HK2:https://evil.example/",
        "HK9:PWGSLKC",
    ],
)
def test_26_a_code_that_is_a_link_is_not_opened_and_not_valid(ring: GateKeys, text: str) -> None:
    trust = Trust(pinned(ring, AT), ORIGIN)
    trust.take_trust(trust_text(ring, AT))
    trust.take_not_green(not_green_text(ring, AT))

    assert trust.verdict(text, AT).verdict == "invalid"


def test_a_point_of_another_curve_is_no_key_of_a_phone(ring: GateKeys) -> None:
    numbers = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    phone = Phone(ring, 1, AT, public_key=bytes((2 + numbers.y % 2,)) + numbers.x.to_bytes(32, "big"))

    with pytest.raises(TianfuError):
        verify(phone.text(AT), ring, AT)
