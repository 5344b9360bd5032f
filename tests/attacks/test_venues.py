"""Attacks on venues: a sticker over the poster, a photograph of it, guessing the next one's number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.support.control import Control
from tests.support.gate import GREEN, ORIGIN, RED, VENUE, VENUE_REF, GateWorld, request
from tests.support.lists import not_green_text, pinned, trust_text
from tests.support.lookup import venue_with
from tianfu.evidence.kinds import KINDS
from tianfu.ids import VenueRef
from tianfu.passcode.offline import Trust
from tianfu.platform.database import Purpose
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret
from tianfu.scans import event
from tianfu.scans.event import KIND_POSTER
from tianfu.scans.travel import Place, leaps
from tianfu.scans.venue import PosterOutdatedError, VenueUnknownError
from tianfu.status.layout import VenueRecord
from tianfu.venues import store as venues
from tianfu.venues.poster import PosterInvalidError, poster_text

CHENGDU = Place(104.066, 30.659)
PANZHIHUA = Place(101.718, 26.582)
OTHER_VENUE = VENUE._replace(venue_id=bytes(range(100, 116)))
NEIGHBOURS = 200


def stickers(world: GateWorld) -> Iterator[str]:
    """What somebody could put over our poster."""
    genuine = world.poster()
    yield "https://evil.example/petition"
    yield ORIGIN + "/v#"
    yield ORIGIN + "/v#" + "A" * 140
    yield ORIGIN + "/v?" + genuine.partition("#")[2]
    yield genuine.replace("http://localhost:8000", "http://localhost:8000.evil.example")
    yield genuine.replace("http://localhost:8000", "https://evil.example")
    yield genuine.replace("/v#", "/w#")
    yield genuine.replace("/v#", "/t#")
    yield "https://evil.example/?to=" + genuine
    yield genuine + "A"
    yield genuine[:-1]
    yield genuine[:60] + ("A" if genuine[60] != "A" else "B") + genuine[61:]
    yield world.poster(purpose=KeyPurpose.PERSONAL)
    yield poster_text(SigningKey(generate_secret(), KeyPurpose.VENUE), VENUE, ORIGIN)


@pytest.mark.usefixtures("socket_disabled")
def test_attack_09_a_sticker_over_the_poster_is_refused_and_nothing_is_opened_or_recorded(world: GateWorld) -> None:
    at = world.at_ms // 1000
    scanner = Trust(pinned(world.ring, at), ORIGIN)
    scanner.take_trust(trust_text(world.ring, at))
    scanner.take_not_green(not_green_text(world.ring, at))
    body = {"poster": world.poster(), "nonce": "00" * 8}
    assert world.venue.scan(request(world.resident(1), body)).records
    assert scanner.verdict(world.poster(), at).name == VENUE.name, "shown before the holder confirms"

    for sticker in stickers(world):
        with pytest.raises(PosterInvalidError):
            world.venue.scan(request(world.resident(1), body | {"poster": sticker}))
        assert scanner.verdict(sticker, at).verdict == "invalid"


def test_attack_09_a_poster_of_a_revoked_generation_is_refused(world: GateWorld) -> None:
    for generation in (VENUE.generation - 1, VENUE.generation + 1):
        with pytest.raises(PosterOutdatedError):
            world.venue.scan(
                request(world.resident(1), {"poster": world.poster(VENUE._replace(generation=generation))})
            )


@pytest.mark.parametrize(("person", "colour"), [(1, GREEN), (3, RED)])
def test_attack_10_a_photograph_scanned_from_far_away_is_flagged_and_changes_no_colour(
    world: GateWorld, person: int, colour: int
) -> None:
    world.writer.put_venues([(OTHER_VENUE.venue_id, VenueRecord(13, OTHER_VENUE.generation, open=True))], sequence=2)
    before = world.writer.reader().look_up(person)
    assert before is not None
    visits = []
    for claim in (VENUE, OTHER_VENUE):
        answer = world.venue.scan(request(world.resident(person), {"poster": world.poster(claim)}))
        visits += [event.unpack(record) for record in answer.records]
        world.at_ms += 10 * 60_000
        world.put(person, before)  # the board goes on being heard of

    (leap,) = leaps(visits, {VENUE_REF: CHENGDU, 13: PANZHIHUA}.get)

    assert leap.least_km > 300
    assert leap.weak == len(visits)
    assert {visit.kind for visit in visits} == {KIND_POSTER}
    assert world.writer.reader().look_up(person) == before
    assert before.colour == colour


def test_attack_10_a_scan_is_no_evidence_that_a_colour_could_follow_from() -> None:
    assert not [name for name in KINDS if "scan" in name or name.startswith("visit")]


def test_attack_20_the_next_or_previous_number_is_no_venue_even_under_our_own_signature(world: GateWorld) -> None:
    number = int.from_bytes(VENUE.venue_id, "big")
    for step in itertools.chain(range(-NEIGHBOURS, 0), range(1, NEIGHBOURS + 1)):
        claim = VENUE._replace(venue_id=((number + step) % 2**128).to_bytes(16, "big"))
        with pytest.raises(VenueUnknownError):
            world.venue.scan(request(world.resident(1), {"poster": world.poster(claim)}))


def test_attack_20_a_venues_id_is_128_bits_that_tell_nothing_of_the_next_one(control: Control) -> None:
    refs = [VenueRef(int(venue_with(control))) for _ in range(8)]
    with control.database.read(Purpose.OPERATOR) as read:
        ids = [venue.venue_id for ref in refs if (venue := venues.find(read, ref)) is not None]

    assert len(ids) == len(refs)
    assert {len(found) for found in ids} == {16}
    for one, other in itertools.combinations(ids, 2):
        differing = (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
        assert 30 <= differing <= 98, "two of 128 random bits: 64 differ, give or take six deviations"
