"""The control processes as they are really started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import sleep

import httpx
import pytest

from tests.support.ports import free_port
from tianfu.clock import monotonic_seconds

START_SECONDS_MAX = 90


def wait_for(url: str, process: subprocess.Popen[bytes]) -> httpx.Response:
    """The first answer of a process that is starting."""
    deadline = monotonic_seconds() + START_SECONDS_MAX
    while monotonic_seconds() < deadline and process.poll() is None:
        try:
            return httpx.get(url, timeout=30)
        except httpx.TransportError:
            sleep(0.05)
    pytest.fail("the process did not answer")


@pytest.mark.parametrize("module", ["control", "portal", "console", "worker", "gate", "origin"])
def test_settings_that_cannot_be_used_are_named_and_nothing_starts(tmp_path: Path, module: str) -> None:
    port = {"worker": [], "origin": ["--control-port", "1"]}.get(module, ["--port", "1"])
    environment = os.environ | {"TIANFU_VAR": str(tmp_path), "TIANFU_ENV": "production"}

    refused = subprocess.run(
        [sys.executable, "-m", f"tianfu.services.{module}", *port],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert refused.returncode == 1
    assert "TIANFU_PROOFING: the sandbox proofing provider is refused" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("module", "here", "elsewhere"),
    [
        ("control", "/api/v1/console/sessions", None),
        ("portal", "/api/v1/claims", "/api/v1/console/sessions"),
        ("console", "/api/v1/console/sessions", "/api/v1/claims"),
    ],
)
def test_it_starts_describes_its_own_routes_and_stops_when_told(
    database_url: str, tmp_path: Path, module: str, here: str, elsewhere: str | None
) -> None:
    port = free_port()
    environment = os.environ | {"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path)}
    command = [sys.executable, "-m", f"tianfu.services.{module}", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        try:
            described = wait_for(f"http://127.0.0.1:{port}/api/v1/openapi.json", process).json()["paths"]
        finally:
            process.terminate()
            _, logged = process.communicate(timeout=60)

    assert here in described
    assert elsewhere not in described
    assert process.returncode == 0, logged
    assert (tmp_path / "keys" / "gate.json").stat().st_mode & 0o077 == 0
