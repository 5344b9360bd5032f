"""What belongs to no day: kept as it came in `lake/aside/`, counted, and erased when its time is over.

lake/aside/000000000012-future.bin    the records, one after another, of the length that the state says
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tianfu.clock import shanghai_day
from tianfu.lake import days, segment
from tianfu.lake.segment import LakeFullError
from tianfu.lake.state import Aside, State


def folder(lake: Path) -> Path:
    """Where records are that belong to no day."""
    return lake / "aside"


def write(
    lake: Path, before: State, reason: str, content: memoryview, record_bytes: int, at: datetime, *, number: int = 0
) -> Aside:
    """Keep the records in `content`, durably; they count once the state after `before` names them.

    `number` tells files of one commit and reason apart. Raises `LakeFullError`.
    """
    name = f"{days.part_name(before)}-{reason}{f'-{number}' if number else ''}.bin"
    try:
        folder(lake).mkdir(parents=True, exist_ok=True)
        file = days.write_file(folder(lake) / name, content)
        segment.sync_folder(folder(lake))
        segment.sync_folder(lake)
    except OSError as error:
        raise LakeFullError from error
    on = shanghai_day(at).isoformat()
    return Aside(name, reason, file.bytes // record_bytes, record_bytes, file.sha256, on)


def remove_remains(lake: Path, current: State) -> None:
    """Delete what a crash left: files that no state names. The caller is the only one who changes the lake."""
    known = {entry.name for entry in current.aside}
    for path in folder(lake).glob("*.bin"):
        if path.name not in known:
            path.unlink(missing_ok=True)
