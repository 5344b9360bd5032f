"""A folder that departments put files into."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.feeds import csv_file, lab_cells, pseudonym
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.watch import FolderWatch, Report
from tianfu.platform.database import Database, DatabaseUnavailableError, Purpose


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    (folder / "lab").mkdir(parents=True)
    return folder


@pytest.fixture
def watching(database: Database, incoming: Path, tmp_path: Path) -> Callable[[], FolderWatch]:
    """A watch as it is after a start: it remembers nothing."""
    return lambda: FolderWatch(incoming, database, pseudonym(tmp_path), loaded_by="li.na")


def looks(watch: FolderWatch, count: int = 2) -> list[Report]:
    return [report for _ in range(count) for report in watch.step(NOON)]


def evidence(database: Database) -> int:
    with database.read(Purpose.OPERATOR) as read:
        count: int = read.value("select count(*) from evidence")
    return count


def test_a_complete_file_is_loaded_and_moved_with_a_report_beside_it(
    database: Database, incoming: Path, watching: Callable[[], FolderWatch]
) -> None:
    (incoming / "lab" / "a.csv").write_bytes(csv_file(LAB, [lab_cells(1), lab_cells(2, result="?")]))

    (report,) = looks(watching(), 3)

    assert report.loaded is not None
    assert (report.loaded.accepted, report.loaded.set_aside) == (1, 1)
    assert sorted(path.name for path in (incoming / "lab" / "done").iterdir()) == ["a.csv", "a.csv.report.json"]
    told = json.loads((incoming / "lab" / "done" / "a.csv.report.json").read_text())
    assert (told["feed"], told["loaded"]["rows"]) == ("lab", 2)
    assert evidence(database) == 1


def test_a_file_that_still_grows_or_says_so_waits(incoming: Path, watching: Callable[[], FolderWatch]) -> None:
    data = csv_file(LAB, [lab_cells(1), lab_cells(2)])
    growing = incoming / "lab" / "a.csv"
    for name in ("b.csv.part", ".c.csv", "d.tmp"):
        (incoming / "lab" / name).write_bytes(data)
    watch = watching()
    growing.write_bytes(data[:100])
    assert looks(watch, 1) == []
    growing.write_bytes(data)
    assert looks(watch, 1) == []

    (report,) = looks(watch, 2)

    assert report.file == "a.csv"
    assert report.loaded is not None
    assert report.loaded.rows == 2


def test_a_file_that_cannot_be_read_goes_to_refused_with_the_reason(
    database: Database, incoming: Path, watching: Callable[[], FolderWatch]
) -> None:
    (incoming / "lab" / "a.csv").write_bytes(b"name,number\nx,y\n")
    (incoming / "lab" / "link.csv").symlink_to("/etc/hostname")

    (report,) = looks(watching())

    assert report.code == "feed_refused"
    told = json.loads((incoming / "lab" / "refused" / "a.csv.report.json").read_text())
    assert {fault["code"] for fault in told["faults"]} == {"column_missing", "column_unknown"}
    assert (incoming / "lab" / "link.csv").is_symlink()
    assert evidence(database) == 0


@pytest.mark.parametrize("renames", [0, 1], ids=["before the report", "before the move"])
def test_a_kill_at_any_moment_loads_once(
    database: Database,
    incoming: Path,
    watching: Callable[[], FolderWatch],
    monkeypatch: pytest.MonkeyPatch,
    renames: int,
) -> None:
    (incoming / "lab" / "a.csv").write_bytes(csv_file(LAB, [lab_cells(1)]))
    before, left, rename = watching(), iter(range(renames)), os.replace

    def killed(source: Path, target: Path) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            looks(before)
    assert evidence(database) == 1

    (report,) = looks(watching())

    assert report.loaded is not None
    assert report.loaded.already_loaded
    assert evidence(database) == 1
    assert not (incoming / "lab" / "a.csv").exists()
    assert (incoming / "lab" / "done" / "a.csv.report.json").exists()


def test_two_files_of_one_name_are_both_kept(incoming: Path, watching: Callable[[], FolderWatch]) -> None:
    watch = watching()
    for number in (1, 2):
        (incoming / "lab" / "a.csv").write_bytes(csv_file(LAB, [lab_cells(number)]))
        assert len(looks(watch, 3)) == 1

    assert len([path for path in (incoming / "lab" / "done").iterdir() if path.name.endswith("a.csv")]) == 2


def test_without_the_database_files_stay_where_they_are(
    database: Database, incoming: Path, watching: Callable[[], FolderWatch]
) -> None:
    (incoming / "lab" / "a.csv").write_bytes(csv_file(LAB, [lab_cells(1)]))
    database.close()

    with pytest.raises(DatabaseUnavailableError):
        looks(watching())

    assert (incoming / "lab" / "a.csv").exists()


def test_what_lies_in_no_feeds_subfolder_is_named(incoming: Path, watching: Callable[[], FolderWatch]) -> None:
    (incoming / "labs").mkdir()
    (incoming / "stray.csv").write_bytes(b"")
    (incoming / ".hidden").write_bytes(b"")

    assert watching().passed_over() == {"labs", "stray.csv"}
