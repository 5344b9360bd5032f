"""Printed cards and device-bound codes before a guard: the colour is the board's, a killed one is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.credentials import DAY, Phone, card_of, card_text, mirrored
from tests.support.gate import GateWorld, request
from tianfu.passcode.device import CLOCK_SECONDS, SHOWN_LIFE_SECONDS, presentation_text
from tianfu.passcode.verify import CodeExpiredError, CodeKilledError
from tianfu.platform.http import Answer
from tianfu.scans import event
from tianfu.scans.event import FLAG_OFFLINE, FLAG_REUSED_CODE
from tianfu.scans.used import SAME_SCAN_MS
from tianfu.status.record import BoardRecord


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def now(world: GateWorld) -> int:
    return world.at_ms // 1000


def check(world: GateWorld, code: str, account: int = 500) -> Answer:
    return world.guard.check(request(world.guard_token(account), {"code": code}))


def told(answer: Answer, *fields: str) -> tuple[object, ...]:
    content = json.loads(answer.body)
    return tuple(content[field] for field in fields)


def test_a_card_is_answered_with_the_boards_colour_of_now(world: GateWorld) -> None:
    text = card_text(world.ring, card_of(world.ring, 1, now(world)), now(world))
    first = check(world, text)
    world.put(1, BoardRecord(3, 0, 1, 8, 2, 0, world.at_ms // 60_000, 0, 0, 9))
    world.at_ms += SAME_SCAN_MS + 1

    second = check(world, text)

    assert told(first, "kind", "verdict", "colour", "masked_name") == ("card", "valid", "green", "*小明")
    assert told(second, "kind", "verdict", "colour") == ("card", "valid", "red")


def test_a_card_is_valid_each_time_and_each_time_is_a_visit_but_the_same_scan_is_one(world: GateWorld) -> None:
    text = card_text(world.ring, card_of(world.ring, 1, now(world)), now(world))
    first = check(world, text)
    world.at_ms += SAME_SCAN_MS
    same = check(world, text)
    elsewhere = check(world, text, account=501)

    assert [told(answer, "verdict") for answer in (first, same, elsewhere)] == [("valid",)] * 3
    assert (same.records, same.settled) == ((), True)
    for answer in (first, elsewhere):
        assert [event.unpack(record).flags for record in answer.records] == [0]


def test_a_killed_card_is_refused_at_the_next_scan(world: GateWorld) -> None:
    content = card_of(world.ring, 1, now(world))
    text = card_text(world.ring, content, now(world))
    check(world, text)
    world.writer.kill([(content.credential_id, content.expires_at)], sequence=1)

    with pytest.raises(CodeKilledError):
        check(world, text)
    world.writer.forget_killed(before=content.expires_at)
    with pytest.raises(CodeKilledError):
        check(world, text)
    world.at_ms = (content.expires_at + 10) * 1000
    world.writer.forget_killed(before=content.expires_at + 1)
    with pytest.raises(CodeExpiredError):
        check(world, text)


def test_a_device_bound_code_is_good_for_one_scan_whatever_its_signature_bytes(world: GateWorld) -> None:
    phone = Phone(world.ring, 3, now(world))
    shown = phone.show(now(world))
    other = shown._replace(signature=mirrored(shown.signature))

    first = check(world, presentation_text(shown))
    again = check(world, presentation_text(other), account=501)

    assert told(first, "kind", "verdict", "colour") == ("device", "valid", "red")
    assert told(again, "verdict") == ("already_used",)
    assert [event.unpack(record).flags for record in again.records] == [FLAG_REUSED_CODE]


def test_a_showing_is_remembered_for_as_long_as_it_can_be_accepted(world: GateWorld) -> None:
    phone = Phone(world.ring, 1, now(world) - 3600)
    text = phone.text(now(world) + CLOCK_SECONDS)
    check(world, text)
    world.at_ms += (2 * CLOCK_SECONDS + SHOWN_LIFE_SECONDS) * 1000 - 1000

    assert told(check(world, text, account=501), "verdict") == ("already_used",)


def test_a_killed_certificate_is_refused(world: GateWorld) -> None:
    phone = Phone(world.ring, 1, now(world))
    world.writer.kill([(phone.content.credential_id, now(world) + DAY)], sequence=1)

    with pytest.raises(CodeKilledError):
        check(world, phone.text(now(world)))


def batch(world: GateWorld, *items: Mapping[str, object]) -> Answer:
    async def awaited() -> Answer:
        answer = await world.batch.batch(request(world.guard_token(), {"items": list(items)}))
        assert isinstance(answer, Answer)
        return answer

    return asyncio.run(awaited())


def test_a_bus_takes_every_kind_of_code_and_a_killed_one_stops_no_other(world: GateWorld) -> None:
    killed = card_of(world.ring, 1, now(world))
    world.writer.kill([(killed.credential_id, killed.expires_at)], sequence=1)
    codes = (
        world.shown_code(1),
        card_text(world.ring, killed, now(world)),
        card_text(world.ring, card_of(world.ring, 3, now(world)), now(world)),
        Phone(world.ring, 1, now(world)).text(now(world)),
    )

    answer = batch(world, *({"id": f"{number:016x}", "code": code} for number, code in enumerate(codes)))

    items = json.loads(answer.body)["items"]
    assert [one.get("kind", one.get("code")) for one in items] == ["dynamic", "code_killed", "card", "device"]
    assert [event.unpack(record).person for record in answer.records] == [1, 3, 1]


def test_a_card_and_a_showing_of_an_hour_ago_are_taken_as_of_then(world: GateWorld) -> None:
    then = now(world) - 3600
    phone = Phone(world.ring, 1, then)
    items: list[dict[str, object]] = [
        {"id": "0" * 16, "code": card_text(world.ring, card_of(world.ring, 1, then), then), "scanned_at": then * 1000},
        {"id": "1" * 16, "code": phone.text(then), "scanned_at": then * 1000},
        {"id": "2" * 16, "code": phone.text(then)},
    ]

    answer = batch(world, *items)

    assert [one.get("kind", one.get("code")) for one in json.loads(answer.body)["items"]] == [
        *("card", "device", "code_expired"),
    ]
    found = [event.unpack(record) for record in answer.records]
    assert {(visit.flags, visit.happened_at) for visit in found} == {(FLAG_OFFLINE, then * 1000)}
    assert batch(world, *items[:2]).records == (), "sent again: the same scans"
