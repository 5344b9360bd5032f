"""Keeps a handful of child processes alive: starts, watches, restarts with backoff, stops.

Everything happens on the thread that calls, because the kernel ties a child's life (see `services.child`) to the
thread that started it. Each child writes to a log file of its own, which is cut when it grows past its cap.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tianfu.clock import monotonic_seconds
from tianfu.platform.observe import Log
from tianfu.services.child import PARENT_VARIABLE

BACKOFF_FIRST_SECONDS: Final = 0.2
BACKOFF_MAX_SECONDS: Final = 10.0
# A process that lives shorter than this has not come up; as many of them in a row and somebody must look.
QUICK_DEATH_SECONDS: Final = 5.0
QUICK_DEATHS_TOLD: Final = 5
STOP_SECONDS_MAX: Final = 10.0
# Two files (the present and the one before) of each of the eight processes: 160 MB at most.
LOG_BYTES_MAX: Final = 10 * 1024 * 1024


class Child:
    """One child process and what is remembered of its deaths."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, environment: Mapping[str, str], log_folder: Path
    ) -> None:
        """`arguments` are the module and its own arguments; nothing is started yet."""
        self.name = name
        self.quick_deaths = 0
        self._arguments = [sys.executable, "-m", "tianfu.services.child", *arguments]
        self._environment = {**environment, PARENT_VARIABLE: str(os.getpid())}
        self._log_path = log_folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._backoff = BACKOFF_FIRST_SECONDS
        self._restart_at: float | None = None

    @property
    def pid(self) -> int | None:
        """The process number while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def log_path(self) -> Path:
        """Where its lines go."""
        return self._log_path

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        self._started_at = monotonic_seconds()
        self._restart_at = None

    def tend(self, log: Log) -> None:
        """Restart a dead process when its time has come and cut an overgrown log; called several times a second."""
        now = monotonic_seconds()
        if self._restart_at is not None:
            if now >= self._restart_at:
                self.start()
                log.info("process restarted", process=self.name, pid=self.pid or 0)
            return
        exit_code = self._process.poll() if self._process is not None else None
        if exit_code is None:
            self._cut_log()
            return
        lived = now - self._started_at
        if lived >= QUICK_DEATH_SECONDS:
            self.quick_deaths, self._backoff = 0, BACKOFF_FIRST_SECONDS
        else:
            self.quick_deaths += 1
        log.warning("process ended", process=self.name, exit_code=exit_code, attempt=self.quick_deaths)
        self._restart_at = now + self._backoff
        self._backoff = min(self._backoff * 2, BACKOFF_MAX_SECONDS)

    def ask_to_stop(self) -> None:
        """Send SIGTERM; a dead process is no failure."""
        self._restart_at = None
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Wait for the end after `ask_to_stop`; a process that does not go in time is killed."""
        if self._process is None:
            return
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _cut_log(self) -> None:
        """Keep one file of the past. The child appends, so truncating is safe; lines in between may be lost."""
        if self._log_path.stat().st_size > LOG_BYTES_MAX:
            shutil.copyfile(self._log_path, self._log_path.with_suffix(".log.1"))
            os.truncate(self._log_path, 0)


def stop_all(children: Sequence[Child]) -> None:
    """Stop every child; all are asked before the first is waited for."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait_stopped()
