"""A whole Tianfu, started as a person starts it, in a folder and on a port of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from tests.support.ports import free_port

PROGRAM = Path(sys.executable).with_name("tianfu")
START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 90.0
WAIT_SECONDS_MAX = 60.0


def until(condition: Callable[[], bool], what: str, *, seconds: float = WAIT_SECONDS_MAX) -> float:
    """Wait for `condition`; how long it took. Fails with `what` when it does not come."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return time.monotonic() - started


class RunningTianfu:
    """`tianfu up` as a process."""

    def __init__(self, var: Path, port: int, **more: str) -> None:
        self.var = var
        self.port = port
        self.address = f"http://localhost:{port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TIANFU_")},
            "TIANFU_VAR": str(var),
            "TIANFU_PORT": str(port),
            "LANG": "C.UTF-8",
            **more,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._output = var.with_suffix(".out")

    @classmethod
    def start(cls, var: Path, **more: str) -> Self:
        """Start in `var`, which may be empty or hold the data of a run before, and wait until it is ready.

        `more` settings are added to the environment.
        """
        running = cls(var, free_port(), **more)
        running.restart()
        return running

    def restart(self) -> float:
        """Start again on the same data; the seconds until ready."""
        self.var.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [PROGRAM, "up"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            until(lambda: "is ready" in self.output or self._ended, "the start", seconds=START_SECONDS_MAX)
            assert not self._ended, self.output
        except AssertionError:
            self.stop()
            raise
        return time.monotonic() - started

    def stop(self) -> int:
        """Stop as Ctrl-C does; the exit code."""
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        return self._process.wait(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """End the supervisor as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Hold the supervisor still; what it started goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the supervisor go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def command(self, *words: str) -> str:
        """What `tianfu …` prints, run beside the running one."""
        result = subprocess.run([PROGRAM, *words], env=self.environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def client(self) -> httpx.Client:
        """A client with a jar of its own."""
        return httpx.Client(base_url=self.address, timeout=30.0, trust_env=False)

    def pids_of(self, module: str) -> list[int]:
        """The processes of this run that run `module`."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().split(b"\0")
                surroundings = (folder / "environ").read_bytes().split(b"\0")
                if module.encode() in command and f"TIANFU_VAR={self.var}".encode() in surroundings:
                    found.append(int(folder.name))
        return found

    def postmasters(self) -> list[int]:
        """The main process of the embedded PostgreSQL, if it runs."""
        with contextlib.suppress(FileNotFoundError):
            return [int((self.var / "postgres" / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])]
        return []

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace") if self._output.exists() else ""

    @property
    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None
