from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given
from hypothesis import strategies as st

from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKey, VerifyKeys, generate_secret, kid_of

# RFC 6979, A.2.5: P-256, SHA-256, message "sample".
RFC_SECRET = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
RFC_SIGNATURE = bytes.fromhex(
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

KEY = SigningKey(RFC_SECRET, KeyPurpose.PERSONAL)


def test_nonces_are_those_of_rfc_6979() -> None:
    assert KEY.sign(b"sample") == RFC_SIGNATURE


@given(st.binary(max_size=300))
def test_the_raw_signature_holds_the_same_two_numbers_as_the_librarys_der(data: bytes) -> None:
    raw = KEY.sign(data)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    public = ec.derive_private_key(int.from_bytes(RFC_SECRET, "big"), ec.SECP256R1()).public_key()
    public.verify(der, data, ec.ECDSA(hashes.SHA256()))
    assert len(raw) == 64
    assert KEY.verify_key().verify(raw, data)


def test_short_r_and_s_are_padded_to_32_bytes() -> None:
    shortest = min((KEY.sign(number.to_bytes(4, "big")) for number in range(3000)), key=lambda raw: raw[:32])

    assert shortest[0] == 0  # one in 256 signatures; 3,000 tries miss with a chance of one in 100,000
    message = next(n.to_bytes(4, "big") for n in range(3000) if KEY.sign(n.to_bytes(4, "big")) == shortest)
    assert KEY.verify_key().verify(shortest, message)


@given(st.binary(max_size=80))
def test_no_signature_but_the_right_one_verifies_and_none_raises(signature: bytes) -> None:
    assert not KEY.verify_key().verify(signature, b"sample")


@pytest.mark.parametrize("position", [0, 31, 32, 63])
def test_a_flipped_bit_is_refused(position: int) -> None:
    changed = bytearray(RFC_SIGNATURE)
    changed[position] ^= 1

    assert not KEY.verify_key().verify(bytes(changed), b"sample")


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (2**256 - 1, 2**256 - 1)])
def test_numbers_outside_the_group_are_refused(r: int, s: int) -> None:
    assert not KEY.verify_key().verify(r.to_bytes(32, "big") + s.to_bytes(32, "big"), b"sample")


def test_the_mirrored_signature_also_verifies_so_it_may_identify_nothing() -> None:
    mirrored = RFC_SIGNATURE[:32] + (ORDER - int.from_bytes(RFC_SIGNATURE[32:], "big")).to_bytes(32, "big")

    assert KEY.verify_key().verify(mirrored, b"sample")


def test_a_key_is_found_under_its_own_purpose_only() -> None:
    keys = VerifyKeys([KEY.verify_key()])

    assert len(keys.candidates(KeyPurpose.PERSONAL, KEY.kid)) == 1
    assert not any(keys.candidates(purpose, KEY.kid) for purpose in KeyPurpose if purpose is not KeyPurpose.PERSONAL)


def test_two_keys_with_one_kid_are_both_candidates() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    keys = VerifyKeys([VerifyKey(other, KeyPurpose.CARD, kid=b"same"), VerifyKey(other, KeyPurpose.CARD, kid=b"same")])

    assert len(keys.candidates(KeyPurpose.CARD, b"same")) == 2


def test_another_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="P-256"):
        VerifyKey(ec.generate_private_key(ec.SECP384R1()).public_key(), KeyPurpose.CARD)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(32), b"\xff" * 32])
def test_a_secret_that_is_no_scalar_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError):
        SigningKey(secret, KeyPurpose.CARD)


def test_fresh_secrets_differ_and_the_kid_follows_from_the_public_key() -> None:
    first, second = generate_secret(), generate_secret()
    public = ec.derive_private_key(int.from_bytes(first, "big"), ec.SECP256R1()).public_key()

    assert first != second
    assert SigningKey(first, KeyPurpose.LIST).kid == kid_of(public)
