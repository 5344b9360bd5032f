from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate import GREEN, RED, VENUE, VENUE_REF, GateWorld, request
from tianfu.access.session import Audience, SessionExpiredError, SessionInvalidError
from tianfu.errors import InputInvalidError, TianfuError
from tianfu.platform.http import Answer
from tianfu.platform.sign import KeyPurpose
from tianfu.scans import event
from tianfu.scans.event import FLAG_OFFLINE, KIND_POSTER, ScanEvent
from tianfu.scans.offline import OFFLINE_AGE_MS_MAX, OFFLINE_AHEAD_MS_MAX, ScanInFutureError, ScanTooOldError
from tianfu.scans.venue import PosterOutdatedError, ScanBlockedError, VenueUnknownError
from tianfu.status.bearer import AudienceRefusedError
from tianfu.status.layout import VenueRecord
from tianfu.status.record import BLOCKS_SCAN, POPUPS, BoardRecord
from tianfu.venues.poster import PosterInvalidError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def visit(answer: Answer) -> ScanEvent:
    assert len(answer.records) == 1
    return event.unpack(answer.records[0])


def test_a_scan_names_venue_time_and_own_colour_and_records_weak_evidence(world: GateWorld) -> None:
    answer = world.venue.scan(request(world.resident(1), {"poster": world.poster(), "nonce": "00112233445566ff"}))

    content = json.loads(answer.body)
    assert content["venue"] == {
        "name": VENUE.name,
        "category": "market",
        "district": "510104",
        "venue_ref": VENUE_REF,
    }
    assert (content["colour"], content["popup"], content["masked_name"]) == ("green", "", "李*")
    assert content["test"]["hours"] == 2
    assert content["scanned_at"] == world.at_ms // 1000
    assert content["board_age_seconds"] == 0
    assert visit(answer) == ScanEvent(
        KIND_POSTER, GREEN, 0, 1, VENUE_REF, 0, 9, 0, world.at_ms, world.at_ms, bytes.fromhex("00112233445566ff")
    )


def test_the_answer_has_no_name_or_number_beyond_the_masks(world: GateWorld) -> None:
    answer = world.venue.scan(request(world.resident(3), {"poster": world.poster()}))

    content = json.loads(answer.body)
    assert (content["colour"], content["popup"], content["reason"]) == ("red", "declare", "contact")
    assert visit(answer).colour == RED
    assert '"person"' not in answer.body.decode()


def test_without_a_nonce_every_scan_gets_a_random_one(world: GateWorld) -> None:
    body = {"poster": world.poster()}

    nonces = {visit(world.venue.scan(request(world.resident(1), body))).nonce for _ in range(20)}

    assert len(nonces) == 20


def test_a_person_the_board_does_not_know_is_being_checked_and_the_visit_still_counts(world: GateWorld) -> None:
    answer = world.venue.scan(request(world.resident(77), {"poster": world.poster()}))

    assert json.loads(answer.body)["colour"] == "checking"
    assert visit(answer).person == 77


def test_a_popup_that_blocks_scanning_refuses_the_scan_and_records_nothing(world: GateWorld) -> None:
    world.put(5, BoardRecord(GREEN, POPUPS.index("entry"), 0, 7, 0, BLOCKS_SCAN, 0, 0, 0, 9))

    with pytest.raises(ScanBlockedError):
        world.venue.scan(request(world.resident(5), {"poster": world.poster()}))


def test_a_closed_or_unknown_venue_is_refused(world: GateWorld) -> None:
    with pytest.raises(VenueUnknownError):
        world.venue.scan(request(world.resident(1), {"poster": world.poster(VENUE._replace(venue_id=b"\x09" * 16))}))
    world.put_venue(VenueRecord(VENUE_REF, 3, open=False))
    with pytest.raises(VenueUnknownError):
        world.venue.scan(request(world.resident(1), {"poster": world.poster()}))


def test_an_older_poster_dies_with_a_new_generation_even_when_it_was_scanned_before(world: GateWorld) -> None:
    old = world.poster()
    world.venue.scan(request(world.resident(1), {"poster": old}))
    world.put_venue(VenueRecord(VENUE_REF, 4, open=True))

    with pytest.raises(PosterOutdatedError):
        world.venue.scan(request(world.resident(1), {"poster": old}))

    new = world.poster(VENUE._replace(generation=4))
    assert world.venue.scan(request(world.resident(1), {"poster": new})).status == 200


@pytest.mark.parametrize(
    "text", ["", "https://evil.example/v#abc", "HK1:ABC", "\x00", "天" * 300, "http://localhost:8000/v#"]
)
def test_any_other_text_is_no_poster(world: GateWorld, text: str) -> None:
    with pytest.raises(PosterInvalidError):
        world.venue.scan(request(world.resident(1), {"poster": text}))


def test_a_poster_signed_for_another_purpose_or_altered_is_refused(world: GateWorld) -> None:
    good = world.poster()
    for text in (world.poster(purpose=KeyPurpose.PERSONAL), good[:-2] + ("AA" if good[-2:] != "AA" else "BB")):
        with pytest.raises(PosterInvalidError):
            world.venue.scan(request(world.resident(1), {"poster": text}))


@pytest.mark.parametrize("nonce", ["", "zz", "00", "0011223344556677889900", "g" * 16])
def test_a_nonce_that_is_not_eight_bytes_of_hex_is_refused(world: GateWorld, nonce: str) -> None:
    with pytest.raises(InputInvalidError):
        world.venue.scan(request(world.resident(1), {"poster": world.poster(), "nonce": nonce}))


def test_only_a_living_residents_session_may_scan(world: GateWorld) -> None:
    body = {"poster": world.poster()}
    with pytest.raises(SessionInvalidError):
        world.venue.scan(request(None, body))
    with pytest.raises(SessionInvalidError):
        world.venue.scan(request("nonsense", body))
    with pytest.raises(AudienceRefusedError):
        world.venue.scan(request(world.guard_token(), body))
    short = world.token(Audience.RESIDENT, 1, seconds=1)
    world.venue.scan(request(short, body))
    world.at_ms += 1_000
    with pytest.raises(SessionExpiredError):
        world.venue.scan(request(short, body))


def test_a_revoked_session_is_refused_at_the_next_request(world: GateWorld) -> None:
    token = world.resident(1)
    body = {"poster": world.poster()}
    session_id = world.venue._bearers.bearer(token.encode(), Audience.RESIDENT, world.at_ms // 1000).session_id
    world.venue.scan(request(token, body))

    world.writer.revoke([session_id], at_ms=world.at_ms)

    with pytest.raises(SessionInvalidError):
        world.venue.scan(request(token, body))


def test_a_scan_made_offline_keeps_its_own_time_and_says_so(world: GateWorld) -> None:
    then_ms = world.at_ms - 3 * 86_400_000

    answer = world.venue.scan(request(world.resident(1), {"poster": world.poster(), "scanned_at": then_ms}))

    assert len(answer.records) == 1
    visit = event.unpack(answer.records[0])
    assert (visit.flags, visit.happened_at, visit.received_at) == (FLAG_OFFLINE, then_ms, world.at_ms)
    assert json.loads(answer.body)["scanned_at"] == then_ms // 1000


@pytest.mark.parametrize(
    ("offset_ms", "refusal"),
    [
        (-OFFLINE_AGE_MS_MAX, None),
        (-OFFLINE_AGE_MS_MAX - 1, ScanTooOldError),
        (OFFLINE_AHEAD_MS_MAX, None),
        (OFFLINE_AHEAD_MS_MAX + 1, ScanInFutureError),
    ],
)
def test_an_offline_scan_is_taken_for_seven_days_and_not_from_the_future(
    world: GateWorld, offset_ms: int, refusal: type[TianfuError] | None
) -> None:
    asked = request(world.resident(1), {"poster": world.poster(), "scanned_at": world.at_ms + offset_ms})

    with contextlib.nullcontext() if refusal is None else pytest.raises(refusal):
        assert world.venue.scan(asked).records
