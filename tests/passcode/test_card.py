from __future__ import annotations

from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.codes import AT, gate_ring, retire, rotate
from tests.support.credentials import DAY, card_of, card_text, mirrored
from tianfu.passcode import base45, card
from tianfu.passcode.card import CARD_CHARACTERS_MAX, CARD_LIFE_SECONDS_MAX, GENERATION_MAX, KINDS, Card
from tianfu.passcode.verify import SKEW_SECONDS, CodeExpiredError, CodeKind, CodeNotYetValidError, verify
from tianfu.platform.cose import CodeInvalidError, sign1
from tianfu.platform.keychange import ANNOUNCE_SECONDS
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret
from tianfu.status.record import COLOURS

CARD = Card(1_646_712_000, 1_646_107_200, bytes(range(16)), 300, 0, "*小明", "431X")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    return gate_ring(tmp_path_factory.mktemp("gate"))


@st.composite
def cards(draw: st.DrawFn) -> Card:
    issued_at = draw(st.integers(2**16, 2**32 - 2 - CARD_LIFE_SECONDS_MAX))
    return Card(
        expires_at=issued_at + draw(st.integers(1, CARD_LIFE_SECONDS_MAX)),
        issued_at=issued_at,
        credential_id=draw(st.binary(min_size=16, max_size=16)),
        generation=draw(st.integers(1, GENERATION_MAX)),
        kind=draw(st.integers(0, len(KINDS) - 1)),
        masked_name=draw(st.text(max_size=16)),
        last_digits=draw(st.text(max_size=2)),
    )


def refuse(text: str, ring: GateKeys, at: int = AT) -> None:
    with pytest.raises(CodeInvalidError):
        verify(text, ring, at)


@given(cards())
def test_content_is_what_a_general_encoder_writes_and_comes_back(made: Card) -> None:
    content = card.encode(made)

    assert content == cbor2.dumps(list(made), canonical=True)
    assert card.decode(content) == made


@pytest.mark.parametrize(
    "other",
    [
        CARD._replace(credential_id=bytes(15)),
        CARD._replace(generation=0),
        CARD._replace(generation=GENERATION_MAX + 1),
        CARD._replace(kind=len(KINDS)),
        CARD._replace(kind=-1),
        CARD._replace(expires_at=CARD.issued_at),
        CARD._replace(expires_at=CARD.issued_at + CARD_LIFE_SECONDS_MAX + 1),
        CARD._replace(expires_at=2**32),
        CARD._replace(issued_at=2**16 - 1),
        CARD._replace(masked_name="明" * 22),
        CARD._replace(last_digits="123456789"),
    ],
)
def test_values_outside_the_limits_are_refused_before_and_after_signing(other: Card) -> None:
    with pytest.raises(ValueError):
        card.encode(other)
    with pytest.raises(CodeInvalidError):
        card.decode(cbor2.dumps(list(other), canonical=True))


@pytest.mark.parametrize(
    "other",
    [
        cbor2.dumps([*CARD, 0]),
        cbor2.dumps(list(CARD[:-1])),
        cbor2.dumps(dict(enumerate(CARD))),
        cbor2.dumps([float(CARD.expires_at), *CARD[1:]]),
        b"\x9f" + cbor2.dumps(list(CARD))[1:] + b"\xff",
        card.encode(CARD) + b"\0",
        card.encode(CARD).replace(b"\x19\x01\x2c", b"\x1a\x00\x00\x01\x2c"),
        card.encode(CARD).replace(b"*", b"\xff"),
    ],
)
def test_any_other_encoding_is_refused(other: bytes) -> None:
    with pytest.raises(CodeInvalidError):
        card.decode(other)


@given(st.integers(0, len(card.encode(CARD)) - 1), st.binary(max_size=3))
def test_changed_bytes_are_refused_or_are_the_one_encoding_of_another_card(position: int, between: bytes) -> None:
    content = card.encode(CARD)
    changed = content[:position] + between + content[position + len(between) :]
    try:
        read = card.decode(changed)
    except CodeInvalidError:
        return
    assert card.encode(read) == changed


def test_a_card_leads_to_its_holder_and_says_no_colour(ring: GateKeys) -> None:
    content = card_of(ring, 12_345, AT)
    code = verify(card_text(ring, content, AT), ring, AT + DAY)

    assert (code.kind, code.person, code.credential_id) == (CodeKind.CARD, 12_345, content.credential_id)
    assert (code.masked_name, code.last_digits) == ("*小明", "431X")
    assert (code.issued_at, code.expires_at) == (AT, AT + 7 * DAY)
    assert not code.one_time
    assert COLOURS[code.colour] == "checking"


def test_the_longest_card_fits_into_the_limit(ring: GateKeys) -> None:
    content = card_of(ring, 1, AT, masked_name="明" * 21 + "*", last_digits="12345678", generation=GENERATION_MAX)
    longest = card_text(ring, content, AT)

    assert len(longest) == CARD_CHARACTERS_MAX
    assert verify(longest, ring, AT).masked_name.endswith("*")


@pytest.mark.parametrize("skew", [0, SKEW_SECONDS, 30])
def test_a_card_holds_from_its_making_until_its_last_day_give_or_take_the_skew(ring: GateKeys, skew: int) -> None:
    text = card_text(ring, card_of(ring, 1, AT), AT)
    end = AT + 7 * DAY

    assert verify(text, ring, AT - skew, skew) == verify(text, ring, end + skew - 1, skew)
    with pytest.raises(CodeNotYetValidError):
        verify(text, ring, AT - skew - 1, skew)
    with pytest.raises(CodeExpiredError):
        verify(text, ring, end + skew, skew)


@pytest.mark.parametrize("purpose", [purpose for purpose in KeyPurpose if purpose is not KeyPurpose.CARD])
def test_a_card_signed_with_one_of_our_keys_for_something_else_is_refused(ring: GateKeys, purpose: KeyPurpose) -> None:
    refuse(card_text(ring, card_of(ring, 1, AT), AT, purpose), ring)


@pytest.mark.parametrize("prefix", ["HK1:", "HK3:", "HKL:", "HC1:", "hk2:", ""])
def test_the_prefix_is_bound_to_the_key(ring: GateKeys, prefix: str) -> None:
    refuse(prefix + card_text(ring, card_of(ring, 1, AT), AT)[4:], ring)


def test_a_card_of_another_installation_or_of_an_attackers_key_is_refused(ring: GateKeys, tmp_path: Path) -> None:
    elsewhere = gate_ring(tmp_path)
    refuse(card_text(elsewhere, card_of(elsewhere, 1, AT), AT), ring)
    attacker = SigningKey(generate_secret(), KeyPurpose.CARD)
    refuse(card.PREFIX + base45.encode(sign1(attacker, card.encode(card_of(ring, 1, AT)))), ring)


def test_an_id_that_leads_to_nobody_is_refused(ring: GateKeys) -> None:
    refuse(card_text(ring, card_of(ring, 1, AT, credential_id=b"\xff" * 16), AT), ring)


def test_a_mirrored_signature_is_the_same_card(ring: GateKeys) -> None:
    text = card_text(ring, card_of(ring, 1, AT), AT)
    message = base45.decode(text[4:])
    other = card.PREFIX + base45.encode(message[:-64] + mirrored(message[-64:]))

    assert other != text
    assert verify(other, ring, AT) == verify(text, ring, AT)


def test_two_cards_of_one_person_share_nothing_that_leads_from_one_to_the_other(ring: GateKeys) -> None:
    first, second = card_of(ring, 12_345, AT), card_of(ring, 12_345, AT)

    assert first.credential_id[:8] != second.credential_id[:8]
    assert first.credential_id[8:] != second.credential_id[8:]
    assert first._replace(credential_id=b"") == second._replace(credential_id=b"")


def test_cards_hold_through_a_rotation_and_die_with_a_retired_key(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    old = ring.at(AT).signers[KeyPurpose.CARD].kid
    before = card_text(ring, card_of(ring, 7, AT), AT)
    rotate(gate_path(tmp_path), KeyUse.CARD, AT)
    turn = AT + ANNOUNCE_SECONDS
    after = card_text(ring, card_of(ring, 8, turn), turn)

    assert (verify(before, ring, turn).person, verify(after, ring, turn).person) == (7, 8)
    retire(gate_path(tmp_path), KeyUse.CARD, old.hex(), turn)
    refuse(before, ring, turn + 10)
    assert verify(after, ring, turn + 10).person == 8


@given(random=st.one_of(st.text(max_size=400), st.text("0123456789ABCDEF $%*+-./:", max_size=300)))
def test_random_text_is_refused(ring: GateKeys, random: str) -> None:
    refuse("HK2:" + random, ring)


@given(content=st.binary(max_size=120))
def test_content_of_any_kind_under_a_good_signature_ends_in_an_error_of_ours(ring: GateKeys, content: bytes) -> None:
    refuse(card.PREFIX + base45.encode(sign1(ring.at(AT).signers[KeyPurpose.CARD], content)), ring)


@pytest.mark.parametrize("other", ["HK2:", pytest.param("HK2:" + "0" * 10**7, id="10 MB"), "HK2:" + "％" * 100])
def test_what_is_no_card_at_all_is_refused(ring: GateKeys, other: str) -> None:
    refuse(other, ring)
