from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given
from hypothesis import strategies as st

from tianfu.platform import cbor
from tianfu.platform.cose import PAYLOAD_BYTES_MAX, CodeInvalidError, open1, sign1, verify1
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKey, VerifyKeys, generate_secret

# The same key in every process: bytes of it are in the names of tests.
PRIVATE = ec.derive_private_key(20_210_114, ec.SECP256R1())
SECRET = PRIVATE.private_numbers().private_value.to_bytes(32, "big")
SIGNER = SigningKey(SECRET, KeyPurpose.PERSONAL)
KEYS = VerifyKeys([SIGNER.verify_key()])
PAYLOAD = b"\x81\x01"
MESSAGE = sign1(SIGNER, PAYLOAD)


def by_general_encoder(
    protected: object, unprotected: object, payload: bytes, *, signature: bytes | None = None
) -> bytes:
    """A correctly signed message with any headers, made by cbor2 and the cryptography package alone."""
    head = protected if isinstance(protected, bytes) else cbor2.dumps(protected, canonical=True)
    to_sign = cbor2.dumps(["Signature1", head, b"", payload])
    r, s = utils.decode_dss_signature(PRIVATE.sign(to_sign, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    made = r.to_bytes(32, "big") + s.to_bytes(32, "big") if signature is None else signature
    return cbor2.dumps([head, unprotected, payload, made])


@given(st.binary(max_size=70_000))
def test_a_message_is_what_a_general_encoder_makes_and_comes_back(payload: bytes) -> None:
    message = sign1(SIGNER, payload)

    assert message == by_general_encoder({1: -7, 4: SIGNER.kid}, {}, payload)
    assert verify1(message, KEYS, KeyPurpose.PERSONAL) == payload


def test_the_largest_payload_fits_and_one_byte_more_is_refused() -> None:
    largest = bytes(PAYLOAD_BYTES_MAX)

    assert verify1(sign1(SIGNER, largest), KEYS, KeyPurpose.PERSONAL) == largest
    with pytest.raises(ValueError, match="at most"):
        sign1(SIGNER, largest + b"\0")


def refuse(message: bytes, *, keys: VerifyKeys = KEYS, purpose: KeyPurpose = KeyPurpose.PERSONAL) -> None:
    with pytest.raises(CodeInvalidError):
        verify1(message, keys, purpose)


@pytest.mark.parametrize("purpose", [purpose for purpose in KeyPurpose if purpose is not KeyPurpose.PERSONAL])
def test_the_right_key_for_another_purpose_is_refused(purpose: KeyPurpose) -> None:
    refuse(MESSAGE, purpose=purpose)


def test_an_unknown_key_is_refused() -> None:
    refuse(MESSAGE, keys=VerifyKeys([SigningKey(generate_secret(), KeyPurpose.PERSONAL).verify_key()]))


def test_the_right_kid_with_a_wrong_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    refuse(MESSAGE, keys=VerifyKeys([VerifyKey(other, KeyPurpose.PERSONAL, kid=SIGNER.kid)]))


def test_every_key_with_the_kid_is_tried() -> None:
    other = VerifyKey(ec.generate_private_key(ec.SECP256R1()).public_key(), KeyPurpose.PERSONAL, kid=SIGNER.kid)

    opened = open1(MESSAGE, VerifyKeys([other, SIGNER.verify_key()]), KeyPurpose.PERSONAL)

    assert opened.payload == PAYLOAD
    assert opened.key is not other


@pytest.mark.parametrize(
    ("protected", "unprotected"),
    [
        ({1: -8, 4: SIGNER.kid}, {}),  # EdDSA named
        ({1: -37, 4: SIGNER.kid}, {}),  # PS256 named
        ({1: 0, 4: SIGNER.kid}, {}),
        ({4: SIGNER.kid}, {}),  # no algorithm
        ({1: -7}, {4: SIGNER.kid}),  # kid outside the signature
        ({1: -7, 4: SIGNER.kid}, {4: SIGNER.kid}),
        ({1: -7, 4: SIGNER.kid}, {-1: b"key"}),  # a key brought along
        ({1: -7, 4: SIGNER.kid, 33: b"certificate"}, {}),
        ({1: -7, 4: SIGNER.kid + b"\0"}, {}),
        ({1: -7, 2: [1], 4: SIGNER.kid}, {}),  # critical headers
        (b"", {}),
        (b"\xa2\x04\x44" + SIGNER.kid + b"\x01\x26", {}),  # another order of the map
    ],
)
def test_other_headers_are_refused_although_the_signature_is_right(protected: object, unprotected: object) -> None:
    refuse(by_general_encoder(protected, unprotected, PAYLOAD))


def test_a_der_signature_is_refused() -> None:
    raw = MESSAGE[-64:]
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    refuse(by_general_encoder({1: -7, 4: SIGNER.kid}, {}, PAYLOAD, signature=der))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x84",
        b"\xd2" + MESSAGE,  # tagged
        MESSAGE + b"\0",
        MESSAGE[:-1],
        b"\0" + MESSAGE,
        MESSAGE[:12] + b"\x58\x02" + MESSAGE[13:],  # length in a longer form
        MESSAGE[:12] + b"\x59\x00\x02" + MESSAGE[13:],
        MESSAGE[:12] + b"\x5f\x42" + PAYLOAD + b"\xff" + MESSAGE[15:],  # length left open
        MESSAGE[:12] + b"\x62" + MESSAGE[13:],  # text in place of bytes
        MESSAGE[:12] + b"\xf6" + MESSAGE[15:],  # detached payload
    ],
)
def test_any_other_encoding_of_the_same_message_is_refused(message: bytes) -> None:
    refuse(message)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(message: bytes) -> None:
    refuse(message)


@given(st.integers(0, len(MESSAGE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused(position: int, change: int) -> None:
    changed = bytearray(MESSAGE)
    changed[position] ^= change
    refuse(bytes(changed))


@given(st.integers(0, len(MESSAGE)), st.integers(0, len(MESSAGE)), st.binary(max_size=8))
def test_a_spliced_message_is_refused(start: int, end: int, between: bytes) -> None:
    spliced = MESSAGE[:start] + between + MESSAGE[end:]
    if spliced != MESSAGE:
        refuse(spliced)


@given(st.integers(0, 2**32 - 1))
def test_numbers_are_written_as_a_general_encoder_writes_them(value: int) -> None:
    assert cbor.number(value) == cbor2.dumps(value)
    assert cbor.read_head(cbor.number(value), 0, cbor.NUMBER) == (value, len(cbor.number(value)))


@given(st.text(max_size=400))
def test_text_is_written_as_a_general_encoder_writes_it(value: str) -> None:
    written = cbor.text(value.encode())

    assert written == cbor2.dumps(value)
    assert cbor.read_text(written, 0) == (value, len(written))


@pytest.mark.parametrize("value", [-1, 2**32])
def test_numbers_beyond_32_bits_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        cbor.number(value)
