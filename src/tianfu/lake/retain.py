"""Retention: days older than the setting says are erased, whole days only, each with a signed proof.

A day first leaves the state, so that nobody finds it any more, and stands in `erasing` there; then its files are
deleted, the trail is written, the proof is signed and kept, and `erasing` is cleared. Killed anywhere in between, the
next run goes on with what stands in `erasing`; the trail may then have a second row, the proof is one.

Erased the same way: what was set aside that long ago, and segments that could not be rolled for that long. Deleting
is the file system's; media that keep old blocks need encryption underneath.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from tianfu.audit import trail
from tianfu.clock import shanghai_day
from tianfu.lake import aside, compact, days, incoming, proof, roll, segment, state
from tianfu.lake.proof import Proof
from tianfu.lake.segment import LakeFullError, Segment
from tianfu.lake.state import Counts, Erasing, LakeFile, State
from tianfu.platform.database import Database, Purpose
from tianfu.platform.sign import Signer

SETTING: Final = "TIANFU_VISIT_DAYS"
ACTOR: Final = "roller"


def first_kept(at: datetime, days_kept: int) -> date:
    """The oldest day that is kept at `at`: today and `days_kept` days before it stay."""
    return shanghai_day(at) - timedelta(days=days_kept)


def retain(lake: Path, database: Database, signer: Signer, *, at: datetime, days_kept: int) -> Iterator[Proof]:
    """Erase what is too old, one subject after another, telling each proof; then note that it was done.

    Raises `LakeFullError`, `LakeBrokenError`, `LakeBusyError`, `DatabaseUnavailableError`; a retry goes on.
    """
    # A copy of a day that is to be erased may be among them.
    compact.remove_remains(lake)
    while True:
        with state.alone(lake) as before:
            roll.remove_remains(lake, before)
            begun = before if before.erasing else _next(lake, before, at, days_kept)
            if begun is None:
                after = msgspec.structs.replace(before, retained_at=int(at.timestamp()))
                state.commit(lake, msgspec.structs.replace(after, generation=before.generation + 1))
                return
            if begun is not before:
                state.commit(lake, begun)
            made = _finish(lake, database, signer, begun, at)
        yield made


def _next(lake: Path, before: State, at: datetime, days_kept: int) -> State | None:
    """The state with one subject moved to `erasing`; None when nothing is too old."""
    first = first_kept(at, days_kept)
    after = _next_day(lake, before, first) or _next_aside(lake, before, first) or _next_incoming(lake, before, first)
    if after is None:
        return None
    generation = before.generation + 1
    begun = msgspec.structs.replace(after.erasing[0], at=int(at.timestamp()), days_kept=days_kept, begun=generation)
    return msgspec.structs.replace(after, generation=generation, erasing=(begun,))


def _next_day(lake: Path, before: State, first: date) -> State | None:
    day = min(before.days, default=None)
    if day is None or day >= first.isoformat():
        return None
    parts = before.days[day]
    # Everything there is of the day, also what was kept for readers by name.
    paths = sorted(path for path in (state.days_folder(lake) / day).rglob("*") if path.is_file())
    erasing = Erasing(
        subject=f"day:{day}",
        scans=sum(part.scans for part in parts),
        visits=sum(part.visits for part in parts),
        files=_as_found(lake, paths),
    )
    return msgspec.structs.replace(
        before,
        days={other: kept for other, kept in before.days.items() if other != day},
        retired=tuple(entry for entry in before.retired if entry.day != day),
        erasing=(erasing,),
        counts=_counted(before.counts, erased=erasing.scans),
    )


def _next_aside(lake: Path, before: State, first: date) -> State | None:
    on = min((entry.on for entry in before.aside), default=None)
    if on is None or on >= first.isoformat():
        return None
    gone = [entry for entry in before.aside if entry.on == on][: proof.FILES_MAX]
    erasing = Erasing(
        subject=f"aside:{on}",
        scans=sum(entry.records for entry in gone),
        files=_as_found(lake, [aside.folder(lake) / entry.name for entry in gone]),
    )
    return msgspec.structs.replace(
        before,
        aside=tuple(entry for entry in before.aside if entry not in gone),
        erasing=(erasing,),
        counts=_counted(before.counts, aside_erased=erasing.scans),
    )


def _next_incoming(lake: Path, before: State, first: date) -> State | None:
    """Segments that nobody could roll: they were written when their scans were received, or later."""
    for gate in incoming.gates(lake / "incoming"):
        offset = before.gates.get(gate, 0)
        gone: list[Segment] = []
        for item in incoming.listed(lake, gate)[: proof.FILES_MAX]:
            if _written_on(item) >= first:
                break
            gone.append(item)
        waiting = [item for item in gone if item.end > offset]
        if waiting:
            end = waiting[-1].end
            erasing = Erasing(
                subject=f"incoming:gate-{gate:05d}",
                # Records that never came are gone as well: the days go on behind them.
                scans=end - offset,
                files=_as_found(lake, [item.path for item in gone]),
            )
            return msgspec.structs.replace(
                before,
                gates={**before.gates, gate: end},
                erasing=(erasing,),
                counts=_counted(before.counts, unrolled_erased=erasing.scans),
            )
    return None


def _written_on(item: Segment) -> date:
    return shanghai_day(datetime.fromtimestamp(item.path.stat().st_mtime, UTC))


def _finish(lake: Path, database: Database, signer: Signer, before: State, at: datetime) -> Proof:
    """Delete the files, write the trail, keep the proof, clear `erasing`; any part of it may have been done before."""
    (erasing,) = before.erasing
    try:
        for file in erasing.files:
            (lake / file.name).unlink(missing_ok=True)
        for folder in {(lake / file.name).parent for file in erasing.files}:
            if folder.is_dir():
                segment.sync_folder(folder)
        kind, _, what = erasing.subject.partition(":")
        if kind == "day":
            shutil.rmtree(state.days_folder(lake) / what, ignore_errors=True)
            segment.sync_folder(state.days_folder(lake))
    except OSError as error:
        raise LakeFullError from error
    made = Proof(
        type=proof.TYPE,
        subject=erasing.subject,
        scans=erasing.scans,
        visits=erasing.visits,
        files=erasing.files,
        setting=SETTING,
        days_kept=erasing.days_kept,
        erased_at=at,
        trail=_in_the_trail(database, erasing, at),
    )
    name = f"{erasing.begun:012d}-{erasing.subject.replace(':', '-')}"
    proof.write(lake, name, made, signer)
    state.commit(lake, msgspec.structs.replace(before, generation=before.generation + 1, erasing=()))
    return made


def _in_the_trail(database: Database, erasing: Erasing, at: datetime) -> int:
    with database.write(Purpose.BATCH) as write:
        return trail.record(
            write,
            trail.Entry(
                at=at,
                actor_kind="system",
                actor=ACTOR,
                action="erase_visits",
                purpose="retention",
                subject=erasing.subject,
                detail={"count": erasing.scans, "number": erasing.days_kept, "rows": len(erasing.files)},
            ),
        )


def _as_found(lake: Path, paths: list[Path]) -> tuple[LakeFile, ...]:
    found = []
    for path in paths:
        name = path.relative_to(lake).as_posix()
        try:
            found.append(LakeFile(name, path.stat().st_size, days.file_digest(path)))
        except OSError:
            found.append(LakeFile(name, 0, ""))
    return tuple(found)


def _counted(counts: Counts, **more: int) -> Counts:
    changed = {name: getattr(counts, name) + value for name, value in more.items()}
    return msgspec.structs.replace(counts, **changed)
