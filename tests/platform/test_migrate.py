"""Migrations: applied once, in order, and only when the files are what they were."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from tests.support.clock import FixedClock
from tests.support.database import TestServer
from tianfu.cli.database import command
from tianfu.platform import migrate, settings
from tianfu.platform.database import Database, DatabaseBusyError, Purpose
from tianfu.platform.migrate import MigrationsBrokenError

LIMITS = settings.load({}).database
REAL = settings.PROJECT_ROOT / "migrations"


@pytest.fixture
def empty_url(postgres_server: TestServer) -> Iterator[str]:
    """The address of a database without any table."""
    name = postgres_server.create(migrated=False)
    yield postgres_server.url_of(name)
    postgres_server.drop(name)


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    with Database.open(empty_url, LIMITS) as database:
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "0001_first.sql", "create table first (n integer); insert into first values (1);")
    write(tmp_path, "0002_second.sql", "create table second (n integer); -- 100 % plain text")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def tables(database: Database) -> set[str]:
    with database.read(Purpose.BATCH) as read:
        rows = read.rows("select tablename from pg_tables where schemaname = 'public'")
    return {name for (name,) in rows}


def test_an_empty_database_gets_every_migration_in_order_and_a_second_run_does_nothing(
    empty: Database, folder: Path
) -> None:
    clock = FixedClock()

    assert [migration.name for migration in migrate.pending(empty, folder)] == ["0001_first", "0002_second"]
    assert migrate.apply(empty, folder, clock=clock) == ["0001_first", "0002_second"]
    assert migrate.apply(empty, folder, clock=clock) == []

    assert migrate.pending(empty, folder) == []
    assert tables(empty) == {"first", "second", "schema_migration"}
    with empty.read(Purpose.BATCH) as read:
        assert read.rows("select distinct applied_at from schema_migration") == [(clock.now(),)]


def test_a_later_file_is_added_to_what_is_there(empty: Database, folder: Path) -> None:
    migrate.apply(empty, folder)
    write(folder, "0003_third.sql", "create table third (n integer)")

    assert migrate.apply(empty, folder) == ["0003_third"]


def test_a_failing_migration_leaves_no_trace_and_earlier_ones_stay(empty: Database, folder: Path) -> None:
    write(folder, "0003_third.sql", "create table third (n integer); select 1 / 0;")

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate.apply(empty, folder)

    assert tables(empty) == {"first", "second", "schema_migration"}
    write(folder, "0003_third.sql", "create table third (n integer);")
    assert migrate.apply(empty, folder) == ["0003_third"]


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("0004_gap.sql", "0004_gap.sql"),
        ("0002_other.sql", "0002_second.sql"),
        ("0000_zero.sql", "0000_zero.sql"),
        ("3_short.sql", "3_short.sql"),
        ("0003_notes.txt", "0003_notes.txt"),
        ("0003_Upper.sql", "0003_Upper.sql"),
    ],
)
def test_files_that_do_not_fit_together_are_named_before_anything_is_done(
    empty: Database, folder: Path, name: str, named: str
) -> None:
    write(folder, name, "create table never (n integer)")

    with pytest.raises(MigrationsBrokenError) as broken:
        migrate.apply(empty, folder)

    assert named in broken.value.en
    assert named in broken.value.zh
    assert tables(empty) == set()


def test_a_file_that_is_not_utf_8_is_named(folder: Path) -> None:
    (folder / "0003_third.sql").write_bytes(b"select '\xff'")

    with pytest.raises(MigrationsBrokenError) as broken:
        migrate.load(folder)

    assert "0003_third.sql" in broken.value.en


@pytest.mark.parametrize("missing", ["no such folder", "."])
def test_a_folder_without_migrations_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(MigrationsBrokenError):
        migrate.load(tmp_path / missing)


def test_an_edited_file_is_named_and_nothing_more_is_applied(empty: Database, folder: Path) -> None:
    migrate.apply(empty, folder)
    write(folder, "0001_first.sql", "create table first (n bigint);")
    write(folder, "0003_third.sql", "create table third (n integer)")

    with pytest.raises(MigrationsBrokenError) as broken:
        migrate.apply(empty, folder)

    assert "0001_first" in broken.value.en
    assert "third" not in tables(empty)


def test_a_renamed_file_is_named(empty: Database, folder: Path) -> None:
    migrate.apply(empty, folder)
    (folder / "0002_second.sql").rename(folder / "0002_renamed.sql")

    with pytest.raises(MigrationsBrokenError) as broken:
        migrate.pending(empty, folder)

    assert "0002_renamed" in broken.value.en


def test_a_database_that_is_ahead_of_the_files_is_refused(empty: Database, folder: Path) -> None:
    migrate.apply(empty, folder)
    (folder / "0002_second.sql").unlink()

    with pytest.raises(MigrationsBrokenError) as broken:
        migrate.apply(empty, folder)

    assert "0002_second" in broken.value.en


def test_two_processes_take_turns_and_each_step_runs_once(empty_url: str, folder: Path) -> None:
    write(folder, "0003_slow.sql", "select pg_sleep(0.3); create table slow (n integer)")
    ran: list[list[str]] = []

    def run() -> None:
        with Database.open(empty_url, LIMITS) as database:
            ran.append(migrate.apply(database, folder))

    migrators = [threading.Thread(target=run) for _ in range(3)]
    for migrator in migrators:
        migrator.start()
    for migrator in migrators:
        migrator.join()

    assert len(ran) == 3
    assert sorted(name for names in ran for name in names) == ["0001_first", "0002_second", "0003_slow"]


def test_a_migration_gives_up_instead_of_stopping_the_traffic_behind_it(
    empty: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_LOCK_WAIT_MS", 100)
    migrate.apply(empty, folder)
    write(folder, "0003_third.sql", "alter table first add column m integer")

    with empty.write(Purpose.WORKER) as running:
        running.execute("update first set n = 2")
        with pytest.raises(DatabaseBusyError):
            migrate.apply(empty, folder)

    assert migrate.apply(empty, folder) == ["0003_third"]


def test_the_projects_own_migrations_are_all_applied_in_a_test_database(database: Database) -> None:
    assert migrate.pending(database, REAL) == []


def test_the_command_applies_reports_and_says_where(empty_url: str, folder: Path) -> None:
    environment = {"TIANFU_DATABASE_URL": empty_url, "TIANFU_MIGRATIONS": str(folder)}
    runner = CliRunner(env=environment)

    behind = runner.invoke(command, ["status"])
    applied = runner.invoke(command, ["migrate"])
    again = runner.invoke(command, ["migrate"])
    level = runner.invoke(command, ["status"])
    address = runner.invoke(command, ["url"])

    assert (behind.exit_code, behind.output) == (1, "pending  0001_first\npending  0002_second\n")
    assert (applied.exit_code, applied.output) == (0, "applied  0001_first\napplied  0002_second\n")
    assert again.output == "nothing to apply: the database is up to date\n"
    assert (level.exit_code, level.output) == (0, "applied  0001_first\napplied  0002_second\n")
    assert address.output == f"{empty_url}\n"


def test_the_command_starts_an_embedded_server_and_leaves_none_behind(folder_for_server: Path) -> None:
    environment = {"TIANFU_VAR": str(folder_for_server), "TIANFU_DATABASE_URL": None}
    runner = CliRunner(env=environment)

    where = runner.invoke(command, ["url"])
    done = runner.invoke(command, ["migrate"])

    assert where.stdout.startswith("postgresql://")
    assert "not running" in where.stderr
    assert done.exit_code == 0
    assert "applied  0001_audit" in done.output
    assert not (folder_for_server / "postgres" / "postmaster.pid").exists()
