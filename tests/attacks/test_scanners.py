"""Attacks on those who check codes: stolen keys, old lists, a wrong clock, no network, links that look like codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.codes import AT, HOLDER, gate_ring, retire, rotate
from tests.support.credentials import DAY, Phone, card_of, card_text
from tests.support.gate import GateWorld, gate_process, request
from tests.support.lists import LIFE, ORIGIN, not_green_text, pinned, trust_text
from tests.support.ports import free_port
from tianfu.clock import now_milliseconds
from tianfu.passcode import bundle
from tianfu.passcode.bundle import Bundle
from tianfu.passcode.handout import root
from tianfu.passcode.issue import Issuer
from tianfu.passcode.lists import ListInvalidError
from tianfu.passcode.offline import ListOlderError, Trust
from tianfu.passcode.verify import SKEW_SECONDS
from tianfu.platform.cose import CodeInvalidError
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.sign import KeyPurpose

PROGRAM = Path(sys.executable).with_name("tianfu")
NEXT_SYNC = 60


def scanner(ring: GateKeys, at: int = AT) -> Trust:
    """A scanner that fetched everything at `at`."""
    made = Trust(pinned(ring, at), ORIGIN)
    made.take_trust(trust_text(ring, at, number=at))
    made.take_not_green(not_green_text(ring, at, number=at))
    return made


def everything(ring: GateKeys, at: int) -> dict[str, str]:
    """A living code of each kind that has a holder."""
    return {
        "dynamic": Issuer(ring).issue(HOLDER, 1, 7, at).text,
        "card": card_text(ring, card_of(ring, 1, at), at),
        "device": Phone(ring, 1, at).text(at),
    }


def verify(trust_file: Path, codes: list[str], at: int | None = None) -> list[dict[str, Any]]:
    """What `tianfu codes verify` prints, on a machine that has nothing of ours but the file."""
    words = [] if at is None else ["--at", datetime.fromtimestamp(at, UTC).isoformat()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIANFU_")}
    done = subprocess.run(
        [PROGRAM, "codes", "verify", "--trust", trust_file, *words],
        input="\n".join(codes),
        env={
            **environment,
            "TIANFU_VAR": str(trust_file.parent / "nowhere"),
            "TIANFU_DATABASE": "postgresql://127.0.0.1:1/x",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def trust_file(ring: GateKeys, folder: Path, at: int) -> Path:
    """What `tianfu codes trust` writes."""
    made = Bundle(1, ORIGIN, root(pinned(ring, at)).keys, trust_text(ring, at), not_green_text(ring, at))
    path = folder / "trust.json"
    path.write_bytes(bundle.write(made))
    return path


@pytest.mark.parametrize(
    ("use", "kind"),
    [(KeyUse.PERSONAL, "dynamic"), (KeyUse.CARD, "card"), (KeyUse.DEVICE, "device")],
)
def test_attack_07_what_a_stolen_key_signed_is_refused_after_the_next_sync(
    tmp_path: Path, use: KeyUse, kind: str
) -> None:
    ring = gate_ring(tmp_path)
    with_network, code = scanner(ring), everything(ring, AT + NEXT_SYNC)[kind]
    assert with_network.verdict(code, AT + NEXT_SYNC).verdict == "valid"

    (stolen,) = (key for key in ring.keys if key.use is use)
    rotate(gate_path(tmp_path), use, AT)
    retire(gate_path(tmp_path), use, stolen.id, AT + NEXT_SYNC)
    later = GateKeys.load_or_create(gate_path(tmp_path))
    with_network.take_trust(trust_text(later, AT + NEXT_SYNC, number=AT + NEXT_SYNC))

    assert with_network.verdict(code, AT + NEXT_SYNC).verdict == "invalid"


def test_attack_22_a_clock_set_back_means_cannot_check_and_never_an_old_code_that_is_fresh_again(
    ring: GateKeys, tmp_path: Path
) -> None:
    trust = scanner(ring)
    for kind, text in everything(ring, AT + 60).items():
        assert trust.verdict(text, AT + 60).verdict == "valid", kind
    trust.verdict(everything(ring, AT + 3_600)["card"], AT + 3_600)

    for kind, text in everything(ring, AT + 60).items():
        for at in (AT + 60, AT - DAY, AT - SKEW_SECONDS - 1, AT + 3_600 - SKEW_SECONDS - 1):
            assert trust.verdict(text, at).verdict == "cannot_check", (kind, at)
    (said,) = verify(trust_file(ring, tmp_path, AT), [everything(ring, AT - DAY)["dynamic"]], AT - DAY)
    assert said == {"kind": "dynamic", "verdict": "cannot_check", "why": "clock before the list"}


def test_attack_23_past_a_lists_age_nothing_is_green_and_an_older_list_is_not_taken_again(
    ring: GateKeys, tmp_path: Path
) -> None:
    trust, end = scanner(ring), AT + LIFE
    before, after = everything(ring, end - 1), everything(ring, end)

    assert {trust.verdict(text, end - 1).verdict for text in before.values()} == {"valid"}
    assert {trust.verdict(text, end).verdict for text in after.values()} == {"cannot_check"}
    with pytest.raises(ListOlderError):
        trust.take_trust(trust_text(ring, end, number=AT - 1))
    with pytest.raises(ListOlderError):
        trust.take_not_green(not_green_text(ring, end, number=AT - 1))
    with pytest.raises(ListInvalidError):
        trust.take_trust(trust_text(ring, end, number=AT + 1, purpose=KeyPurpose.PERSONAL))
    assert {trust.verdict(text, end).verdict for text in after.values()} == {"cannot_check"}
    said = verify(trust_file(ring, tmp_path, AT), list(after.values()), end)
    assert {(verdict["verdict"], verdict["why"]) for verdict in said} == {("cannot_check", "trust list too old")}


def test_attack_24_with_database_and_gate_off_codes_are_still_told_good_from_bad(
    world: GateWorld, tmp_path: Path
) -> None:
    """Nobody has to be waved through: what was fetched before the collapse is enough for the hours after it."""
    at = world.at_ms // 1000
    green, lost = card_of(world.ring, 1, at), card_of(world.ring, 3, at)
    world.writer.put_lists(
        [
            (b"trust", trust_text(world.ring, at).encode()),
            (b"not-green", not_green_text(world.ring, at, [lost.credential_id]).encode()),
        ]
    )
    phone = Phone(world.ring, 1, at)
    port = free_port()
    with gate_process(world.var, port) as gate:  # it has never seen a database
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/gate/v1", trust_env=False, timeout=30) as client:
            fetched = [client.get(f"/lists/{kind}").json() for kind in ("root", "trust", "not-green")]
            client.cookies["tianfu_session"] = world.resident(1)
            live = client.get("/code").json()["code"]
            # A gate on a busy machine is slow to start, and the code is as old as its making.
            made_by = now_milliseconds() // 1000 + 1
        gate.send_signal(signal.SIGKILL)
        gate.wait()
    path = tmp_path / "trust.json"
    keys, trust, not_green = (next(iter(answer.values())) for answer in fetched)
    document = {"version": 1, "origin": ORIGIN, "root": keys, "trust": trust, "not_green": not_green}
    path.write_text(json.dumps(document), encoding="utf-8")

    shown = [
        (live, "valid"),
        (phone.text(at), "valid"),
        (card_text(world.ring, green, at), "valid"),
        (card_text(world.ring, lost, at), "not_green"),
        (live[:-1] + ("0" if live[-1] != "0" else "1"), "invalid"),
        (card_text(world.ring, card_of(world.ring, 1, at - 8 * DAY), at), "expired"),
    ]
    said = verify(path, [text for text, _ in shown])

    assert [verdict["verdict"] for verdict in said] == [expected for _, expected in shown]
    (later,) = verify(path, [live], made_by + 90 + SKEW_SECONDS + 1)
    assert later["verdict"] == "expired"


LINKS = (
    "https://jkt.example.cn.evil.example/v#hEmi",
    "https://evil.example/?https://jkt.example.cn/v#hEmi",
    "https://jkt.example.cn@evil.example/v#hEmi",
    "HTTPS://JKT.EXAMPLE.CN/V#hEmi",
    "https://jkt.example.cn/survey",
    "javascript:alert(1)",
    "data:text/html,<script>",
    "tel:10086",
    "weixin://dl/business/?t=x",
    "WIFI:S:free;T:WPA;P:x;;",
    "HK2:https://evil.example/",
    "HK9:PWGSLKC",
    "hk1:PWGSLKC",
    "",
    "\0",
)


@pytest.mark.usefixtures("socket_disabled")
@pytest.mark.parametrize("text", LINKS)
def test_attack_26_a_link_is_shown_as_no_code_of_ours_and_opened_by_nobody(
    world: GateWorld, ring: GateKeys, text: str
) -> None:
    said = scanner(ring).verdict(text, AT)

    assert said.verdict == "invalid"
    assert said.kind == ("card" if text.startswith("HK2:") else "unknown")
    with pytest.raises(CodeInvalidError):
        world.guard.check(request(world.guard_token(), {"code": text}))
