"""What the lake consists of: one small file that is replaced as a whole, `lake/days/state.json`.

It says up to which record of each gate's journal scans are in the days, and which files make up each day. The rename
of this file is the one moment at which something becomes true: files written before it that it does not name are
remains of a crash, and segments are removed only behind it. One line of JSON, one line with its SHA-256.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tianfu.errors import TianfuError
from tianfu.lake import segment
from tianfu.lake.segment import LakeFullError

STATE_VERSION: Final = 1
STATE_FILE: Final = "state.json"
# Files that no longer belong to a day stay this long, for those who read them by name (DuckDB, Spark). Who has mapped
# them keeps them without that.
RETIRED_SECONDS: Final = 600
# A turn of the roller takes a second, erasing a large day some; whoever wants to change the lake waits for its turn.
LOCK_WAIT_SECONDS: Final = 30.0
_LOCK_POLL_SECONDS: Final = 0.05


class LakeBrokenError(TianfuError):
    """The state of the lake, or a file it names, is not what was written. Nothing was changed."""

    code = "lake_broken"
    status = 500
    zh = "登记数据湖的状态文件或数据文件损坏，未做任何更改。"
    en = "The state of the lake or one of its files is damaged; nothing was changed."


class LakeBusyError(TianfuError):
    """Another process is changing the lake and did not end in time. Nothing was changed; a retry makes sense."""

    code = "lake_busy"
    status = 503
    zh = "另一进程正在整理登记数据湖，请稍后再试。"
    en = "Another process is changing the lake. Please try again shortly."


class LakeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a part: its name in the part's folder, its bytes, its SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Some scans of one day, in a folder of its own, never changed once it is named in a state.

    `name` is the folder's, the generation that made it. A `closed` part came out of compaction and holds Parquet; an
    open one, today's or what came late, holds the events as they were. `scans` are events, `visits` the words in each
    array (two scans of one person at one venue in one minute are one visit). `bare`: at least some of its visits were
    given as arrays, without events.
    """

    name: str
    scans: int = 0
    visits: int = 0
    files: tuple[LakeFile, ...] = ()
    closed: bool = False
    bare: bool = False


class Aside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records that belong to no day, kept as they came: `reason` says why, `on` is the day this was found."""

    name: str
    reason: str
    records: int
    record_bytes: int
    sha256: str
    on: str


class Retired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of days that no state needs any more; removed at `until`, seconds since 1970."""

    day: str
    name: str
    until: int


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where scans went that are in no day: repeats dropped, erased with their day, aside, or before they were rolled.

    With those in days and aside they add up to what was taken from the gates, which `tianfu lake verify` checks.
    """

    repeats: int = 0
    erased: int = 0
    aside_erased: int = 0
    unrolled_erased: int = 0


class Erasing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is out of the lake already and whose files are being deleted, or its proof written.

    `subject` and `files` are what the proof will name, paths relative to the lake; `at` in seconds since 1970.
    """

    subject: str
    scans: int = 0
    visits: int = 0
    files: tuple[LakeFile, ...] = ()
    at: int = 0
    days_kept: int = 0
    # The generation that began it, for the name of the proof.
    begun: int = 0


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is true of the lake. `gates`: number of a gate to the number of the next record to roll."""

    version: int = STATE_VERSION
    generation: int = 0
    gates: dict[int, int] = {}
    days: dict[str, tuple[Part, ...]] = {}
    aside: tuple[Aside, ...] = ()
    retired: tuple[Retired, ...] = ()
    erasing: tuple[Erasing, ...] = ()
    counts: Counts = Counts()
    # The day that is being compacted: its parts are not merged by anybody else meanwhile. Stale after a crash.
    compacting: str = ""
    # Seconds since 1970 at which compaction and retention last went through everything.
    compacted_at: int = 0
    retained_at: int = 0


def days_folder(lake: Path) -> Path:
    """Where the days and the state are."""
    return lake / "days"


def part_folder(lake: Path, day: str, name: str) -> Path:
    """The folder of one part of a day."""
    return days_folder(lake) / day / name


def load(lake: Path) -> State:
    """The state as last committed; an empty one where there never was a lake. Raises `LakeBrokenError`."""
    path = days_folder(lake) / STATE_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if any(path.parent.glob("????-??-??")):
            # Beginning anew would take every day for the remains of a crash.
            raise LakeBrokenError from None
        return State()
    except OSError as error:
        raise LakeBrokenError from error
    line, _, digest = data.partition(b"\n")
    if digest.strip() != hashlib.sha256(line).hexdigest().encode():
        raise LakeBrokenError
    try:
        state = msgspec.json.decode(line, type=State)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LakeBrokenError from error
    if state.version != STATE_VERSION:
        raise LakeBrokenError
    return state


def commit(lake: Path, state: State) -> None:
    """Make `state` what is true, durably. Everything it names must be on the disk already. Raises `LakeFullError`.

    The caller holds `alone`.
    """
    folder = days_folder(lake)
    line = msgspec.json.encode(state)
    part = folder / "state.part"
    try:
        segment.write_synced(part, line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n")
        part.replace(folder / STATE_FILE)
        segment.sync_folder(folder)
    except OSError as error:
        raise LakeFullError from error


@contextmanager
def alone(lake: Path, *, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[State]:
    """Be the only one who changes the lake, and get its state. Readers are not kept out.

    Raises `LakeBusyError` when another process does not end within `wait_seconds`, `LakeBrokenError`, `LakeFullError`.
    """
    with locked(days_folder(lake) / "lake.lock", wait_seconds):
        state = load(lake)
        if state.generation == 0:
            # From here on a folder of days without a state is damage.
            state = msgspec.structs.replace(state, generation=1)
            commit(lake, state)
        yield state


@contextmanager
def locked(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock at `path`, also against other threads. Raises `LakeBusyError`, `LakeFullError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LakeFullError from error
    try:
        for _ in range(int(wait_seconds / _LOCK_POLL_SECONDS)):
            if _try(descriptor):
                break
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            if not _try(descriptor):
                raise LakeBusyError
        yield
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
