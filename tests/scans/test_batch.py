from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gate import GREEN, GateWorld, request
from tianfu.access.session import SessionInvalidError
from tianfu.clock import monotonic_seconds
from tianfu.errors import InputInvalidError
from tianfu.platform import keychange, keyfile
from tianfu.platform.http import Answer, BusyError
from tianfu.platform.keyfile import KeyUse
from tianfu.scans import event
from tianfu.scans.batch import BATCH_BODY_BYTES_MAX, BATCH_ITEMS_MAX, BATCHES_WAITING_MAX
from tianfu.scans.event import FLAG_OFFLINE, FLAG_REUSED_CODE, ScanEvent
from tianfu.scans.guard import GuardDesk
from tianfu.scans.offline import OFFLINE_AGE_MS_MAX, OFFLINE_AHEAD_MS_MAX
from tianfu.status.bearer import AudienceRefusedError
from tianfu.status.record import BoardRecord

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def item(number: int, code: str, scanned_at: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"id": f"{number:016x}", "code": code}
    return made if scanned_at is None else made | {"scanned_at": scanned_at}


async def awaited(answer: Awaitable[Answer]) -> Answer:
    return await answer


def send(world: GateWorld, *items: dict[str, Any], token: str | None = None) -> Answer:
    asked = request(token or world.guard_token(), {"items": list(items)})
    return asyncio.run(awaited(world.batch.batch(asked)))


def results(answer: Answer) -> list[dict[str, Any]]:
    return list(json.loads(answer.body)["items"])


def visits(answer: Answer) -> list[ScanEvent]:
    return [event.unpack(record) for record in answer.records]


def shown_then(world: GateWorld, person: int, *, age_ms: int) -> tuple[str, int]:
    """A code as it was shown that long ago, and when."""
    now_ms = world.at_ms
    world.at_ms = now_ms - age_ms
    code, then_ms = world.shown_code(person), world.at_ms
    world.at_ms = now_ms
    return code, then_ms


def test_a_bus_full_of_people_is_answered_item_by_item_with_one_event_each(world: GateWorld) -> None:
    codes = [world.shown_code(person) for person in (1, 3, 2)]

    answer = send(world, *(item(number, code) for number, code in enumerate(codes)))

    assert [(found["id"], found["ok"], found["verdict"], found["colour"]) for found in results(answer)] == [
        (f"{0:016x}", True, "valid", "green"),
        (f"{1:016x}", True, "valid", "red"),
        (f"{2:016x}", True, "valid", "checking"),
    ]
    assert [(visit.person, visit.flags) for visit in visits(answer)] == [(1, 0), (3, 0), (2, 0)]
    assert all(visit.happened_at == visit.received_at == world.at_ms for visit in visits(answer))


def test_an_item_says_what_a_check_says(world: GateWorld) -> None:
    checked = json.loads(world.guard.check(request(world.guard_token(), {"code": world.shown_code(1)})).body)

    (found,) = results(send(world, item(7, world.shown_code(1))))

    assert found == {"id": f"{7:016x}", "ok": True} | checked


def test_a_bad_code_is_refused_with_its_own_reason_and_stops_nobody(world: GateWorld) -> None:
    stale, _ = shown_then(world, 1, age_ms=200_000)

    answer = send(world, item(1, world.shown_code(1)), item(2, "HK1:NONSENSE"), item(3, stale), item(4, "weixin://x"))

    assert [found.get("code") for found in results(answer)] == [None, "code_invalid", "code_expired", "code_invalid"]
    assert [found["ok"] for found in results(answer)] == [True, False, False, False]
    assert all(found["detail"] for found in results(answer)[1:])
    assert len(answer.records) == 1


def test_the_same_code_twice_in_a_request_is_one_scan(world: GateWorld) -> None:
    code = world.shown_code(1)

    answer = send(world, item(1, code), item(2, code))

    assert [found["verdict"] for found in results(answer)] == ["valid", "valid"]
    assert len(answer.records) == 1


def test_a_code_that_another_guard_has_checked_is_already_used_in_a_batch_too(world: GateWorld) -> None:
    code = world.shown_code(1)
    world.guard.check(request(world.guard_token(500), {"code": code}))

    answer = send(world, item(1, code), token=world.guard_token(501))

    assert [found["verdict"] for found in results(answer)] == ["already_used"]
    assert [visit.flags for visit in visits(answer)] == [FLAG_REUSED_CODE]


def test_what_was_scanned_offline_is_checked_at_its_own_time_and_says_so(world: GateWorld) -> None:
    code, then_ms = shown_then(world, 1, age_ms=3 * DAY_MS)
    world.put(1, BoardRecord(3, 0, 1, 8, 0, 0, 0, 0, 0, 9))

    answer = send(world, item(1, code, then_ms + 20_000))

    (found,) = results(answer)
    assert (found["verdict"], found["colour"], found["checked_at"]) == ("valid", "red", (then_ms + 20_000) // 1000)
    (visit,) = visits(answer)
    assert (visit.flags, visit.happened_at, visit.received_at) == (FLAG_OFFLINE, then_ms + 20_000, world.at_ms)


def test_a_code_that_was_dead_when_it_was_scanned_is_refused_however_late_it_is_sent(world: GateWorld) -> None:
    code, then_ms = shown_then(world, 1, age_ms=DAY_MS)

    answer = send(world, item(1, code, then_ms + 100_000), item(2, code, then_ms - 6_000))

    assert [found["code"] for found in results(answer)] == ["code_expired", "code_not_yet_valid"]
    assert answer.records == ()


@pytest.mark.parametrize(
    ("offset_ms", "code"),
    [
        (-OFFLINE_AGE_MS_MAX, "code_not_yet_valid"),
        (-OFFLINE_AGE_MS_MAX - 1, "scan_too_old"),
        (-(2**70), "scan_too_old"),
        (OFFLINE_AHEAD_MS_MAX, "code_expired"),
        (OFFLINE_AHEAD_MS_MAX + 1, "scan_in_future"),
        (2**70, "scan_in_future"),
    ],
)
def test_seven_days_back_and_five_minutes_ahead_are_the_limits(world: GateWorld, offset_ms: int, code: str) -> None:
    (found,) = results(send(world, item(1, world.shown_code(1), world.at_ms + offset_ms)))

    assert found["code"] == code


def test_the_same_items_sent_again_are_the_same_scans_and_record_nothing_more(world: GateWorld) -> None:
    code, then_ms = shown_then(world, 1, age_ms=DAY_MS)
    token = world.guard_token()
    items = [item(1, code, then_ms), item(2, world.shown_code(3))]
    first = send(world, *items, token=token)

    world.at_ms += 2_000
    again = send(world, *items, token=token)

    assert [found["verdict"] for found in results(again)] == ["valid", "valid"]
    assert (again.records, again.settled, len(first.records)) == ((), True, 2)


def test_after_a_restart_the_same_item_is_recorded_with_the_same_number_and_time(
    world: GateWorld, tmp_path: Path
) -> None:
    code, then_ms = shown_then(world, 1, age_ms=DAY_MS)
    first = send(world, item(1, code, then_ms))
    world.writer.close()
    restarted = GateWorld(tmp_path)

    again = send(restarted, item(1, code, then_ms))
    restarted.writer.close()

    assert [(visit.nonce, visit.happened_at) for visit in visits(again)] == [
        (visit.nonce, visit.happened_at) for visit in visits(first)
    ]


def test_what_could_not_be_recorded_may_all_be_sent_again(world: GateWorld) -> None:
    items = [item(number, world.shown_code(person)) for number, person in enumerate((1, 2, 3))]
    token = world.guard_token()
    for record in send(world, *items, token=token).records:
        world.guard.lost(record)

    again = send(world, *items, token=token)

    assert [found["verdict"] for found in results(again)] == ["valid"] * 3
    assert len(again.records) == 3


def test_an_offline_code_outlives_the_rotation_of_its_key_and_not_its_retirement(world: GateWorld) -> None:
    code, then_ms = shown_then(world, 1, age_ms=DAY_MS)
    path = world.var / "keys" / "gate.json"
    rotated_at = then_ms // 1000 + 60

    keyfile.change(path, "gate", lambda content: keychange.rotated(content, KeyUse.PERSONAL, rotated_at))
    kept = send(world, item(1, code, then_ms))
    old = keyfile.load(path, "gate").keys[0]

    retired_at = world.at_ms // 1000
    keyfile.change(path, "gate", lambda content: keychange.retired(content, KeyUse.PERSONAL, old.id, retired_at))
    world.at_ms += 10_000
    gone = send(world, item(1, code, then_ms))

    assert old.use is KeyUse.PERSONAL
    assert [found["ok"] for found in results(kept)] == [True]
    assert [found.get("code") for found in results(gone)] == ["code_invalid"]


def test_while_a_large_batch_is_read_others_have_a_turn(world: GateWorld) -> None:
    code = world.shown_code(1)
    changed = [code[:-1] + last for last in "ABCDEFGHIJ"] * 10
    asked = request(world.guard_token(), {"items": [item(number, text) for number, text in enumerate(changed)]})
    turns = 0

    async def run() -> None:
        nonlocal turns
        task = asyncio.ensure_future(awaited(world.batch.batch(asked)))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1

    began = monotonic_seconds()
    asyncio.run(run())

    assert turns >= 10
    assert monotonic_seconds() - began < 5


@pytest.mark.parametrize(
    "items",
    [
        [item(number, "HK1:") for number in range(BATCH_ITEMS_MAX + 1)],
        [{"id": "12", "code": "HK1:"}],
        [{"id": "0" * 15 + "G", "code": "HK1:"}],
        [{"id": "0" * 16}],
        [{"id": "0" * 16, "code": "HK1:", "scanned_at": "now"}],
        [{"id": "0" * 16, "code": "HK1:", "colour": "green"}],
        "HK1:",
    ],
)
def test_a_body_of_another_shape_is_refused_as_a_whole(world: GateWorld, items: object) -> None:
    with pytest.raises(InputInvalidError):
        world.batch.batch(request(world.guard_token(), {"items": items}))


def test_an_empty_batch_is_answered_with_nothing(world: GateWorld) -> None:
    answer = send(world)

    assert (results(answer), answer.records, answer.settled) == ([], (), False)


def test_a_full_batch_of_the_longest_codes_fits_the_limit_of_its_body() -> None:
    content = {"items": [item(number, "X" * 400, 2**41) for number in range(BATCH_ITEMS_MAX)]}

    assert len(json.dumps(content)) <= BATCH_BODY_BYTES_MAX


def test_only_guards_may_send_batches(world: GateWorld) -> None:
    body = {"items": [item(1, world.shown_code(1))]}

    with pytest.raises(AudienceRefusedError):
        world.batch.batch(request(world.resident(1), body))
    with pytest.raises(SessionInvalidError):
        world.batch.batch(request(None, body))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.one_of(st.text(max_size=60), st.just("HK1:"), st.just("good")), max_size=20),
    scanned_at=st.one_of(st.none(), st.integers(-(2**80), 2**80)),
)
def test_whatever_is_sent_every_item_is_answered_in_order(
    world: GateWorld, texts: list[str], scanned_at: int | None
) -> None:
    good = world.shown_code(1)
    items = [item(number, good if text == "good" else text, scanned_at) for number, text in enumerate(texts)]

    answer = send(world, *items)

    assert [found["id"] for found in results(answer)] == [sent["id"] for sent in items]
    assert all(visit.person == 1 and visit.colour == GREEN for visit in visits(answer))


def test_of_many_batches_at_once_each_takes_its_turn_and_everybody_else_too(
    world: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred devices come back after an outage; a phone must not wait until all of their codes are read."""
    items = [item(number, "HK1:no code") for number in range(100)]
    asked = request(world.guard_token(), {"items": items})
    read, most = 0, 0
    reading = world.guard.read

    def counted(*arguments: Any) -> Any:  # noqa: ANN401 - as the desk's own
        nonlocal read
        read += 1
        return reading(*arguments)

    async def another() -> None:
        nonlocal most
        while True:
            before = read
            await asyncio.sleep(0)
            most = max(most, read - before)

    async def at_once() -> list[Answer | BaseException]:
        watching = asyncio.create_task(another())
        sent = [awaited(world.batch.batch(asked)) for _ in range(BATCHES_WAITING_MAX + 5)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        watching.cancel()
        return answers

    monkeypatch.setattr(GuardDesk, "read", lambda _, *arguments: counted(*arguments))
    answers = asyncio.run(at_once())

    assert [type(answer) for answer in answers].count(BusyError) == 5
    assert sum(isinstance(answer, Answer) for answer in answers) == BATCHES_WAITING_MAX
    assert read == BATCHES_WAITING_MAX * 100
    assert most <= 20
    assert len(send(world, item(1, "HK1:no code")).records) == 0
