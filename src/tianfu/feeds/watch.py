"""Loading what departments put into a folder: one subfolder for each feed, each complete file once.

    incoming/lab/results.csv  →  incoming/lab/done/results.csv     and  results.csv.report.json beside it
                              →  incoming/lab/refused/results.csv  when it cannot be read as a whole

A file is complete when its size and time have not changed between two looks; names that begin with a dot or end in
`.part`, `.tmp` or `.partial` are somebody still writing. The ledger is written first, then the report, then the file
is moved: after a kill at any moment the same file is looked at again, and loading it again changes nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from tianfu.errors import TianfuError
from tianfu.feeds import intake, table
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.intake import Loaded, Sender
from tianfu.platform.database import Database, DatabaseBusyError, DatabaseUnavailableError
from tianfu.platform.pseudonym import Pseudonym

DONE: Final = "done"
REFUSED: Final = "refused"
REPORT_SUFFIX: Final = ".report.json"
_UNFINISHED: Final = (".part", ".tmp", ".partial", REPORT_SUFFIX)
_DIGEST_CHARACTERS: Final = 12

Look = tuple[int, int, int]


class FaultTold(msgspec.Struct, frozen=True):
    """One thing that was wrong with a refused file."""

    field: str
    code: str
    zh: str
    en: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file: the counts of its batch, or why it was refused."""

    file: str
    feed: str
    at: datetime
    loaded: Loaded | None = None
    code: str | None = None
    zh: str | None = None
    en: str | None = None
    faults: tuple[FaultTold, ...] = ()


class FolderWatch:
    """Looks at a folder again and again; remembers only how each file looked the last time."""

    def __init__(self, folder: Path, database: Database, pseudonym: Pseudonym, *, loaded_by: str) -> None:
        """Load for `loaded_by`, an operator's account."""
        self._folder = folder
        self._database = database
        self._pseudonym = pseudonym
        self._sender = Sender(loaded_by)
        self._looks: dict[Path, Look] = {}

    def step(self, at: datetime) -> Iterator[Report]:
        """Load every file that looks as it did at the last step; a report for each.

        Raises `DatabaseUnavailableError` or `DatabaseBusyError` and leaves the file where it is: try again later.
        """
        looks = {path: look for path in self._files() if (look := _look(path)) is not None}
        complete = [path for path, look in looks.items() if self._looks.get(path) == look]
        self._looks = looks
        for path in complete:
            report = self._take(path, at)
            if report is not None:
                yield report

    def passed_over(self) -> frozenset[str]:
        """Names in the folder itself that are no feed's subfolder: what lies there is never loaded."""
        return frozenset(
            path.name for path in self._folder.iterdir() if path.name not in CONTRACTS and not path.name.startswith(".")
        )

    def _files(self) -> Iterator[Path]:
        for feed in CONTRACTS:
            folder = self._folder / feed
            if folder.is_dir():
                yield from sorted(
                    path
                    for path in folder.iterdir()
                    if not path.name.startswith(".") and not path.name.endswith(_UNFINISHED)
                )

    def _take(self, path: Path, at: datetime) -> Report | None:
        feed = path.parent.name
        try:
            data = _read(path)
        except FileNotFoundError:
            return None
        digest = hashlib.sha256(data).hexdigest()[:_DIGEST_CHARACTERS]
        try:
            loaded = intake.load(
                self._database,
                data,
                contract=CONTRACTS[feed],
                source=CONTRACTS[feed].source,
                pseudonym=self._pseudonym,
                at=at,
                loaded_by=self._sender,
            )
        except (DatabaseUnavailableError, DatabaseBusyError):
            raise
        except TianfuError as error:
            faults = tuple(FaultTold(item.field, item.code, item.zh, item.en) for item in error.faults)
            report = Report(file=path.name, feed=feed, at=at, code=error.code, zh=error.zh, en=error.en, faults=faults)
            _put(path, path.parent / REFUSED, digest, report)
            return report
        report = Report(file=path.name, feed=feed, at=at, loaded=loaded)
        _put(path, path.parent / DONE, digest, report)
        return report


def _look(path: Path) -> Look | None:
    """How the file looks; None when it is gone or no plain file (a link could point anywhere)."""
    try:
        stat = path.lstat()
    except FileNotFoundError:
        return None
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns) if path.is_file() and not path.is_symlink() else None


def _read(path: Path) -> bytes:
    """The file, but no more of it than one batch may have; the rest only makes it too large."""
    with path.open("rb") as file:
        return file.read(table.FILE_BYTES_MAX + 1)


def _put(path: Path, folder: Path, digest: str, report: Report) -> None:
    """Write the report, then move the file beside it; a name that is taken gets the file's digest before it."""
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    if target.exists():
        target = folder / f"{digest}.{path.name}"
    beside = target.with_name(target.name + REPORT_SUFFIX)
    draft = beside.with_name(f".{beside.name}")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    draft.replace(beside)
    os.replace(path, target)  # noqa: PTH105 - the one call that is atomic by its name
