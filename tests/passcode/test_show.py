from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gate import GREEN, RED, GateWorld, request, whole
from tianfu.access.session import Audience
from tianfu.errors import InputInvalidError
from tianfu.passcode import show
from tianfu.passcode.verify import verify
from tianfu.status.bearer import AudienceRefusedError
from tianfu.status.record import BLOCKS_CODE, POPUPS, BoardRecord


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def shown(world: GateWorld, person: int) -> dict[str, Any]:
    content = json.loads(whole(world.code.show(request(world.resident(person)))).body)
    assert isinstance(content, dict)
    return content


def test_a_shown_code_verifies_and_leads_to_its_holder(world: GateWorld) -> None:
    content = shown(world, 1)

    code = verify(content["code"], world.ring, world.at_ms // 1000)
    assert (code.person, code.colour, code.rule_set) == (1, GREEN, 7)
    assert (content["issued_at"], content["expires_at"]) == (code.issued_at, code.expires_at)
    assert content["issued_at"] < content["refresh_at"] < content["expires_at"]
    assert (content["masked_name"], content["masked_document"]) == ("李*", "5101**********123X")
    assert (content["sequence"], content["board_age_seconds"]) == (1, 0)
    assert content["server_time"] == world.at_ms // 1000


def test_every_display_is_another_code(world: GateWorld) -> None:
    assert len({shown(world, 1)["code"] for _ in range(10)}) == 10


def test_past_the_boards_age_nobody_is_green(world: GateWorld) -> None:
    world.at_ms += 6 * 3600 * 1000 + 1

    content = shown(world, 1)

    assert content["colour"] == "checking"
    assert verify(content["code"], world.ring, world.at_ms // 1000).colour == 0
    assert content["board_age_seconds"] == 6 * 3600


def test_a_mask_with_quotes_stays_valid_json(world: GateWorld) -> None:
    content = shown(world, 3)

    assert content["colour"] == "red"
    assert content["test"] is None


def test_a_popup_that_blocks_the_code_withholds_it_and_says_which(world: GateWorld) -> None:
    popup = POPUPS.index("entry")
    world.put(5, BoardRecord(GREEN, popup, 0, 7, 0, BLOCKS_CODE, 0, 0, 0, 9))

    content = shown(world, 5)

    assert (content["code"], content["popup"], content["colour"]) == ("", "entry", "green")
    assert content["refresh_at"] > content["server_time"]


def test_a_popup_that_blocks_nothing_leaves_the_code(world: GateWorld) -> None:
    world.put(5, BoardRecord(GREEN, POPUPS.index("notice"), 0, 7, 0, 0, 0, 0, 0, 9))

    assert shown(world, 5)["code"].startswith("HK1:")


def test_a_guard_has_no_code_to_show(world: GateWorld) -> None:
    with pytest.raises(AudienceRefusedError):
        world.code.show(request(world.token(Audience.GUARD, 1)))


@pytest.mark.parametrize("query", [b"", b"after=", b"after=x", b"after=-1", b"after=1&after=2", b"after=99999999999"])
def test_changes_need_one_sequence_number(world: GateWorld, query: bytes) -> None:
    with pytest.raises(InputInvalidError):
        world.code.changes(request(world.resident(1), query=query))


def test_a_change_that_happened_before_the_question_is_answered_at_once(world: GateWorld) -> None:
    async def run() -> bytes:
        answer = await world.code.changes(request(world.resident(1), query=b"after=0"))
        return answer.body

    assert json.loads(asyncio.run(run())) == {"sequence": 1, "changed": True}


def test_a_change_while_waiting_is_told_and_no_change_is_told_after_the_timeout(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "LONG_POLL_SECONDS", 0.3)

    async def run() -> list[Any]:
        following = asyncio.create_task(world.watchers.follow())
        await asyncio.sleep(0)
        waiting = [
            asyncio.ensure_future(world.code.changes(request(world.resident(person), query=query)))
            for person, query in ((1, b"after=1"), (3, b"after=2"))
        ]
        await asyncio.sleep(0.02)
        world.put(1, BoardRecord(RED, 0, 1, 7, 0, 0, 0, 0, 0, 5))
        answers = [json.loads((await one).body) for one in waiting]
        following.cancel()
        return answers

    assert asyncio.run(run()) == [{"sequence": 5, "changed": True}, {"sequence": 2, "changed": False}]


def test_under_pressure_add_ons_go_first_and_the_colour_never(world: GateWorld) -> None:
    seen = []
    for _ in range(4):
        world.admission.judge(1.0)
        content = shown(world, 1)
        add_ons = {name: content.get(name) for name in ("vaccination", "travel")}
        seen.append((content["colour"], content["test"] is None, *add_ons.values(), content["degraded"]))

    assert seen == [
        ("green", False, None, False, ["vaccination"]),
        ("green", True, None, False, ["vaccination", "test"]),
        ("green", True, None, None, ["vaccination", "test", "travel"]),
        ("green", True, None, None, ["vaccination", "test", "travel", "notices"]),
    ]


def test_whoever_reloads_is_given_the_code_made_before_unless_a_fresh_one_is_asked_for(world: GateWorld) -> None:
    token = world.resident(1)
    first, again = (json.loads(whole(world.code.show(request(token))).body)["code"] for _ in range(2))
    fresh = json.loads(whole(world.code.show(request(token, query=show.FRESH))).body)["code"]
    world.at_ms += show.REUSE_SECONDS * 1000
    later = json.loads(whole(world.code.show(request(token))).body)["code"]

    assert first == again
    assert len({first, fresh, later}) == 3


def test_a_code_made_before_is_not_given_again_once_the_colour_has_changed(world: GateWorld) -> None:
    token = world.resident(1)
    before = json.loads(whole(world.code.show(request(token))).body)["code"]

    world.put(1, BoardRecord(RED, 0, 1, 7, 0, 0, 0, 0, 0, 9))
    after = json.loads(whole(world.code.show(request(token))).body)

    assert (after["colour"], after["code"] != before) == ("red", True)


def test_without_pressure_doses_and_travel_are_shown_unless_nothing_is_known(world: GateWorld) -> None:
    world.put(1, BoardRecord(GREEN, 0, 0, 7, 0, 0b11000, 0, 0, 0, 4))

    assert (shown(world, 1)["vaccination"], shown(world, 1)["travel"]) == (2, True)
    assert "degraded" not in shown(world, 1)
    assert "vaccination" not in shown(world, 99)
