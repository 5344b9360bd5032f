from __future__ import annotations

from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.codes import AT, gate_ring
from tests.support.credentials import DAY, Phone, mirrored
from tianfu.passcode import base45, device
from tianfu.passcode.device import (
    CLOCK_SECONDS,
    DEVICE_CHARACTERS_MAX,
    DEVICE_LIFE_SECONDS_MAX,
    SHOWN_LIFE_SECONDS,
    Certificate,
    Presentation,
    device_key,
    presentation_text,
    read_presentation,
)
from tianfu.passcode.verify import (
    ONE_TIME_SECONDS_MAX,
    SKEW_SECONDS,
    CodeExpiredError,
    CodeKind,
    CodeNotYetValidError,
    verify,
)
from tianfu.platform.cose import CodeInvalidError, sign1
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose

CERTIFICATE = Certificate(1_646_193_600, 1_646_107_200, bytes(range(16)), b"\x02" + bytes(32), 300, "*小明", "431X")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    return gate_ring(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def phone(ring: GateKeys) -> Phone:
    return Phone(ring, 12_345, AT)


@st.composite
def certificates(draw: st.DrawFn) -> Certificate:
    issued_at = draw(st.integers(2**16, 2**32 - 2 - DEVICE_LIFE_SECONDS_MAX))
    return Certificate(
        expires_at=issued_at + draw(st.integers(1, DEVICE_LIFE_SECONDS_MAX)),
        issued_at=issued_at,
        credential_id=draw(st.binary(min_size=16, max_size=16)),
        public_key=draw(st.sampled_from([b"\x02", b"\x03"])) + draw(st.binary(min_size=32, max_size=32)),
        rule_set=draw(st.integers(0, 65_535)),
        masked_name=draw(st.text(max_size=16)),
        last_digits=draw(st.text(max_size=2)),
    )


def refuse(text: str, ring: GateKeys, at: int = AT) -> None:
    with pytest.raises(CodeInvalidError):
        verify(text, ring, at)


@given(certificates())
def test_content_is_what_a_general_encoder_writes_and_comes_back(made: Certificate) -> None:
    content = device.encode(made)

    assert content == cbor2.dumps(list(made), canonical=True)
    assert device.decode(content) == made


@pytest.mark.parametrize(
    "other",
    [
        CERTIFICATE._replace(credential_id=bytes(17)),
        CERTIFICATE._replace(public_key=b"\x04" + bytes(32)),
        CERTIFICATE._replace(public_key=b"\x02" + bytes(31)),
        CERTIFICATE._replace(rule_set=65_536),
        CERTIFICATE._replace(expires_at=CERTIFICATE.issued_at),
        CERTIFICATE._replace(expires_at=CERTIFICATE.issued_at + DEVICE_LIFE_SECONDS_MAX + 1),
        CERTIFICATE._replace(issued_at=0),
        CERTIFICATE._replace(masked_name="明" * 22),
        CERTIFICATE._replace(last_digits="123456789"),
    ],
)
def test_values_outside_the_limits_are_refused_before_and_after_signing(other: Certificate) -> None:
    with pytest.raises(ValueError):
        device.encode(other)
    with pytest.raises(CodeInvalidError):
        device.decode(cbor2.dumps(list(other), canonical=True))


@given(st.integers(0, len(device.encode(CERTIFICATE)) - 1), st.binary(max_size=3))
def test_changed_bytes_are_refused_or_are_another_certificates_one_encoding(position: int, between: bytes) -> None:
    content = device.encode(CERTIFICATE)
    changed = content[:position] + between + content[position + len(between) :]
    try:
        read = device.decode(changed)
    except CodeInvalidError:
        return
    assert device.encode(read) == changed


def test_a_showing_leads_to_its_holder_and_says_no_colour(ring: GateKeys, phone: Phone) -> None:
    at = AT + 3600
    code = verify(phone.text(at), ring, at)

    assert (code.kind, code.person, code.credential_id) == (CodeKind.DEVICE, 12_345, phone.content.credential_id)
    assert (code.masked_name, code.last_digits, code.colour, code.rule_set) == ("*小明", "431X", 0, 7)
    assert (code.issued_at, code.expires_at) == (at, at + SHOWN_LIFE_SECONDS)
    assert code.one_time


def test_the_longest_showing_fits_into_the_limit(ring: GateKeys) -> None:
    phone = Phone(ring, 1, AT, masked_name="明" * 21 + "*", last_digits="12345678", rule_set=65_535)

    assert len(phone.text(AT)) == DEVICE_CHARACTERS_MAX
    assert verify(phone.text(AT), ring, AT).masked_name.endswith("*")


def test_an_old_screenshot_is_dead_after_a_minute_and_a_half_and_what_a_clock_may_be_off(
    ring: GateKeys, phone: Phone
) -> None:
    at = AT + 3600
    text = phone.text(at)
    last = at + SHOWN_LIFE_SECONDS + CLOCK_SECONDS - 1

    assert verify(text, ring, at - CLOCK_SECONDS) == verify(text, ring, last)
    with pytest.raises(CodeExpiredError):
        verify(text, ring, last + 1)
    with pytest.raises(CodeNotYetValidError):
        verify(text, ring, at - CLOCK_SECONDS - 1)
    assert last - (at - CLOCK_SECONDS) < ONE_TIME_SECONDS_MAX


def test_a_phone_shows_nothing_beyond_its_certificate(ring: GateKeys, phone: Phone) -> None:
    end = AT + DAY

    verify(phone.text(end - 1), ring, end + SKEW_SECONDS - 1)
    with pytest.raises(CodeExpiredError):
        verify(phone.text(end + SKEW_SECONDS), ring, end + SKEW_SECONDS)
    with pytest.raises(CodeNotYetValidError):
        verify(phone.text(AT - SKEW_SECONDS - 1), ring, AT - SKEW_SECONDS - 1)


def test_another_phone_cannot_show_a_certificate_it_has_seen(ring: GateKeys, phone: Phone) -> None:
    thief = Phone(ring, 99, AT)

    refuse(presentation_text(thief.show(AT, phone.certificate)), ring)


def test_a_time_or_a_signature_cannot_be_taken_from_another_showing(ring: GateKeys, phone: Phone) -> None:
    shown = phone.show(AT)
    other = Phone(ring, 12_345, AT)

    refuse(presentation_text(shown._replace(shown_at=AT + 1)), ring)
    refuse(presentation_text(shown._replace(signature=phone.show(AT + 1).signature)), ring)
    refuse(presentation_text(shown._replace(certificate=other.certificate)), ring)


def test_a_mirrored_device_signature_is_the_same_showing(ring: GateKeys, phone: Phone) -> None:
    shown = phone.show(AT)
    other = presentation_text(shown._replace(signature=mirrored(shown.signature)))

    assert other != presentation_text(shown)
    assert verify(other, ring, AT).cti == verify(presentation_text(shown), ring, AT).cti


def test_a_mirrored_certificate_signature_is_no_certificate_that_the_phone_has_signed(
    ring: GateKeys, phone: Phone
) -> None:
    certificate = phone.certificate[:-64] + mirrored(phone.certificate[-64:])

    refuse(presentation_text(phone.show(AT)._replace(certificate=certificate)), ring)


def test_two_showings_have_two_numbers_and_one_number_is_always_the_same(ring: GateKeys, phone: Phone) -> None:
    first, second = (verify(phone.text(at), ring, AT).cti for at in (AT, AT + 1))

    assert first != second
    assert verify(phone.text(AT), ring, AT + 9).cti == first


@pytest.mark.parametrize("purpose", [purpose for purpose in KeyPurpose if purpose is not KeyPurpose.DEVICE])
def test_a_certificate_signed_with_one_of_our_keys_for_something_else_is_refused(
    ring: GateKeys, phone: Phone, purpose: KeyPurpose
) -> None:
    forged = sign1(ring.at(AT).signers[purpose], device.encode(phone.content))

    refuse(presentation_text(phone.show(AT, forged)), ring)


def test_a_certificate_of_another_installation_is_refused(ring: GateKeys, tmp_path: Path) -> None:
    refuse(Phone(gate_ring(tmp_path), 1, AT).text(AT), ring)


def test_a_key_off_the_curve_is_refused_even_under_our_signature(ring: GateKeys) -> None:
    phone = Phone(ring, 1, AT, public_key=b"\x02" + b"\xff" * 32)

    refuse(phone.text(AT), ring)
    for other in (b"", b"\x02" * 5, b"\x04" + bytes(64), b"\x02" + b"\xff" * 32):
        with pytest.raises(ValueError):
            device_key(other)


@given(random=st.one_of(st.text(max_size=600), st.binary(max_size=300).map(base45.encode)))
def test_random_text_is_refused(ring: GateKeys, random: str) -> None:
    refuse("HK3:" + random, ring)


@given(content=st.binary(max_size=160))
def test_content_of_any_kind_under_good_signatures_ends_in_an_error_of_ours(
    ring: GateKeys, phone: Phone, content: bytes
) -> None:
    signed = sign1(ring.at(AT).signers[KeyPurpose.DEVICE], content)

    refuse(presentation_text(phone.show(AT, signed)), ring)


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1), st.binary(min_size=64, max_size=64))
def test_the_parts_of_a_presentation_come_back(certificate: bytes, shown_at: int, signature: bytes) -> None:
    presentation = Presentation(certificate + b"\x84", shown_at, signature)

    assert read_presentation(presentation_text(presentation)) == presentation


@pytest.mark.parametrize("other", ["HK3:", pytest.param("HK3:" + "0" * 10**7, id="10 MB"), "HK3:" + "0" * 99])
def test_what_is_no_showing_at_all_is_refused(ring: GateKeys, other: str) -> None:
    refuse(other, ring)
