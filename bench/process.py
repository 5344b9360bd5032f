"""Servers and load generators as processes, each on a core of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench.load import Load

ROOT: Final = Path(__file__).resolve().parents[1]
START_SECONDS_MAX: Final = 15.0


class Server(NamedTuple):
    """A running server."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time it has used so far, its share of the kernel's included."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class NotStartedError(RuntimeError):
    """A server under measurement did not come up."""


def cores() -> tuple[set[int], set[int]]:
    """The core of the server and the cores of the load generator; one and the same when there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return ({usable[0]}, set(usable[1:2])) if len(usable) > 1 else (set(usable), set(usable))


@contextlib.contextmanager
def server(module: str, *arguments: str, environment: Mapping[str, str]) -> Generator[Server, None, None]:
    """Run `python -m module … PORT` pinned to the server's core; gives it once it accepts connections."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments, str(port)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    try:
        os.sched_setaffinity(process.pid, cores()[0])
        _wait_for(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def load(server: Server, requests: list[bytes], seconds: float) -> Load:
    """Run the load generator on its own core; `cpu_us` is what an answer cost the server."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        file.write(pickle.dumps(requests))
        file.flush()
        before = server.cpu_seconds()
        finished = subprocess.run(
            [sys.executable, "-m", "bench.load", str(server.port), file.name, str(seconds)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores()[1]),
        )
    result = Load(**json.loads(finished.stdout))
    return result._replace(cpu_us=(server.cpu_seconds() - before) / result.answers * 1_000_000)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    message = f"exit code {process.poll()}"
    raise NotStartedError(message)
