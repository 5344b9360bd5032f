"""Attacks on what is written in a code, tried on every signed format of ours."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.support.codes import AT, HOLDER
from tests.support.credentials import DAY, Phone, card_of, card_text, mirrored
from tests.support.gate import GateWorld, request
from tests.support.lists import ORIGIN, trust_text
from tianfu.access.session import SessionInvalidError, SessionKeys
from tianfu.errors import TianfuError
from tianfu.passcode import base45
from tianfu.passcode.issue import Issuer
from tianfu.passcode.lists import read_trust
from tianfu.passcode.verify import SKEW_SECONDS, CodeExpiredError, verify
from tianfu.platform import base64url
from tianfu.platform.cose import sign1
from tianfu.platform.http import problem
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKey, VerifyKeys, generate_secret
from tianfu.venues.poster import read_poster
from tianfu.venues.vehicle import VehicleClaim, vehicle_text

FORMATS = ("HK1", "HK2", "HK3", "HKL", "vehicle")
DEVICE_TAIL = 68
PURPOSES = {
    "HK1": KeyPurpose.PERSONAL,
    "HK2": KeyPurpose.CARD,
    "HK3": KeyPurpose.DEVICE,
    "HKL": KeyPurpose.LIST,
    "vehicle": KeyPurpose.VEHICLE,
}


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


@pytest.mark.parametrize(("kind", "life", "clock"), [("HK1", 90, 0), ("HK2", 7 * DAY, 0), ("HK3", 90, 30)])
@pytest.mark.parametrize("skew", [0, 5])
def test_attack_01_an_old_screenshot_is_dead_at_its_end_and_what_clocks_may_be_off(
    ring: GateKeys, kind: str, life: int, clock: int, skew: int
) -> None:
    text = genuine(ring, kind)
    end = AT + life + max(clock, skew)

    verify(text, ring, end - 1, skew)
    for late in (end, end + 1, end + DAY):
        with pytest.raises(CodeExpiredError):
            verify(text, ring, late, skew)


def test_attack_01_a_guard_who_is_shown_one_is_told_so_and_no_colour(world: GateWorld) -> None:
    code = world.shown_code(1)
    world.at_ms += (90 + SKEW_SECONDS) * 1_000

    with pytest.raises(CodeExpiredError) as refused:
        world.guard.check(request(world.guard_token(), {"code": code}))
    assert b"green" not in problem(refused.value, "en")[1]


@pytest.mark.parametrize("kind", ["HK1", "HK2", "HK3"])
def test_attack_19_two_days_codes_of_one_person_share_no_more_than_those_of_two_persons(
    ring: GateKeys, kind: str
) -> None:
    """Whoever collects codes at many doors sees the masks, and nothing else that leads from one to the other."""

    def piece(person: int, at: int) -> bytes:
        if kind == "HK1":
            return base45.decode(Issuer(ring).issue(HOLDER._replace(subject=person), 1, 7, at).text[4:])
        if kind == "HK2":
            return base45.decode(card_text(ring, card_of(ring, person, at), at)[4:])
        return base45.decode(Phone(ring, person, at).text(at)[4:])

    def common(one: bytes, other: bytes) -> set[bytes]:
        """Runs of seven bytes that are in both, in any place. An instant and what follows it by chance is shorter."""
        return {one[at : at + 7] for at in range(len(one) - 6)} & {other[at : at + 7] for at in range(len(other) - 6)}

    first, second, stranger = piece(1, AT), piece(1, AT + DAY), piece(2, AT + DAY)

    assert common(first, second) == common(first, stranger)
    assert "*小明".encode() in first
    assert (1).to_bytes(8, "big") not in first


@pytest.mark.parametrize("kind", FORMATS)
def test_attack_04_a_code_signed_with_the_attackers_own_key_is_refused_whatever_its_header_says(
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
def test_attack_04_a_message_without_a_signature_or_with_an_empty_one_is_refused(ring: GateKeys, kind: str) -> None:
    message, put = message_of(kind, genuine(ring, kind))

    for changed in (message[:-66], message[:-66] + b"\x40", message[:-64] + bytes(64), message[:-64] + b"\xff" * 64):
        with pytest.raises(TianfuError):
            accept(ring, kind, put(changed))


@pytest.mark.parametrize("kind", FORMATS)
def test_attack_05_the_signed_kid_wins_and_one_beside_it_or_of_another_key_is_refused(
    ring: GateKeys, kind: str
) -> None:
    message, put = message_of(kind, genuine(ring, kind))
    protected, _, payload, _ = cbor2.loads(message)
    ours = ring.at(AT).signers
    signer, other = ours[PURPOSES[kind]], ours[PURPOSES["HKL" if kind != "HKL" else "HK1"]]
    assert cbor2.loads(protected) == {1: -7, 4: signer.kid}

    def said(header: Mapping[int, object], beside: Mapping[int, object]) -> str:
        inside = cbor2.dumps(header, canonical=True)
        signed = cbor2.dumps(["Signature1", inside, b"", payload])
        return put(cbor2.dumps([inside, beside, payload, signer.sign(signed)], canonical=True))

    if kind != "HK3":  # there the phone has signed the certificate as it was
        accept(ring, kind, said({1: -7, 4: signer.kid}, {}))
    for header, beside in (
        ({1: -7, 4: other.kid}, {}),
        ({1: -7, 4: other.kid}, {4: signer.kid}),
        ({1: -7, 4: signer.kid}, {4: other.kid}),
        ({1: -7, 4: signer.kid[:3] + bytes((signer.kid[3] ^ 1,))}, {}),
        ({1: -7, 4: b""}, {}),
        ({1: -7}, {4: signer.kid}),
        ({1: -7}, {}),
    ):
        with pytest.raises(TianfuError):
            accept(ring, kind, said(header, beside))


def test_attack_05_of_two_keys_with_one_kid_each_is_tried_and_none_with_another(ring: GateKeys) -> None:
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


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("purpose", list(KeyPurpose))
def test_attack_06_a_key_for_anything_else_signs_no_code_of_a_kind(
    ring: GateKeys, kind: str, purpose: KeyPurpose
) -> None:
    message, put = message_of(kind, genuine(ring, kind))
    signer = ring.at(AT).signers.get(purpose)
    assert signer is not None

    signed = put(sign1(signer, cbor2.loads(message)[2]))

    if purpose is PURPOSES[kind]:
        assert signed == put(message)
        return
    with pytest.raises(TianfuError):
        accept(ring, kind, signed)


@pytest.mark.parametrize(("kind", "other"), list(itertools.permutations(FORMATS, 2)))
def test_attack_06_a_code_of_one_kind_is_none_of_another(ring: GateKeys, kind: str, other: str) -> None:
    message, _ = message_of(kind, genuine(ring, kind))
    _, put = message_of(other, genuine(ring, other))

    with pytest.raises(TianfuError):
        accept(ring, other, put(message))


def test_attack_16_a_card_opens_nothing_it_can_only_be_checked(world: GateWorld) -> None:
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
def test_attack_21_a_der_signature_a_tag_or_a_byte_more_is_refused(ring: GateKeys, kind: str) -> None:
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


@pytest.mark.parametrize("kind", ["HK1", "HK3"])
def test_attack_25_a_mirrored_signature_is_the_same_code_and_no_fresh_one(world: GateWorld, kind: str) -> None:
    """(r, n − s) verifies as well: who counts signatures instead of codes lets the second one in."""
    at = world.at_ms // 1000
    text = world.shown_code(1) if kind == "HK1" else Phone(world.ring, 1, at).text(at)
    data = base45.decode(text[4:])
    other = text[:4] + base45.encode(data[:-64] + mirrored(data[-64:]))
    assert other != text

    verdicts = [
        json.loads(world.guard.check(request(world.guard_token(guard), {"code": code})).body)["verdict"]
        for guard, code in ((501, text), (502, other))
    ]

    assert verdicts == ["valid", "already_used"]


@pytest.mark.parametrize("kind", FORMATS)
def test_attack_25_the_same_content_has_the_same_signature_so_no_nonce_is_left_to_chance(
    ring: GateKeys, kind: str
) -> None:
    message, _ = message_of(kind, genuine(ring, kind))

    assert sign1(ring.at(AT).signers[PURPOSES[kind]], cbor2.loads(message)[2]) == message


def test_attack_25_no_two_signatures_share_a_nonce(ring: GateKeys) -> None:
    """Two messages with one nonce would have one r, and give the key away."""
    seen = set()
    for number in range(200):
        message, _ = message_of("HK2", card_text(ring, card_of(ring, 1, AT, generation=number + 1), AT))
        seen.add(message[-64:-32])
    assert len(seen) == 200


def test_attack_21_a_point_of_another_curve_is_no_key_of_a_phone(ring: GateKeys) -> None:
    numbers = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    phone = Phone(ring, 1, AT, public_key=bytes((2 + numbers.y % 2,)) + numbers.x.to_bytes(32, "big"))

    with pytest.raises(TianfuError):
        verify(phone.text(AT), ring, AT)
