from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gate import GREEN, VENUE_REF, GateWorld, request
from tianfu.access.session import SessionInvalidError
from tianfu.errors import TianfuError
from tianfu.passcode.token import CODE_LIFE_SECONDS
from tianfu.passcode.verify import SKEW_SECONDS, CodeExpiredError
from tianfu.platform.cose import CodeInvalidError
from tianfu.platform.http import Answer
from tianfu.scans import event
from tianfu.scans.event import FLAG_REUSED_CODE, KIND_GUARD, ScanEvent
from tianfu.scans.used import SAME_SCAN_MS, Use, UsedCodes
from tianfu.status.bearer import AudienceRefusedError
from tianfu.status.record import BoardRecord


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def visit(answer: Answer) -> ScanEvent:
    assert len(answer.records) == 1
    return event.unpack(answer.records[0])


def verdict(answer: Answer) -> str:
    return str(json.loads(answer.body)["verdict"])


def test_a_check_answers_with_colour_and_masks_and_records_strong_evidence(world: GateWorld) -> None:
    answer = world.guard.check(request(world.guard_token(), {"code": world.shown_code(1)}))

    content = json.loads(answer.body)
    assert (content["verdict"], content["colour"], content["masked_name"], content["last_digits"]) == (
        *("valid", "green", "李*", "123X"),
    )
    assert content["test"]["result"] == "negative"
    assert content["checked_at"] == world.at_ms // 1000
    recorded = visit(answer)
    assert (recorded.kind, recorded.flags, recorded.person) == (KIND_GUARD, 0, 1)
    assert (recorded.venue, recorded.checker, recorded.colour) == (VENUE_REF, 500, GREEN)


def test_the_colour_is_the_boards_of_now_and_not_the_codes_own(world: GateWorld) -> None:
    code = world.shown_code(1)
    world.put(1, BoardRecord(3, 0, 1, 8, 2, 0, world.at_ms // 60_000, 0, 0, 9))

    content = json.loads(world.guard.check(request(world.guard_token(), {"code": code})).body)

    assert (content["colour"], content["reason"], content["rule_set"]) == ("red", "case", 8)


def test_the_same_code_at_a_second_guard_is_already_used_and_the_event_is_marked(world: GateWorld) -> None:
    code = world.shown_code(1)
    first = world.guard.check(request(world.guard_token(500, 12), {"code": code}))

    second = world.guard.check(request(world.guard_token(501, 13), {"code": code}))

    assert (verdict(first), verdict(second)) == ("valid", "already_used")
    assert visit(second).flags == FLAG_REUSED_CODE
    assert visit(second).nonce == visit(first).nonce


def test_the_same_guard_within_three_seconds_is_the_same_scan_and_records_nothing_more(world: GateWorld) -> None:
    code = world.shown_code(1)
    token = world.guard_token()
    world.guard.check(request(token, {"code": code}))
    world.at_ms += SAME_SCAN_MS

    again = world.guard.check(request(token, {"code": code}))
    world.at_ms += 1
    later = world.guard.check(request(token, {"code": code}))

    assert (verdict(again), again.records, again.settled) == ("valid", (), True)
    assert verdict(later) == "already_used"
    assert len(later.records) == 1


def test_a_check_that_could_not_be_recorded_may_be_tried_again(world: GateWorld) -> None:
    code = world.shown_code(1)
    token = world.guard_token()
    lost = world.guard.check(request(token, {"code": code}))
    assert len(lost.records) == 1

    world.guard.lost(lost.records[0])

    again = world.guard.check(request(token, {"code": code}))
    assert verdict(again) == "valid"
    assert len(again.records) == 1


def test_a_lost_event_of_a_reused_code_does_not_make_it_fresh(world: GateWorld) -> None:
    code = world.shown_code(1)
    world.guard.check(request(world.guard_token(500), {"code": code}))
    second = world.guard.check(request(world.guard_token(501), {"code": code}))
    assert len(second.records) == 1

    world.guard.lost(second.records[0])

    assert verdict(world.guard.check(request(world.guard_token(501), {"code": code}))) == "already_used"


def test_a_code_dies_with_its_life_and_the_clocks_skew(world: GateWorld) -> None:
    code = world.shown_code(1)
    world.at_ms = (world.at_ms // 1000 + CODE_LIFE_SECONDS + SKEW_SECONDS) * 1000 - 1
    assert verdict(world.guard.check(request(world.guard_token(), {"code": code}))) == "valid"
    world.at_ms += 1

    with pytest.raises(CodeExpiredError):
        world.guard.check(request(world.guard_token(), {"code": code}))


@pytest.mark.parametrize("first_ms", [0, 40_000, 99_999, 100_000, 150_000])
def test_a_used_code_is_remembered_for_as_long_as_it_lives_and_not_for_ever(first_ms: int) -> None:
    used = UsedCodes()
    life_ms = (CODE_LIFE_SECONDS + SKEW_SECONDS) * 1000

    def others(start_ms: int, end_ms: int) -> None:
        for at_ms in range(start_ms, end_ms, 500):
            used.use(b"other" + at_ms.to_bytes(4, "big"), checker=1, happened_ms=at_ms, at_ms=at_ms)

    def use(at_ms: int) -> Use:
        return used.use(b"the code", checker=2, happened_ms=at_ms, at_ms=at_ms)

    others(0, first_ms)
    assert use(first_ms) is Use.FIRST
    others(first_ms, first_ms + life_ms)
    assert use(first_ms + life_ms) is Use.AGAIN
    others(first_ms + life_ms, first_ms + 4 * life_ms)
    assert use(first_ms + 4 * life_ms) is Use.FIRST


def test_only_guards_may_check(world: GateWorld) -> None:
    body = {"code": world.shown_code(1)}

    with pytest.raises(AudienceRefusedError):
        world.guard.check(request(world.resident(1), body))
    with pytest.raises(SessionInvalidError):
        world.guard.check(request(None, body))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=300), st.text("0123456789ABCDEF $%*+-./:", max_size=300).map("HK1:".__add__)))
def test_whatever_a_stranger_holds_up_ends_in_a_refusal_of_ours(world: GateWorld, text: str) -> None:
    body = json.dumps({"code": text}).encode()

    with pytest.raises(TianfuError) as refused:
        world.guard.check(request(world.guard_token())._replace(body=body))

    assert refused.value.status in {400, 422}


def test_a_code_with_a_changed_character_is_refused(world: GateWorld) -> None:
    code = world.shown_code(1)
    changed = code[:60] + ("A" if code[60] != "A" else "B") + code[61:]

    with pytest.raises(CodeInvalidError):
        world.guard.check(request(world.guard_token(), {"code": changed}))
