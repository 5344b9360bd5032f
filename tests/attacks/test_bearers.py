"""Attacks by people at the door: somebody else's code, a code shown twice, a card that is to open more than a door."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.credentials import Phone, card_of, card_text
from tests.support.gate import GateWorld, gate_process, request
from tests.support.lists import ORIGIN, pinned
from tests.support.ports import free_port
from tests.support.province import Province
from tianfu.access.channel import SHARES
from tianfu.access.session import Audience, Session, SessionKeys, new_session_id
from tianfu.passcode.offline import Trust
from tianfu.passcode.verify import CodeKilledError
from tianfu.platform.admission import Admission
from tianfu.platform.database import Database
from tianfu.platform.journalfile import JournalFile
from tianfu.scans import event
from tianfu.scans.event import FLAG_REUSED_CODE
from tianfu.scans.guard import GuardDesk
from tianfu.status.bearer import Bearers

# A killed credential is with every gate, and in the list for scanners, a second later.
KILLED_SECONDS_MAX = 1


@pytest.mark.parametrize("kind", ["HK1", "HK2", "HK3"])
def test_attack_02_a_scanner_is_always_shown_whose_code_it_is_meant_to_be(world: GateWorld, kind: str) -> None:
    at = world.at_ms // 1000
    text = {
        "HK1": lambda: world.shown_code(1),
        "HK2": lambda: card_text(world.ring, card_of(world.ring, 1, at), at),
        "HK3": lambda: Phone(world.ring, 1, at).text(at),
    }[kind]()
    batch = {"items": [{"id": "0" * 16, "code": text, "scanned_at": world.at_ms - 1_000}]}

    said = [
        json.loads(world.guard.check(request(world.guard_token(guard), {"code": text})).body) for guard in (501, 502)
    ]
    said += run(world, batch)["items"]

    assert len(said) == 3
    for answer in said:
        assert "*" in answer["masked_name"], "the face belongs to a name"
        assert 1 <= len(answer["last_digits"]) <= 4
    assert len({(answer["masked_name"], answer["last_digits"]) for answer in said}) == 1


def run(world: GateWorld, batch: dict[str, Any]) -> dict[str, Any]:
    """The answer to a batch of a gate process."""
    port = free_port()
    with gate_process(world.var, port):
        answer = httpx.post(
            f"http://127.0.0.1:{port}/gate/v1/batch",
            json=batch,
            cookies={"tianfu_operator": world.guard_token()},
            trust_env=False,
        )
    content: dict[str, Any] = answer.json()
    return content


def test_attack_02_a_reissue_kills_the_card_that_somebody_else_has_at_gates_and_without_network(
    database: Database, tmp_path: Path
) -> None:
    province = Province(database, tmp_path)
    (person,) = province.green(1)
    _, stolen = province.card(person)
    province.work()
    scanner = Trust(pinned(province.ring, province.seconds()), ORIGIN)
    follow(scanner, province)
    assert scanner.verdict(stolen, province.seconds()).verdict == "valid"
    assert checked(province, stolen)["colour"] == "green"

    _, fresh = province.card(person)
    assert province.work(after=timedelta(seconds=KILLED_SECONDS_MAX))

    follow(scanner, province)
    assert scanner.verdict(stolen, province.seconds()).verdict == "not_green"
    assert scanner.verdict(fresh, province.seconds()).verdict == "valid"
    with pytest.raises(CodeKilledError):
        checked(province, stolen)
    assert checked(province, fresh)["colour"] == "green"
    province.cycle.close()


def checked(province: Province, text: str) -> dict[str, Any]:
    """What a gate on the province's board answers to a guard."""
    at = province.seconds()
    session = Session(Audience.GUARD, new_session_id(), 500, 12, "李*", "5101**********123X", at + 3600)
    token = SessionKeys(province.ring).issue(session, at)
    with closing(province.board()) as board:
        desk = GuardDesk(
            bearers=Bearers(province.ring, board),
            board=board,
            ring=province.ring,
            admission=Admission(SHARES),
            gate=1,
            now_ms=lambda: at * 1000,
        )
        answer: dict[str, Any] = json.loads(desk.check(request(token, {"code": text})).body)
    return answer


def follow(scanner: Trust, province: Province) -> None:
    """Fetch the lists of now."""
    trust, not_green = province.texts()
    scanner.take_trust(trust)
    scanner.take_not_green(not_green)


@pytest.mark.parametrize("kind", ["HK1", "HK3"])
def test_attack_03_a_code_shown_at_a_second_gate_is_already_used_also_after_the_first_was_killed(
    world: GateWorld, kind: str
) -> None:
    code = world.shown_code(1) if kind == "HK1" else Phone(world.ring, 1, world.at_ms // 1000).text(world.at_ms // 1000)
    ports = free_port(), free_port()
    with (
        gate_process(world.var, ports[0], TIANFU_GATE_NUMBER="1") as first,
        gate_process(world.var, ports[1], TIANFU_GATE_NUMBER="2"),
    ):
        told = [check(world, port, account, code) for port, account in zip(ports, (501, 502), strict=True)]
        first.kill()
        first.wait()
        with gate_process(world.var, ports[0], TIANFU_GATE_NUMBER="1"):
            told.append(check(world, ports[0], 503, code))

    assert told == ["valid", "already_used", "already_used"]
    visits = [visit for number in (1, 2) for visit in recorded(world, number)]
    assert [bool(visit.flags & FLAG_REUSED_CODE) for visit in visits] == [False, True, True]
    assert len({visit.nonce for visit in visits}) == 1


def check(world: GateWorld, port: int, account: int, code: str) -> str:
    """What a guard is told at the gate of a port."""
    answer = httpx.post(
        f"http://127.0.0.1:{port}/gate/v1/check",
        json={"code": code},
        cookies={"tianfu_operator": world.guard_token(account)},
        trust_env=False,
    )
    return str(answer.json()["verdict"])


def recorded(world: GateWorld, gate: int) -> list[event.ScanEvent]:
    """The visits in a gate's journal."""
    with closing(JournalFile.open(world.var / "journal" / f"gate-{gate:05d}")) as kept:
        return [event.unpack(record) for _, record in kept.read(0, 10)]
