"""A whole system to measure: an embedded PostgreSQL that syncs its log, a worker, loaders, a board; all synthetic.

Loaders, worker and PostgreSQL are processes of their own and share whatever cores the machine has.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Final, NamedTuple

from bench.generator import ROOT
from bench.process import cpu_seconds
from tianfu.feeds import intake
from tianfu.feeds.contracts import CONTRACTS
from tianfu.platform import collector, migrate, settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.postgres_programs import processes_in
from tianfu.platform.pseudonym import Pseudonym
from tianfu.policy import publish

POLICY: Final = ROOT / "policies" / "sichuan-core.toml"
PATIENCE_SECONDS: Final = 60.0
# While one waits for the database the other parses.
LOADERS: Final = 2
_POLL_SECONDS: Final = 0.005


class NotReachedError(RuntimeError):
    """The system did not get where it should within a minute."""


class Cpu(NamedTuple):
    """Processor seconds used so far by each part."""

    intake: float
    worker: float
    postgres: float

    def since(self, before: Cpu) -> Cpu:
        """What was used after `before`."""
        return Cpu(self.intake - before.intake, self.worker - before.worker, self.postgres - before.postgres)

    def per_row(self, rows: int) -> str:
        """For a person to read, in microseconds a row."""
        parts = ", ".join(f"{name} {used / rows * 1e6:.0f}" for name, used in zip(self._fields, self, strict=True))
        return f"processor time a row: {sum(self) / rows * 1e6:.0f} µs, of which {parts}"


class System(NamedTuple):
    """The running parts."""

    database: Database
    url: str
    var: Path
    worker: subprocess.Popen[bytes]
    loaders: list[BaseProcess]
    files: Queue[bytes | None]
    loaded: Queue[float]

    def cpu(self) -> Cpu:
        """See `Cpu`. Connections that were closed are not counted; none is closed while something is measured."""
        servers = processes_in(self.var / "postgres")
        loaders = [loader.pid for loader in self.loaders if loader.pid is not None]
        return Cpu(sum(map(cpu_seconds, loaders)), cpu_seconds(self.worker.pid), sum(map(cpu_seconds, servers)))


@contextlib.contextmanager
def running() -> Generator[System, None, None]:
    """A system with a policy in force and nobody in it; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="tianfu-bench-") as folder:
        var = Path(folder)
        var.chmod(0o755)
        server = EmbeddedPostgres(var / "postgres")
        url = server.start()
        try:
            with Database.open(url, settings.load({}).database) as database:
                migrate.apply(database, settings.PROJECT_ROOT / "migrations")
                _put_in_force(database)
                RecordKeys.load_or_create(var / "keys" / "records.json")
                with _worker(url, var) as worker, _loaders(url, var) as (loaders, files, loaded):
                    yield System(database, url, var, worker, loaders, files, loaded)
        finally:
            server.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, looking 200 times a second. Raises `NotReachedError` after a minute."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not condition():
        if time.perf_counter() > deadline:
            raise NotReachedError
        time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def _worker(url: str, var: Path) -> Generator[subprocess.Popen[bytes], None, None]:
    environment = {**os.environ, "TIANFU_VAR": str(var), "TIANFU_DATABASE_URL": url}
    command = [sys.executable, "-m", "tianfu.services.worker"]
    with (var / "worker.log").open("wb") as log, subprocess.Popen(command, env=environment, stderr=log) as worker:
        try:
            yield worker
        finally:
            worker.terminate()


@contextlib.contextmanager
def _loaders(url: str, var: Path) -> Generator[tuple[list[BaseProcess], Queue[bytes | None], Queue[float]], None, None]:
    context = multiprocessing.get_context("spawn")
    files: Queue[bytes | None] = context.Queue()
    loaded: Queue[float] = context.Queue()
    loaders: list[BaseProcess] = [
        context.Process(target=_load_files, args=(url, var, files, loaded), daemon=True) for _ in range(LOADERS)
    ]
    for loader in loaders:
        loader.start()
    for _ in loaders:
        loaded.get(timeout=PATIENCE_SECONDS)
    try:
        yield loaders, files, loaded
    finally:
        for _ in loaders:
            files.put(None)
        for loader in loaders:
            loader.join(timeout=10)


def _load_files(url: str, var: Path, files: Queue[bytes | None], loaded: Queue[float]) -> None:
    """Load laboratory files until None comes; says when each was committed (`time.time`), and once at the start."""
    pseudonym = Pseudonym(RecordKeys.load_or_create(var / "keys" / "records.json"))
    collector.collect_rarely()
    with Database.open(url, settings.load({}).database) as database:
        with database.read(Purpose.BATCH) as read:
            read.value("select 1")
        loaded.put(time.time())
        while (file := files.get()) is not None:
            intake.load(
                database,
                file,
                contract=CONTRACTS["lab"],
                source="laboratory",
                pseudonym=pseudonym,
                at=datetime.now(UTC),
            )
            loaded.put(time.time())


def _put_in_force(database: Database) -> None:
    now = datetime.now(UTC)
    with database.write(Purpose.OPERATOR) as write:
        publish.publish(
            write,
            body=POLICY.read_bytes(),
            published_by="bench.one",
            approved_by="bench.two",
            effective_from=now,
            at=now - timedelta(seconds=1),
        )
