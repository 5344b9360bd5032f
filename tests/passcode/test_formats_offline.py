"""The worked examples of docs/formats.md about cards, device-bound codes, vehicles and lists, made again."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.passcode.test_formats import REFERENCE_KEY, SECRET, example, hexadecimal
from tests.support.credentials import compressed
from tianfu.passcode import base45, card, device
from tianfu.passcode.card import Card
from tianfu.passcode.device import Certificate, Presentation, device_message, presentation_text
from tianfu.passcode.lists import FILTER_BYTES_READ_MIN, HASHES, NotGreenList, TrustList, filter_of, sign_list
from tianfu.passcode.reference import CARD_DOMAIN, DEVICE_DOMAIN, credential_id
from tianfu.platform.cose import sign1
from tianfu.platform.publickeys import public_key
from tianfu.platform.sign import KeyPurpose, SigningKey
from tianfu.venues.vehicle import VehicleClaim, vehicle_text

MADE = 1_646_107_200
RANDOM = bytes.fromhex("0001020304050607")
# The phone's key of the examples: the scalar of thirty-two bytes 01.
PHONE = SigningKey(b"\x01" * 32, KeyPurpose.DEVICE)


def named(domain: bytes) -> bytes:
    """The credential id of person 12,345 in the examples."""
    cipher = Cipher(algorithms.AES256(REFERENCE_KEY), modes.ECB()).encryptor()  # noqa: S305 - as in the ring
    return credential_id(12_345, RANDOM, cipher, domain)


def card_content() -> bytes:
    """The card of the page."""
    return card.encode(Card(MADE + 7 * 86_400, MADE, named(CARD_DOMAIN), 2, 0, "*小明", "431X"))


def certificate_content() -> bytes:
    """The certificate of the page."""
    made = Certificate(MADE + 86_400, MADE, named(DEVICE_DOMAIN), compressed(PHONE), 7, "*小明", "431X")
    return device.encode(made)


def certificate_message() -> bytes:
    """The same, signed."""
    return sign1(SigningKey(SECRET, KeyPurpose.DEVICE), certificate_content())


def test_the_card_of_the_page_is_the_one_we_make() -> None:
    assert hexadecimal("card content") == card_content()
    message = sign1(SigningKey(SECRET, KeyPurpose.CARD), card_content())
    assert example("card") == "HK2:" + base45.encode(message)


def test_the_device_bound_code_of_the_page_is_the_one_we_make() -> None:
    certificate = certificate_message()
    shown_at = MADE + 3_600
    signed = device_message(certificate, shown_at)

    assert hexadecimal("certificate content") == certificate_content()
    assert hexadecimal("device message") == signed
    assert signed == b"tianfu device code 1" + hashlib.sha256(certificate).digest() + shown_at.to_bytes(4, "big")
    assert example("device") == presentation_text(Presentation(certificate, shown_at, PHONE.sign(signed)))


def test_the_vehicles_code_of_the_page_is_the_one_we_make() -> None:
    claim = VehicleClaim(bytes(range(16)), 3, "coach", "川A12345", "四川蜀运")

    assert example("vehicle") == vehicle_text(SigningKey(SECRET, KeyPurpose.VEHICLE), claim, "https://jkt.example.cn")


def test_the_lists_of_the_page_are_the_ones_we_make() -> None:
    signer = SigningKey(SECRET, KeyPurpose.LIST)
    told = public_key(SECRET, KeyPurpose.LIST, starts_at=0, ends_at=0)
    trust = TrustList(MADE, MADE, MADE + 14_400, (told,))
    bits = filter_of([named(CARD_DOMAIN)], MADE, FILTER_BYTES_READ_MIN)
    listed = NotGreenList(MADE, MADE, MADE + 14_400, 1, HASHES, bits)

    assert example("trust") == sign_list(signer, trust)
    assert example("not-green") == sign_list(signer, listed)
    assert hexadecimal("filter") == listed.bits
    assert [bit for bit in range(64) if listed.bits[bit // 8] >> bit % 8 & 1] == [
        int(word) for word in example("bits").split()
    ]
