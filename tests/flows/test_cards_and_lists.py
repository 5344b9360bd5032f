"""A card from the portal, through a real worker, to a real gate and to a scanner without network; then it is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from tests.support.clock import NOON
from tests.support.control import Control
from tests.support.credentials import Phone
from tests.support.gate import gate_process
from tests.support.ports import free_port
from tests.support.worker import put_in_force, running_worker, wait_until
from tianfu.access.session import Audience, Session, SessionKeys, new_session_id
from tianfu.cli import codes
from tianfu.passcode.device import presentation_text
from tianfu.platform import base64url
from tianfu.platform.database import Database
from tianfu.platform.keyring import GateKeys, gate_path

CARD = "/api/portal/card"
DECLARATION = {"symptoms": [], "truthful": True, "temperature_decidegrees": 365}
# A killed credential is at the gate with the worker's next beat; the rest is for a busy machine. Lists are made anew
# each minute in any case: what waits for that is no beat.
REFUSED_SECONDS_MAX = 25.0


@pytest.fixture
def control(database: Database, tmp_path: Path) -> Iterator[Control]:
    made = Control(database, tmp_path)
    made.clock.advance(datetime.now(UTC) - NOON)
    with made.served() as running:
        yield running


def guard(var: Path, port: int) -> httpx.Client:
    """A guard's scanner, signed in."""
    now = int(datetime.now(UTC).timestamp())
    session = Session(Audience.GUARD, new_session_id(), 500, 12, "李*", "5101**********123X", now + 3600)
    token = SessionKeys(GateKeys.load_or_create(gate_path(var))).issue(session, now)
    return httpx.Client(
        base_url=f"http://127.0.0.1:{port}", cookies={"tianfu_operator": token}, trust_env=False, timeout=30
    )


def without_network(var: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The verdict of a scanner that fetched a trust file just now."""
    monkeypatch.setenv("TIANFU_VAR", str(var))
    out = var / "trust.json"
    made = CliRunner().invoke(codes.command, ["trust", "--out", str(out)])
    assert made.exit_code == 0, made.output
    said = CliRunner().invoke(codes.command, ["verify", "--trust", str(out)], input=text)
    verdict: dict[str, Any] = json.loads(said.stdout)
    return verdict


def test_a_lost_card_is_refused_at_the_gate_and_without_network_within_seconds(
    control: Control, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    var = control.folder
    put_in_force(control.database)
    browser = control.browser()
    browser.claim()
    browser.ask("POST", "/api/v1/me/declarations", DECLARATION)
    code = browser.ask("POST", CARD, {"kind": "self"}).json()["code"]
    phone = Phone(GateKeys.load_or_create(gate_path(var)), 1, int(datetime.now(UTC).timestamp()))
    answer = browser.ask("POST", "/api/portal/device-key", {"public_key": phone.base64url()})
    certificate = base64url.decode(answer.json()["certificate"])
    port = free_port()

    with running_worker(database_url, var), gate_process(var, port), guard(var, port) as scanner:

        def check(text: str) -> dict[str, Any]:
            found: dict[str, Any] = scanner.post("/gate/v1/check", json={"code": text}).json()
            return found

        def lists() -> list[int]:
            return [scanner.get(f"/gate/v1/lists/{kind}").status_code for kind in ("trust", "not-green", "root")]

        wait_until(lambda: check(code).get("colour") == "green")
        wait_until(lambda: lists() == [200, 200, 200])
        wait_until(lambda: without_network(var, code, monkeypatch)["verdict"] == "valid")
        shown = presentation_text(phone.show(int(datetime.now(UTC).timestamp()), certificate))
        assert (check(shown)["kind"], check(code)["kind"]) == ("device", "card")
        assert without_network(var, shown, monkeypatch)["verdict"] == "valid"

        assert browser.ask("DELETE", CARD).status_code == 204

        took = wait_until(lambda: check(code).get("code") == "code_killed")
        assert took < REFUSED_SECONDS_MAX
        took = wait_until(lambda: without_network(var, code, monkeypatch)["verdict"] == "not_green")
        assert took < REFUSED_SECONDS_MAX
        assert without_network(var, shown, monkeypatch)["verdict"] == "valid"
