"""A whole system to measure: an embedded PostgreSQL that syncs its log, a worker process, a board; all synthetic."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from bench.process import ROOT
from tianfu.platform import migrate, settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.postgres_programs import processes_in
from tianfu.platform.pseudonym import Pseudonym
from tianfu.policy import publish

POLICY: Final = ROOT / "policies" / "sichuan-core.toml"
PATIENCE_SECONDS: Final = 60.0
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
        return Cpu(*(now - then for now, then in zip(self, before, strict=True)))

    def per_row(self, rows: int) -> str:
        """For a person to read, in microseconds a row."""
        parts = ", ".join(f"{name} {used / rows * 1e6:.0f}" for name, used in zip(self._fields, self, strict=True))
        return f"CPU µs a row: {parts}, together {sum(self) / rows * 1e6:.0f}"


class System(NamedTuple):
    """The running parts. This process is the intake."""

    database: Database
    var: Path
    pseudonym: Pseudonym
    worker: subprocess.Popen[bytes]

    def cpu(self) -> Cpu:
        """See `Cpu`; connections that were closed are not counted, and none is while something is measured."""
        servers = processes_in(self.var / "postgres")
        return Cpu(time.process_time(), _cpu_seconds(self.worker.pid), sum(map(_cpu_seconds, servers)))


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
                environment = {**os.environ, "TIANFU_VAR": str(var), "TIANFU_DATABASE_URL": url}
                log = (var / "worker.log").open("wb")
                with (
                    log,
                    subprocess.Popen(
                        [sys.executable, "-m", "tianfu.services.worker"], env=environment, stderr=log
                    ) as worker,
                ):
                    try:
                        pseudonym = Pseudonym(RecordKeys.load_or_create(var / "keys" / "records.json"))
                        yield System(database, var, pseudonym, worker)
                    finally:
                        worker.terminate()
        finally:
            server.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, looking 200 times a second. Raises `NotReachedError` after a minute."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not condition():
        if time.perf_counter() > deadline:
            raise NotReachedError
        time.sleep(_POLL_SECONDS)


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


def _cpu_seconds(pid: int) -> float:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0
