"""What a scanner without network says, and when it must say that it cannot tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.codes import AT, HOLDER, gate_ring, retire, rotate
from tests.support.credentials import DAY, Phone, card_of, card_text
from tests.support.lists import LIFE, ORIGIN, not_green_text, pinned, trust_text
from tianfu.clock import monotonic_seconds
from tianfu.passcode.issue import Issuer
from tianfu.passcode.lists import ListInvalidError
from tianfu.passcode.offline import ListOlderError, Trust
from tianfu.passcode.verify import SKEW_SECONDS
from tianfu.platform.keychange import ANNOUNCE_SECONDS
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.sign import KeyPurpose
from tianfu.venues.poster import PosterClaim, poster_text
from tianfu.venues.vehicle import VehicleClaim, vehicle_text


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    return gate_ring(tmp_path_factory.mktemp("gate"))


def prepared(ring: GateKeys, at: int = AT, ids: tuple[bytes, ...] = ()) -> Trust:
    """A scanner that fetched everything at `at`."""
    trust = Trust(pinned(ring, at), ORIGIN)
    trust.take_trust(trust_text(ring, at, number=at))
    trust.take_not_green(not_green_text(ring, at, ids, number=at))
    return trust


def said(trust: Trust, text: str, at: int = AT) -> tuple[str, str]:
    verdict = trust.verdict(text, at)
    return verdict.kind, verdict.verdict


def test_each_kind_of_code_is_recognised_and_said_what_is_in_it(ring: GateKeys) -> None:
    trust = prepared(ring)
    signers = ring.at(AT).signers
    dynamic = trust.verdict(Issuer(ring).issue(HOLDER, 3, 7, AT).text, AT)
    card = trust.verdict(card_text(ring, card_of(ring, 1, AT, kind=2), AT), AT)
    device = trust.verdict(Phone(ring, 1, AT).text(AT), AT)
    venue = trust.verdict(
        poster_text(signers[KeyPurpose.VENUE], PosterClaim(bytes(16), 3, "510104", "market", "成都东站"), ORIGIN), AT
    )
    vehicle = trust.verdict(
        vehicle_text(signers[KeyPurpose.VEHICLE], VehicleClaim(bytes(16), 2, "coach", "川A12345", "蜀运"), ORIGIN), AT
    )

    assert {found.verdict for found in (dynamic, card, device, venue, vehicle)} == {"valid"}
    assert (dynamic.kind, dynamic.colour, dynamic.masked_name, dynamic.last_digits) == ("dynamic", "red", "*小明", "1X")
    assert (card.kind, card.card, card.generation, card.colour) == ("card", "elder", 1, None)
    assert (device.kind, device.masked_name, device.issued_at, device.expires_at) == ("device", "*小明", AT, AT + 90)
    assert (venue.kind, venue.name, venue.category) == ("venue", "成都东站", "market")
    assert (vehicle.kind, vehicle.vehicle, vehicle.plate, vehicle.operator) == ("vehicle", "coach", "川A12345", "蜀运")


def test_a_killed_card_or_one_whose_holder_is_not_green_is_not_green(ring: GateKeys) -> None:
    content, phone = card_of(ring, 1, AT), Phone(ring, 2, AT)
    trust = prepared(ring, ids=(content.credential_id, phone.content.credential_id))

    assert said(trust, card_text(ring, content, AT)) == ("card", "not_green")
    assert said(trust, phone.text(AT)) == ("device", "not_green")
    assert said(trust, card_text(ring, card_of(ring, 3, AT), AT)) == ("card", "valid")


def test_a_list_past_its_age_means_cannot_check_and_never_green(ring: GateKeys) -> None:
    trust = prepared(ring)
    card, dynamic = card_text(ring, card_of(ring, 1, AT), AT), Issuer(ring).issue(HOLDER, 1, 7, AT + LIFE).text

    assert said(trust, card, AT + LIFE - 1) == ("card", "valid")
    for text in (card, dynamic, Phone(ring, 1, AT).text(AT + LIFE)):
        assert said(trust, text, AT + LIFE)[1] == "cannot_check"
    assert trust.verdict(card, AT + LIFE).why == "trust list too old"
    trust.take_trust(trust_text(ring, AT + LIFE, number=AT + LIFE))
    assert said(trust, card, AT + LIFE) == ("card", "cannot_check")
    assert trust.verdict(card, AT + LIFE).why == "not-green list too old"
    assert said(trust, dynamic, AT + LIFE) == ("dynamic", "valid"), "its colour is in it"


def test_a_clock_set_back_means_cannot_check(ring: GateKeys) -> None:
    trust = prepared(ring)
    card = card_text(ring, card_of(ring, 1, AT - DAY), AT)

    assert said(trust, card, AT - SKEW_SECONDS) == ("card", "valid")
    assert said(trust, card, AT - SKEW_SECONDS - 1) == ("card", "cannot_check")
    assert trust.verdict(card, AT - 3600).why == "clock before the list"


def test_a_clock_that_goes_back_after_a_verdict_is_believed_again_after_a_newer_list(ring: GateKeys) -> None:
    trust = prepared(ring)
    dynamic = Issuer(ring).issue(HOLDER, 1, 7, AT + 60).text
    assert said(trust, dynamic, AT + 3_600) == ("dynamic", "expired")

    assert trust.verdict(dynamic, AT + 60).why == "clock set back"
    trust.take_trust(trust_text(ring, AT + 60, number=AT))
    assert trust.verdict(dynamic, AT + 60).why == "clock set back", "the same list again tells no time"
    trust.take_trust(trust_text(ring, AT + 60, number=AT + 1))
    assert said(trust, dynamic, AT + 60) == ("dynamic", "valid")


def test_a_clock_that_is_far_ahead_for_a_moment_stops_nothing_afterwards(ring: GateKeys) -> None:
    trust = prepared(ring)
    card = card_text(ring, card_of(ring, 1, AT), AT)

    assert said(trust, card, AT + 365 * DAY) == ("card", "cannot_check")
    assert said(trust, card, AT) == ("card", "valid")


def test_without_lists_nothing_can_be_checked(ring: GateKeys) -> None:
    trust = Trust(pinned(ring, AT), ORIGIN)

    assert said(trust, Issuer(ring).issue(HOLDER, 1, 7, AT).text) == ("dynamic", "cannot_check")


def test_a_scanner_never_goes_back_to_a_list_with_a_lower_number(ring: GateKeys) -> None:
    trust = prepared(ring)

    with pytest.raises(ListOlderError):
        trust.take_trust(trust_text(ring, AT, number=AT - 1))
    with pytest.raises(ListOlderError):
        trust.take_not_green(not_green_text(ring, AT, number=AT - 1))
    trust.take_trust(trust_text(ring, AT, number=AT))


def test_a_retired_key_is_refused_after_the_next_list_and_a_new_one_accepted(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    trust = prepared(ring)
    old = ring.at(AT).signers[KeyPurpose.CARD].kid
    before = card_text(ring, card_of(ring, 1, AT), AT)
    rotate(gate_path(tmp_path), KeyUse.CARD, AT)
    turn = AT + ANNOUNCE_SECONDS
    after = card_text(ring, card_of(ring, 2, turn), turn)
    retire(gate_path(tmp_path), KeyUse.CARD, old.hex(), turn)

    assert (said(trust, before, turn)[1], said(trust, after, turn)[1]) == ("valid", "invalid")
    trust.take_trust(trust_text(ring, turn + 10, number=turn))
    assert (said(trust, before, turn + 10)[1], said(trust, after, turn + 10)[1]) == ("invalid", "valid")


def test_a_key_ends_when_the_list_says_without_another_list(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    rotate(gate_path(tmp_path), KeyUse.PERSONAL, AT)
    turn = AT + ANNOUNCE_SECONDS
    trust = prepared(ring, turn)
    old = Issuer(gate_ring(tmp_path)).issue(HOLDER, 1, 7, turn - 1).text

    assert said(trust, old, turn) == ("dynamic", "valid")
    assert trust.verdict(old, turn + 600, skew_seconds=900).verdict == "invalid"


def test_a_new_list_key_is_believed_when_a_pinned_one_has_introduced_it_and_not_before(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    trust, late = prepared(ring), prepared(ring)
    rotate(gate_path(tmp_path), KeyUse.LIST, AT)
    introducing = trust_text(ring, AT + 5, number=AT + 5)
    turn = AT + ANNOUNCE_SECONDS
    by_the_new_key = trust_text(ring, turn, number=turn)

    trust.take_trust(introducing)
    trust.take_trust(by_the_new_key)
    with pytest.raises(ListInvalidError):
        late.take_trust(by_the_new_key)


def test_an_attackers_list_cannot_bring_keys(ring: GateKeys, tmp_path: Path) -> None:
    attacker = gate_ring(tmp_path)
    trust = prepared(ring)

    with pytest.raises(ListInvalidError):
        trust.take_trust(trust_text(attacker, AT, number=AT + 9))
    assert said(trust, card_text(attacker, card_of(attacker, 1, AT), AT)) == ("card", "invalid")


@pytest.mark.parametrize(
    "text",
    ["", "https://example.org/v#abc", "HC1:6BF", "HKL:AAAA", "WIFI:S:x;;", f"{ORIGIN}/other#x", "\0", "健康"],
)
def test_anything_else_is_unknown_and_not_opened(ring: GateKeys, text: str) -> None:
    assert said(prepared(ring), text) == ("unknown", "invalid")


def test_a_life_is_kept_to_the_second(ring: GateKeys) -> None:
    trust = prepared(ring)
    text = card_text(ring, card_of(ring, 1, AT, expires_at=AT + 60), AT)

    late = card_text(ring, card_of(ring, 1, AT + 60, expires_at=AT + 120), AT)

    assert trust.verdict(late, AT, 0).verdict == "not_yet_valid"
    assert trust.verdict(text, AT + 59, 0).verdict == "valid"
    assert trust.verdict(text, AT + 60, 0).verdict == "expired"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prefix=st.sampled_from(["", "HK1:", "HK2:", "HK3:", f"{ORIGIN}/v#", f"{ORIGIN}/t#"]),
    text=st.one_of(st.text(max_size=500), st.text("0123456789ABCDEF $%*+-./:", max_size=500)),
)
def test_no_text_raises_anything_or_takes_long(ring: GateKeys, prefix: str, text: str) -> None:
    trust = prepared(ring)
    began = monotonic_seconds()

    verdict = trust.verdict(prefix + text, AT)

    assert verdict.verdict == "invalid"
    assert monotonic_seconds() - began < 0.25, "usually well under a millisecond; the rest is for a busy machine"
