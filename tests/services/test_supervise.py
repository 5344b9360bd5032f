from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tianfu.platform.observe import Log
from tianfu.services import supervise
from tianfu.services.supervise import Child, stop_all

WAIT_SECONDS = 60.0


def until(condition: Callable[[], bool], *, tend: Callable[[], None] = lambda: None) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        tend()
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """A child whose module sleeps for ever and writes lines."""
    (tmp_path / "sleeper.py").write_text("import time\nprint('x' * 100, flush=True)\ntime.sleep(600)\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    made = Child("sleeper", ["sleeper"], environment=environment, log_folder=tmp_path / "log")
    yield made
    stop_all([made])


def test_a_killed_child_is_started_again(child: Child) -> None:
    lines = io.StringIO()
    child.start()
    first = child.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    until(lambda: child.pid not in (None, first), tend=lambda: child.tend(Log("test", stream=lines)))

    assert '"process ended"' in lines.getvalue()
    assert '"process restarted"' in lines.getvalue()


def test_quick_deaths_are_counted_and_slow_the_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "BACKOFF_MAX_SECONDS", 0.05)
    (tmp_path / "broken.py").write_text("raise SystemExit(3)\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    child = Child("broken", ["broken"], environment=environment, log_folder=tmp_path)
    child.start()
    log = Log("test", stream=io.StringIO())

    until(lambda: child.quick_deaths >= supervise.QUICK_DEATHS_TOLD, tend=lambda: child.tend(log))

    stop_all([child])


def test_a_stopped_child_is_gone_and_not_started_again(child: Child) -> None:
    child.start()
    pid = child.pid
    assert pid is not None

    stop_all([child])

    assert not alive(pid)


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "STOP_SECONDS_MAX", 0.2)
    (tmp_path / "deaf.py").write_text(
        "import pathlib, signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path(sys.argv[1]).touch()\ntime.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    deaf = Child("deaf", ["deaf", str(tmp_path / "ready")], environment=environment, log_folder=tmp_path)
    deaf.start()
    until((tmp_path / "ready").exists)
    pid = deaf.pid
    assert pid is not None

    stop_all([deaf])

    assert not alive(pid)


def test_an_overgrown_log_is_cut_and_one_past_file_kept(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LOG_BYTES_MAX", 50)
    child.start()
    until(lambda: child.log_path.stat().st_size > 50)

    child.tend(Log("test", stream=io.StringIO()))

    assert child.log_path.stat().st_size == 0
    assert child.log_path.with_suffix(".log.1").stat().st_size > 50


def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    (tmp_path / "sleeper.py").write_text(
        f"import pathlib, time\npathlib.Path({str(ready)!r}).touch()\ntime.sleep(600)\n"
    )
    (tmp_path / "supervisor.py").write_text(
        "import os, pathlib, time\nfrom tianfu.services.supervise import Child\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "child = Child('sleeper', ['sleeper'], environment=dict(os.environ), log_folder=folder)\n"
        "child.start()\nprint(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, str(tmp_path / "supervisor.py")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        text=True,
    )
    with supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        until(ready.exists)

        supervisor.kill()

        until(lambda: not alive(pid))
