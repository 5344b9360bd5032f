"""Numbered SQL migrations: `0001_name.sql`, `0002_…`, never edited once applied.

Each runs in a transaction of its own and waits only a moment for a lock, because the code of the day before is still
running. What was applied is remembered with its SHA-256, so an edited, missing or foreign file is noticed before
anything is done.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

import msgspec

from tianfu.clock import Clock, SystemClock
from tianfu.errors import TianfuError
from tianfu.platform.database import Database, Purpose, Read, Write

_FILE_NAME: Final = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql", re.ASCII)
# "TianfuMg" as a number: one lock for all migrators of a database.
_LOCK_KEY: Final = 0x5469_616E_6675_4D67
# A second migrator waits for the first one's current step this long.
_TURN_WAIT_MS: Final = 60_000
# A step that cannot get its locks at once would stop all traffic behind it: it gives up and may be run again.
_LOCK_WAIT_MS: Final = 4_000


class MigrationsBrokenError(TianfuError):
    """The migration files do not fit together, or not to what the database has; the sentence names the file."""

    code = "migrations_broken"
    status = 500
    zh = "数据库迁移文件有误。"
    en = "The database migrations do not fit together."


class Migration(msgspec.Struct, frozen=True):
    """One file: its number, its name without `.sql`, its text, and the SHA-256 of its bytes in hex."""

    version: int
    name: str
    body: str
    digest: str


class Applied(msgspec.Struct, frozen=True):
    """One migration that the database has."""

    version: int
    name: str
    digest: str


def load(folder: Path) -> list[Migration]:
    """The migrations in `folder`, in order. Raises `MigrationsBrokenError` for a gap, a double or a foreign file."""
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as cause:
        raise _broken(str(folder), "无法读取", "cannot be read") from cause
    migrations: list[Migration] = []
    for path in paths:
        migration = _load_one(path)
        expected = len(migrations) + 1
        if migration.version < expected:
            raise _broken(path.name, "编号重复", "has a number that another file has already")
        if migration.version > expected:
            raise _broken(path.name, f"之前缺少 {expected:04d}", f"comes after a gap: {expected:04d} is missing")
        migrations.append(migration)
    if not migrations:
        raise _broken(str(folder), "中没有迁移文件", "holds no migrations")
    return migrations


def applied(read: Read) -> list[Applied]:
    """What the database has, in order; nothing before the first migration."""
    if read.value("select to_regclass('schema_migration')") is None:
        return []
    rows = read.rows("select version, name, digest from schema_migration order by version")
    return [Applied(version=version, name=name, digest=digest) for version, name, digest in rows]


def pending(database: Database, folder: Path) -> list[Migration]:
    """What `apply` would run now. Raises `MigrationsBrokenError`."""
    with database.read(Purpose.BATCH) as read:
        return _missing(load(folder), applied(read))


def apply(database: Database, folder: Path, *, clock: Clock | None = None) -> list[str]:
    """Bring the database up to date; the names of what this call ran.

    Two processes may do this at once: they take turns and each step runs once. After a failure every earlier step
    is kept and the failed one left no trace, so it can be run again. Raises `MigrationsBrokenError` before anything
    is done.
    """
    clock = clock or SystemClock()
    migrations = load(folder)
    ran: list[str] = []
    for _ in range(len(migrations) + 1):
        with database.write(Purpose.BATCH) as write:
            _take_turn(write)
            missing = _missing(migrations, applied(write))
            if not missing:
                break
            migration = missing[0]
            write.execute(migration.body)
            write.execute(
                "insert into schema_migration (version, name, digest, applied_at) values (%s, %s, %s, %s)",
                (migration.version, migration.name, migration.digest, clock.now()),
            )
        ran.append(migration.name)
    return ran


def _take_turn(write: Write) -> None:
    write.execute("select set_config('lock_timeout', %s, true)", (str(_TURN_WAIT_MS),))
    write.execute("select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    write.execute("select set_config('lock_timeout', %s, true)", (str(_LOCK_WAIT_MS),))
    if write.value("select to_regclass('schema_migration')") is None:
        write.execute(
            "create table schema_migration (version integer primary key, name text not null, digest text not null,"
            " applied_at timestamptz not null)"
        )


def _load_one(path: Path) -> Migration:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise _broken(path.name, "文件名不是 0001_name.sql 的格式", "is not named like 0001_name.sql")
    try:
        content = path.read_bytes()
        body = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise _broken(path.name, "无法读取", "cannot be read as UTF-8 text") from cause
    return Migration(version=int(match.group(1)), name=path.stem, body=body, digest=hashlib.sha256(content).hexdigest())


def _missing(migrations: list[Migration], done: list[Applied]) -> list[Migration]:
    """The migrations after `done`; both lists must agree on what was done."""
    for position, past in enumerate(done):
        if position >= len(migrations) or past.version != migrations[position].version:
            raise _broken(past.name, "已在数据库中执行，但文件不存在", "was applied but is not in the folder")
        migration = migrations[position]
        if past.name != migration.name or past.digest != migration.digest:
            raise _broken(migration.name, "执行后被修改", "was edited after it was applied")
    return migrations[len(done) :]


def _broken(file: str, zh: str, en: str) -> MigrationsBrokenError:
    return MigrationsBrokenError(zh=f"数据库迁移文件 {file} {zh}。", en=f"The database migration {file} {en}.")
