"""Attacks on venues: a sticker over the poster, a photograph of it, guessing the next one's number."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.gate import ORIGIN, VENUE, GateWorld, request
from tests.support.lists import not_green_text, pinned, trust_text
from tianfu.passcode.offline import Trust
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret
from tianfu.scans import event
from tianfu.scans.event import KIND_POSTER
from tianfu.scans.travel import Place, leaps
from tianfu.scans.venue import PosterOutdatedError
from tianfu.status.layout import VenueRecord
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


def test_attack_10_a_photograph_scanned_from_far_away_is_flagged_and_changes_no_colour(world: GateWorld) -> None:
    world.writer.put_venues([(OTHER_VENUE.venue_id, VenueRecord(13, OTHER_VENUE.generation, open=True))], sequence=2)
    places = {12: CHENGDU, 13: PANZHIHUA}
    before = [bytes(record) for record in (world.writer.reader()._get(world.writer.reader()._persons, b""),) if record]
    visits, colours = [], []
    for claim in (VENUE, OTHER_VENUE):
        answer = world.venue.scan(request(world.resident(1), {"poster": world.poster(claim)}))
        visits += [event.unpack(record) for record in answer.records]
        world.at_ms += 10 * 60_000
        world.put(9, world_record(world))
        colours.append(json.loads(answer.body)["colour"])

    (leap,) = leaps(visits, places.get)

    assert leap.least_km > 300
    assert leap.weak == 2
    assert {visit.kind for visit in visits} == {KIND_POSTER}
    assert before is not None
    assert colours == ["green", "green"]
