"""Servers under measurement as processes, and load generators beside them, each on cores of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Generator, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from bench.generator import ROOT, Working
from bench.load import Load, run

START_SECONDS_MAX: Final = 15.0
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Memory(NamedTuple):
    """Bytes of memory: all that is resident, and without the pages of mapped files, which are the kernel's to take."""

    resident: int
    own: int


class Server(NamedTuple):
    """A running server; `others` are processes that work for it, such as those of its database."""

    port: int
    pid: int
    others: tuple[int, ...] = ()

    def cpu_seconds(self) -> float:
        """Processor time used so far, its share of the kernel's included."""
        return sum(map(cpu_seconds, (self.pid, *self.others)))

    def memory(self) -> Memory:
        """What the process itself occupies now."""
        resident, mapped = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1:3]
        return Memory(int(resident) * _PAGE_BYTES, (int(resident) - int(mapped)) * _PAGE_BYTES)


class NotStartedError(RuntimeError):
    """A server under measurement did not come up."""


def cpu_seconds(pid: int) -> float:
    """Processor time of one process, all its living threads, to the nanosecond; 0 when it is gone.

    The process's own sum counts in hundredths of a second, too coarse for each of a pool's connections.
    """
    seconds = 0.0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                seconds += int((thread / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    return seconds


def cores() -> tuple[set[int], set[int]]:
    """The core of the server and the core of the load generator; one and the same when there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return ({usable[0]}, set(usable[1:2])) if len(usable) > 1 else (set(usable), set(usable))


def pin(pids: Iterable[int], to: Collection[int]) -> None:
    """Keep processes that run already, with all their threads, on the cores `to`."""
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), to)


@contextlib.contextmanager
def server(
    module: str,
    *arguments: str,
    environment: Mapping[str, str],
    on: Collection[int] | None = None,
) -> Generator[Server, None, None]:
    """Run `python -m module … PORT` on the server's core, or on those of `on`; gives it once it accepts connections."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments, str(port)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    try:
        os.sched_setaffinity(process.pid, on or cores()[0])
        _wait_for(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def load(server: Server, requests: list[bytes], seconds: float) -> Load:
    """Run the closed loop on the generator's core; `cpu_us` is what an answer cost the server."""
    before = server.cpu_seconds()
    result: Load = Working(cores()[1], run, server.port, requests, seconds).result()
    return result._replace(cpu_us=(server.cpu_seconds() - before) / max(1, result.answers) * 1_000_000)


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
