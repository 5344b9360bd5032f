from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.gate import GREEN, ORIGIN, RED, GateWorld, gate_process
from tests.support.issuer import CODE, other_province
from tests.support.lists import not_green_text, trust_text
from tests.support.ports import free_port
from tests.support.running import until
from tianfu.platform.journalfile import JournalFile
from tianfu.scans import event
from tianfu.status.board import BoardWriter
from tianfu.status.record import BoardRecord

SEED = 20_261_123
ROUNDS = 3
CONNECTIONS = 8
# The promise is a second, and a wait without a change ends after 25; this bound only catches what is broken.
SEEN_SECONDS_MAX = 10.0


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


def client(port: int, **cookies: str) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, trust_env=False, timeout=30)


def journal(var: Path) -> JournalFile:
    return JournalFile.open(var / "journal" / "gate-00001")


def test_the_gate_loads_no_driver_no_framework_and_no_slow_part() -> None:
    script = (
        "import sys, tianfu.services.gate\n"
        "print([name for name in sys.modules if name.partition('.')[0] in "
        "('psycopg', 'psycopg_pool', 'litestar', 'polars', 'duckdb') or "
        "name.startswith(('tianfu.evidence', 'tianfu.policy', 'tianfu.residents', 'tianfu.platform.database'))])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_code_is_shown_checked_and_scanned_and_both_visits_are_in_the_journal(world: GateWorld, port: int) -> None:
    with gate_process(world.var, port) as process:
        with client(port, tianfu_session=world.resident(1)) as resident:
            shown = resident.get("/gate/v1/code").json()
            scanned = resident.post("/gate/v1/scan", json={"poster": world.poster(), "nonce": "aa" * 8})
        with client(port, tianfu_operator=world.guard_token()) as guard:
            checked = guard.post("/gate/v1/check", json={"code": shown["code"]}, headers={"Origin": ORIGIN})
            metrics = guard.get("/gate/v1/metrics").text
        assert (shown["colour"], scanned.json()["colour"], checked.json()["verdict"]) == ("green", "green", "valid")
        assert 'tianfu_gate_answers_total{route="/gate/v1/scan",status="200"} 1' in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    kept = journal(world.var)
    visits = [event.unpack(record) for _, record in kept.read(0, 10)]
    kept.close()
    assert [(visit.kind, visit.person, visit.colour) for visit in visits] == [(1, 1, GREEN), (2, 1, GREEN)]


def test_the_signed_lists_are_handed_out_without_a_session_and_said_to_be_absent_while_there_are_none(
    world: GateWorld, port: int
) -> None:
    with gate_process(world.var, port), client(port) as scanner:
        absent = [scanner.get(f"/gate/v1/lists/{kind}").json()["code"] for kind in ("trust", "not-green")]
        at = world.at_ms // 1000
        made = [trust_text(world.ring, at), not_green_text(world.ring, at)]
        world.writer.put_lists([(b"trust", made[0].encode()), (b"not-green", made[1].encode())])
        found = [scanner.get(f"/gate/v1/lists/{kind}").json() for kind in ("trust", "not-green")]
        root = scanner.get("/gate/v1/lists/root").json()

    assert absent == ["list_absent", "list_absent"]
    assert found == [{"list": text} for text in made]
    assert [set(key) for key in root["keys"]] == [{"kid", "point"}]


def test_a_batch_is_answered_item_by_item_and_all_its_visits_are_in_the_journal(world: GateWorld, port: int) -> None:
    with gate_process(world.var, port):
        with (
            client(port, tianfu_session=world.resident(1)) as one,
            client(port, tianfu_session=world.resident(3)) as two,
        ):
            codes = [phone.get("/gate/v1/code").json()["code"] for phone in (one, two)]
        items = [{"id": f"{number:016x}", "code": code} for number, code in enumerate([*codes, "HK1:X" * 8_000])]
        headers = {"Accept-Language": "en", "Content-Type": "application/json"}
        with client(port, tianfu_operator=world.guard_token()) as guard:
            answer = guard.post("/gate/v1/batch", json={"items": items}, headers=headers)
            again = guard.post("/gate/v1/batch", json={"items": items[:2]}, headers=headers)
            large = guard.post("/gate/v1/batch", content=b" " * 65_537, headers=headers)
            health = guard.get("/gate/v1/health").json()

    assert [found["ok"] for found in answer.json()["items"]] == [True, True, False]
    assert answer.json()["items"][2]["detail"].startswith("This is not a valid Tianfu code")
    assert [found["verdict"] for found in again.json()["items"]] == ["valid", "valid"]
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    assert health["journal_end"] == 2


def test_a_batch_whose_events_cannot_be_recorded_is_refused_as_a_whole_and_uses_no_code(
    world: GateWorld, port: int
) -> None:
    folder = world.var / "journal" / "gate-00001"
    folder.mkdir(parents=True)
    (folder / "data.mdb").write_bytes(b"damaged" * 5000)
    items = [{"id": "0" * 16, "code": world.shown_code(1)}]

    with gate_process(world.var, port), client(port, tianfu_operator=world.guard_token()) as guard:
        answers = [guard.post("/gate/v1/batch", json={"items": items}) for _ in range(2)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "journal_broken")] * 2


def test_a_gate_that_knows_other_issuers_asks_them_and_shows_it_in_its_metrics(world: GateWorld, port: int) -> None:
    with other_province() as province:
        path = province.describe(world.var)
        with (
            gate_process(world.var, port, TIANFU_RESOLVERS=str(path)),
            client(port, tianfu_operator=world.guard_token()) as guard,
        ):
            foreign = guard.post("/gate/v1/check", json={"code": CODE})
            own = guard.post("/gate/v1/check", json={"code": world.shown_code(1)})
            province.status = 503
            away = guard.post("/gate/v1/check", json={"code": CODE + "2"})
            metrics = guard.get("/gate/v1/metrics").text
            health = guard.get("/gate/v1/health").json()

    assert (foreign.json()["verdict"], foreign.json()["issuer"]["name"]) == ("foreign", "广东健康码")
    assert own.json()["verdict"] == "valid"
    assert (away.status_code, away.json()["code"]) == (503, "foreign_unavailable")
    assert 'tianfu_gate_foreign_total{issuer="gd",outcome="unavailable"} 1' in metrics
    assert health["journal_end"] == 1


def test_a_gate_with_a_broken_file_of_issuers_does_not_start_and_says_why(world: GateWorld, port: int) -> None:
    path = world.var / "issuers.toml"
    path.write_text('[[issuer]]\nid = "gd"\n', encoding="utf-8")

    with gate_process(world.var, port, TIANFU_RESOLVERS=str(path)) as process:
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert b"foreign_issuers_invalid" in errors


def test_a_change_on_the_board_reaches_a_waiting_phone_at_once(world: GateWorld, port: int) -> None:
    with gate_process(world.var, port), client(port, tianfu_session=world.resident(1)) as resident:
        sequence = resident.get("/gate/v1/code").json()["sequence"]
        changed_at: list[float] = []

        def change() -> None:
            time.sleep(0.4)
            changed_at.append(time.monotonic())
            world.put(1, BoardRecord(RED, 0, 1, 8, 2, 0, 0, 0, 0, 5))

        writer = threading.Thread(target=change)
        writer.start()
        answer = resident.get("/gate/v1/changes", params={"after": sequence}).json()
        seen_at = time.monotonic()
        writer.join()

        assert answer == {"sequence": 5, "changed": True}
        assert seen_at - changed_at[0] < SEEN_SECONDS_MAX
        assert resident.get("/gate/v1/code").json()["colour"] == "red"


def test_without_a_board_the_gate_starts_checks_everybody_and_takes_the_board_up_when_it_appears(
    tmp_path: Path, port: int
) -> None:
    made = GateWorld(tmp_path / "elsewhere")
    token = made.resident(1)
    made.writer.close()
    var = tmp_path / "var"
    (var / "keys").mkdir(parents=True)
    (var / "keys").chmod(0o700)
    shutil.copy2(made.var / "keys" / "gate.json", var / "keys" / "gate.json")

    with gate_process(var, port), client(port, tianfu_session=token) as resident:
        before = resident.get("/gate/v1/health").json()
        colour_before = resident.get("/gate/v1/code").json()["colour"]
        writer = BoardWriter.open(var / "board")
        again = GateWorld.put
        made.writer, made.at_ms = writer, time.time_ns() // 1_000_000
        again(made, 1, BoardRecord(GREEN, 0, 0, 7, 0, 0, 0, 0, 0, 1))
        until(lambda: resident.get("/gate/v1/code").json()["colour"] == "green", "the board to be taken up")
        after = resident.get("/gate/v1/health").json()
        writer.close()

    assert (before["status"], before["board"], colour_before) == ("checking", "absent", "checking")
    assert (after["status"], after["board"]) == ("ok", "present")


def test_with_a_damaged_journal_codes_are_shown_and_scans_are_refused_with_the_reason(
    world: GateWorld, port: int
) -> None:
    folder = world.var / "journal" / "gate-00001"
    folder.mkdir(parents=True)
    (folder / "data.mdb").write_bytes(b"damaged" * 5000)

    with gate_process(world.var, port), client(port, tianfu_session=world.resident(1)) as resident:
        shown = resident.get("/gate/v1/code")
        scanned = resident.post("/gate/v1/scan", json={"poster": world.poster()}, headers={"Accept-Language": "en"})
        health = resident.get("/gate/v1/health").json()

    assert shown.status_code == 200
    assert (scanned.status_code, scanned.json()["code"]) == (503, "journal_broken")
    assert (health["journal"], health["recording"]) == ("journal_broken", False)


def test_a_second_gate_with_the_same_number_does_not_start(world: GateWorld, port: int) -> None:
    with gate_process(world.var, port), gate_process(world.var, free_port()) as second:
        _, errors = second.communicate(timeout=60)

    assert second.returncode == 1
    assert b"TIANFU_GATE_NUMBER" in errors


@pytest.mark.parametrize(
    ("path", "content", "headers", "status", "code"),
    [
        ("/gate/v1/scan", b"{", {}, 400, "body_unreadable"),
        ("/gate/v1/scan", b"\xff\xfe", {}, 400, "body_unreadable"),
        ("/gate/v1/scan", b'{"poster":5}', {}, 422, "input_invalid"),
        ("/gate/v1/scan", b'{"poster":"x"}', {}, 422, "poster_invalid"),
        ("/gate/v1/scan", b"{}", {"Content-Type": "text/plain"}, 415, "content_type_refused"),
        ("/gate/v1/scan", b"{}", {"Origin": "https://evil.example"}, 403, "origin_refused"),
        ("/gate/v1/scan", b"x" * 10_000_000, {}, 413, "body_too_large"),
        ("/gate/v1/check", b'{"code":"HK1:"}', {}, 401, "session_invalid"),
        ("/gate/v1/nowhere", b"{}", {}, 404, "not_found"),
        ("/gate/v1/code", b"{}", {}, 405, "method_refused"),
    ],
)
def test_bad_requests_get_one_clear_sentence_and_write_nothing(
    world: GateWorld, port: int, path: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    with gate_process(world.var, port), client(port, tianfu_session=world.resident(1)) as resident:
        refused = resident.post(path, content=content, headers={"Content-Type": "application/json", **headers})
        health = resident.get("/gate/v1/health").json()

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["content-language"] == "zh"
    assert health["journal_end"] == 0


def test_what_was_acknowledged_before_kill_9_is_in_the_journal_exactly_once(world: GateWorld, port: int) -> None:
    seconds = random.Random(SEED)
    acknowledged: list[bytes] = []
    poster = world.poster()
    tokens = [world.resident(person) for person in range(1, CONNECTIONS + 1)]

    def hammer(number: int, turn: int) -> None:
        body = {"poster": poster}
        with client(port, tianfu_session=tokens[number]) as resident:
            for count in range(100_000):
                nonce = bytes((turn, number)) + count.to_bytes(6, "big")
                try:
                    answer = resident.post("/gate/v1/scan", json={**body, "nonce": nonce.hex()})
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, json.dumps(answer.json())
                acknowledged.append(nonce)

    for turn in range(ROUNDS):
        before = len(acknowledged)
        with gate_process(world.var, port) as process:
            threads = [threading.Thread(target=hammer, args=(number, turn)) for number in range(CONNECTIONS)]
            for thread in threads:
                thread.start()
            until(lambda so_far=before: len(acknowledged) > so_far, "scans")  # type: ignore[misc]
            time.sleep(seconds.uniform(0.2, 0.9))
            process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
        kept = journal(world.var)
        nonces = [event.unpack(record).nonce for _, record in kept.read(0, kept.end())]
        kept.close()
        assert set(acknowledged) <= set(nonces), f"seed {SEED}, round {turn}"
        assert len(nonces) == len(set(nonces)), f"seed {SEED}, round {turn}"
