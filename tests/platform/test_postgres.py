"""The embedded server: what it survives, and what it refuses with one sentence."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tianfu.clock import monotonic_seconds
from tianfu.platform.postgres import EmbeddedPostgres, PostgresDiskFullError, PostgresFolderBrokenError
from tianfu.platform.postgres_programs import PostgresStartError, Programs, make_private, processes_in

# The promise is two seconds; this bound only catches what is broken.
SECOND_START_SECONDS_MAX = 15.0


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """A data folder that was started and stopped once, to copy from."""
    folder = Path(tempfile.mkdtemp(prefix="tianfu-tests-"))
    server = EmbeddedPostgres(folder / "data", durable=False)
    server.start()
    server.stop()
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def folder(initialised: Path, folder_for_server: Path) -> Iterator[Path]:
    """A data folder of the test's own; whatever runs in it is stopped at the end."""
    data = folder_for_server / "data"
    subprocess.run(["cp", "-a", initialised, data], check=True)  # noqa: S607 - keeps owners, unlike shutil
    yield data
    while left := processes_in(data):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def postmaster_pid(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


def answer(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row and row[0]


def test_a_second_start_of_an_existing_folder_is_quick(
    folder: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    began = monotonic_seconds()

    url = EmbeddedPostgres(folder).start()

    took = monotonic_seconds() - began
    record_testsuite_property("postgres_second_start_ms", round(took * 1000))
    assert took < SECOND_START_SECONDS_MAX
    assert answer(url, "show server_version_num") == "180006" or str(answer(url, "show server_version")).startswith(
        "18"
    )


def test_starting_twice_gives_the_same_address_and_the_same_server(folder: Path) -> None:
    first = EmbeddedPostgres(folder)
    url = first.start()
    pid = postmaster_pid(folder)

    assert first.start() == url
    assert EmbeddedPostgres(folder).start() == url
    assert postmaster_pid(folder) == pid


def test_stopping_keeps_what_was_committed_and_stopping_again_is_harmless(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    with psycopg.connect(server.start(), autocommit=True) as connection:
        connection.execute("create table kept as select 7 as number")

    server.stop()
    server.stop()

    assert not server.is_running()
    assert answer(server.start(), "select number from kept") == 7


def test_a_server_killed_outright_starts_again_with_everything_that_was_committed(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table kept as select 7 as number")
    os.kill(postmaster_pid(folder), signal.SIGKILL)

    assert server.start() == url
    assert answer(url, "select number from kept") == 7


def test_a_busy_child_of_a_killed_postmaster_does_not_stop_the_next_start(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.pgconn.send_query(b"select count(*) from generate_series(1, 3000000000)")
        time.sleep(0.2)
        os.kill(postmaster_pid(folder), signal.SIGKILL)

        assert server.start() == url
        connection.close()

    assert answer(url, "select 1") == 1


@pytest.mark.parametrize("note", ["{mine}\n/nowhere\n", "999999999\n", "", "rubbish\n"])
def test_a_stale_note_of_the_postmaster_is_cleared_away(folder: Path, note: str) -> None:
    (folder / "postmaster.pid").write_text(note.format(mine=os.getpid()))
    server = EmbeddedPostgres(folder)

    assert not server.is_running()
    assert answer(server.start(), "select 1") == 1


@pytest.mark.parametrize("missing", ["PG_VERSION", "global"])
def test_a_half_initialised_folder_is_refused_with_a_sentence_and_left_as_it_was(folder: Path, missing: str) -> None:
    lost = folder / missing
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    before = sorted(folder.rglob("*"))

    with pytest.raises(PostgresFolderBrokenError) as refused:
        EmbeddedPostgres(folder).start()

    assert str(folder) in refused.value.en
    assert str(folder) in refused.value.zh
    assert sorted(folder.rglob("*")) == before


def test_a_folder_of_another_release_is_refused(folder: Path) -> None:
    (folder / "PG_VERSION").write_text("16\n")

    with pytest.raises(PostgresFolderBrokenError) as refused:
        EmbeddedPostgres(folder).start()

    assert "another release" in refused.value.en


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")

    with pytest.raises(PostgresFolderBrokenError):
        EmbeddedPostgres(tmp_path / "data").start()


def test_an_initialisation_that_was_cut_short_is_begun_again(folder_for_server: Path) -> None:
    (folder_for_server / ".data.new" / "global").mkdir(parents=True)
    server = EmbeddedPostgres(folder_for_server / "data", durable=False)

    url = server.start()

    assert answer(url, "select 1") == 1
    assert not (folder_for_server / ".data.new").exists()
    server.stop()


@pytest.mark.parametrize(
    "name",
    ["deep/" * 30 + "data", "with a blank, a comma and 'quotes\" $HOME", "中文文件夹"],
    ids=["deep", "odd", "chinese"],
)
def test_any_folder_name_will_do(folder: Path, name: str) -> None:
    data = folder.parent / name
    data.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(data)
    server = EmbeddedPostgres(data)

    url = server.start()

    assert answer(url, "show data_directory") == str(data)
    server.stop()


def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    initdb = tmp_path / "programs" / "initdb"
    initdb.parent.mkdir()
    initdb.write_text('#!/bin/sh\necho "initdb: error: could not write file: No space left on device"\nexit 1\n')
    initdb.chmod(0o755)
    monkeypatch.setattr(Programs, "_find", lambda _self: initdb.parent)

    with pytest.raises(PostgresDiskFullError):
        EmbeddedPostgres(tmp_path / "data").start()

    assert not (tmp_path / "data").exists()
    assert not (tmp_path / ".data.new").exists()


def test_a_server_that_cannot_start_says_where_its_log_is(folder: Path) -> None:
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = on\n")

    with pytest.raises(PostgresStartError) as refused:
        EmbeddedPostgres(folder).start()

    assert str(folder / "server.log") in refused.value.en
    assert "no_such_setting" in (folder / "server.log").read_text()


def test_the_server_is_out_of_reach_of_the_terminals_interrupt(folder: Path) -> None:
    EmbeddedPostgres(folder).start()

    pid = postmaster_pid(folder)

    assert os.getsid(pid) != os.getsid(0)
    assert os.getpgid(pid) != os.getpgrp()


def test_nobody_but_the_owner_can_open_the_socket(folder: Path) -> None:
    EmbeddedPostgres(folder).start()

    socket = folder / ".s.PGSQL.5432"

    assert socket.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_a_socket_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "sockets"
    taken.mkdir()
    taken.chmod(0o777)

    with pytest.raises(PostgresStartError):
        make_private(taken)


def test_two_processes_that_start_a_new_folder_at_once_find_one_server(folder_for_server: Path) -> None:
    folder = folder_for_server / "data"
    program = (
        "import sys; from pathlib import Path; from tianfu.platform.postgres import EmbeddedPostgres;"
        "print(EmbeddedPostgres(Path(sys.argv[1]), durable=False).start())"
    )

    starters = [
        subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    urls = {starter.communicate(timeout=180)[0].strip() for starter in starters}

    assert urls == {EmbeddedPostgres(folder).url}
    EmbeddedPostgres(folder).stop()
