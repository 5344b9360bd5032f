from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.codes import AT, HOLDER, gate_ring, retire, rotate
from tianfu.ids import PERSON_REF_MAX
from tianfu.passcode import base45, token
from tianfu.passcode.issue import Issuer, last_digits
from tianfu.passcode.reference import seal, unseal
from tianfu.passcode.token import CODE_CHARACTERS_MAX, CODE_LIFE_SECONDS, REFRESH_AFTER_SECONDS, Token
from tianfu.passcode.verify import SKEW_SECONDS, CodeExpiredError, CodeKind, CodeNotYetValidError, VerifiedCode, verify
from tianfu.platform.cose import CodeInvalidError, sign1
from tianfu.platform.keychange import ANNOUNCE_SECONDS
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret
from tianfu.status.record import COLOURS

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
QR_ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    return gate_ring(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def text(ring: GateKeys) -> str:
    return Issuer(ring).issue(HOLDER, 1, 7, AT).text


def signed(ring: GateKeys, purpose: KeyPurpose = KeyPurpose.PERSONAL, **changes: object) -> str:
    """A code with a real signature by the ring's key of `purpose`, and with any content."""
    keys = ring.at(AT)
    cti = b"cti-cti-"
    cipher = keys.references[keys.signers[KeyPurpose.PERSONAL].kid]
    content = Token(AT + CODE_LIFE_SECONDS, AT, cti, seal(HOLDER.subject, cti, cipher), 1, 7, "*小明", "1X")
    body = token.encode(content._replace(**changes))  # type: ignore[arg-type]
    return token.PREFIX + base45.encode(sign1(keys.signers[purpose], body))


def refuse(text: str, ring: GateKeys, at_seconds: int = AT) -> None:
    with pytest.raises(CodeInvalidError):
        verify(text, ring, at_seconds)


@given(
    subject=st.integers(1, PERSON_REF_MAX),
    colour=st.integers(0, len(COLOURS) - 1),
    rule_set=st.integers(0, 65_535),
    name=st.text(max_size=16),
)
def test_a_code_says_what_it_was_made_from(ring: GateKeys, subject: int, colour: int, rule_set: int, name: str) -> None:
    holder = HOLDER._replace(subject=subject, masked_name=name)
    issued = Issuer(ring).issue(holder, colour, rule_set, AT)
    code = verify(issued.text, ring, AT)

    end = AT + CODE_LIFE_SECONDS
    assert code == VerifiedCode(CodeKind.DYNAMIC, subject, code.cti, b"", colour, rule_set, name, "1X", AT, end)  # type: ignore[arg-type]
    assert code.one_time
    assert (issued.issued_at, issued.expires_at) == (AT, AT + CODE_LIFE_SECONDS)
    assert issued.refresh_at == AT + REFRESH_AFTER_SECONDS
    assert set(issued.text) <= QR_ALPHANUMERIC


def test_the_longest_code_fits_into_the_limit(ring: GateKeys) -> None:
    longest = signed(ring, masked_name="明" * 21 + "*", last_digits="12345678", rule_set=65_535)

    assert len(longest) == CODE_CHARACTERS_MAX
    assert verify(longest, ring, AT).masked_name.endswith("*")


@pytest.mark.parametrize("skew", [0, SKEW_SECONDS, 30])
def test_a_code_holds_from_its_making_until_its_end_give_or_take_the_skew(ring: GateKeys, text: str, skew: int) -> None:
    end = AT + CODE_LIFE_SECONDS

    assert verify(text, ring, AT - skew, skew) == verify(text, ring, end + skew - 1, skew)
    with pytest.raises(CodeNotYetValidError):
        verify(text, ring, AT - skew - 1, skew)
    with pytest.raises(CodeExpiredError):
        verify(text, ring, end + skew, skew)


def test_a_code_with_a_longer_life_than_any_we_make_is_refused(ring: GateKeys) -> None:
    refuse(signed(ring, expires_at=AT + CODE_LIFE_SECONDS + 1), ring)


@pytest.mark.parametrize("purpose", [purpose for purpose in KeyPurpose if purpose is not KeyPurpose.PERSONAL])
def test_a_code_signed_with_one_of_our_keys_for_something_else_is_refused(ring: GateKeys, purpose: KeyPurpose) -> None:
    refuse(signed(ring, purpose), ring)


def test_a_code_of_another_installation_or_of_an_attackers_key_is_refused(ring: GateKeys, tmp_path: Path) -> None:
    refuse(signed(gate_ring(tmp_path)), ring)
    attacker = SigningKey(generate_secret(), KeyPurpose.PERSONAL)
    refuse(
        token.PREFIX
        + base45.encode(sign1(attacker, token.encode(Token(AT + 90, AT, bytes(8), bytes(8), 1, 7, "", "")))),
        ring,
    )


@pytest.mark.parametrize("reference", [bytes(8), b"\xff" * 8])
def test_a_reference_that_leads_to_nobody_is_refused(ring: GateKeys, reference: bytes) -> None:
    refuse(signed(ring, reference=reference), ring)


def test_a_mirrored_signature_is_the_same_code(ring: GateKeys, text: str) -> None:
    message = base45.decode(text[4:])
    mirrored = message[:-32] + (ORDER - int.from_bytes(message[-32:], "big")).to_bytes(32, "big")

    assert verify("HK1:" + base45.encode(mirrored), ring, AT).cti == verify(text, ring, AT).cti


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.lower(),
        lambda text: text[4:],
        lambda text: "HK2:" + text[4:],
        lambda text: "hk1:" + text[4:],
        lambda text: "HC1:" + text[4:],
        lambda text: " " + text,
        lambda text: text + " ",
        lambda text: text + "00",
        lambda text: text[:-1],
        lambda text: text[:-3],
        lambda text: text + "健",
        lambda text: text[:4] + "０" + text[5:],
    ],
)
def test_any_other_text_is_refused(ring: GateKeys, text: str, change: object) -> None:
    refuse(change(text), ring)  # type: ignore[operator]


@pytest.mark.parametrize("other", ["", "HK1:", "https://example.org/", pytest.param("HK1:" + "0" * 10**7, id="10 MB")])
def test_what_is_no_code_at_all_is_refused(ring: GateKeys, other: str) -> None:
    refuse(other, ring)


@given(random=st.text(max_size=400))
def test_random_text_is_refused(ring: GateKeys, random: str) -> None:
    refuse(random, ring)
    refuse("HK1:" + random, ring)


@given(random=st.binary(max_size=188))
def test_random_bytes_in_the_right_wrapping_are_refused(ring: GateKeys, random: bytes) -> None:
    refuse("HK1:" + base45.encode(random), ring)


@given(position=st.integers(0, 186), character=st.sampled_from(sorted(QR_ALPHANUMERIC)))
def test_a_changed_character_is_refused(ring: GateKeys, text: str, position: int, character: str) -> None:
    changed = text[:position] + character + text[position + 1 :]

    if changed != text:
        refuse(changed, ring)


@given(content=st.binary(max_size=108))
def test_content_of_any_kind_under_a_good_signature_ends_in_an_error_of_ours(ring: GateKeys, content: bytes) -> None:
    signer = ring.at(AT).signers[KeyPurpose.PERSONAL]

    refuse("HK1:" + base45.encode(sign1(signer, content)), ring)


def test_two_codes_of_one_person_share_nothing_that_leads_from_one_to_the_other(ring: GateKeys) -> None:
    first, second = (base45.decode(Issuer(ring).issue(HOLDER, 1, 7, AT).text[4:]) for _ in range(2))
    one, other = (token.decode(message[14:-66]) for message in (first, second))

    assert one.cti != other.cti
    assert one.reference != other.reference
    assert one._replace(cti=b"", reference=b"") == other._replace(cti=b"", reference=b"")


def test_the_reference_opens_with_its_own_cti_and_key_only(ring: GateKeys, tmp_path: Path) -> None:
    here = next(iter(ring.at(AT).references.values()))
    elsewhere = next(iter(gate_ring(tmp_path).at(AT).references.values()))
    reference = seal(HOLDER.subject, b"cti-cti-", here)

    assert unseal(reference, b"cti-cti-", here) == HOLDER.subject
    for cti, cipher in ((b"cti-ctj-", here), (b"cti-cti-", elsewhere)):
        with pytest.raises(CodeInvalidError):  # one wrong key in 2**36 passes; this one does not
            unseal(reference, cti, cipher)


def test_codes_hold_through_a_rotation_and_die_with_a_retired_key(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    issuer = Issuer(ring)
    old_kid = ring.at(AT).signers[KeyPurpose.PERSONAL].kid
    rotate(gate_path(tmp_path), KeyUse.PERSONAL, AT)
    turn = AT + ANNOUNCE_SECONDS

    before = issuer.issue(HOLDER, 1, 7, turn - 1).text
    after = issuer.issue(HOLDER, 1, 7, turn).text

    assert verify(before, ring, turn).person == verify(after, ring, turn).person == HOLDER.subject
    retire(gate_path(tmp_path), KeyUse.PERSONAL, old_kid.hex(), turn)
    refuse(before, ring, turn + 10)
    assert verify(after, ring, turn + 10).person == HOLDER.subject


@pytest.mark.parametrize(
    ("masked", "shown"),
    [
        ("51**************1X", "1X"),
        ("E******89", "89"),
        ("5101**********4514", "4514"),
        ("H*****", ""),
        ("1234567", "4567"),
    ],
)
def test_at_most_four_characters_of_a_number_are_in_the_code(masked: str, shown: str) -> None:
    assert last_digits(masked) == shown
