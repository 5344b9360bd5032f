"""`tianfu journal`: what a gate has recorded, by number and count, never whom; and moving it on into the lake."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Final

import click

_RECORDS_AT_ONCE: Final = 10_000


@click.group()
def command() -> None:
    """Look into a gate's journal and move it on, also while the gate runs."""


@command.command()
@click.option(
    "--gate", type=click.IntRange(0, 65_535), default=None, help="The gate's number; this machine's own by default."
)
def show(*, gate: int | None) -> None:
    """Count the scans of each kind and say from when to when they are."""
    from tianfu.platform import settings
    from tianfu.platform.journalfile import JournalFile
    from tianfu.scans import event

    loaded = settings.load()
    folder = loaded.var / "journal" / f"gate-{loaded.gate.number if gate is None else gate:05d}"
    if not (folder / "data.mdb").is_file():
        click.echo(f"no journal in {folder}")
        return
    file = JournalFile.open(folder)
    start, end = file.start(), file.end()
    kinds: Counter[str] = Counter()
    instants: list[int] = []
    words = {event.KIND_POSTER: "poster", event.KIND_GUARD: "guard"}
    offset = start
    while records := file.read(offset, _RECORDS_AT_ONCE):
        visits = [event.unpack(record) for _, record in records]
        kinds.update(words.get(visit.kind, "unknown") for visit in visits)
        kinds["reused code"] += sum(1 for visit in visits if visit.flags & event.FLAG_REUSED_CODE)
        instants += [visits[0].received_at, visits[-1].received_at]
        offset = records[-1][0] + 1
    file.close()
    click.echo(f"records {start} to {end} (the last not included)")
    for kind, count in sorted(kinds.items()):
        click.echo(f"{kind:<12} {count}")
    if instants:
        click.echo(f"from {_instant(min(instants))} to {_instant(max(instants))}")


@command.command()
@click.option(
    "--gate", type=click.IntRange(0, 65_535), default=None, help="The gate's number; every gate here by default."
)
def ship(*, gate: int | None) -> None:
    """Move what gates have recorded into the lake, once. `tianfu up` does so every few seconds by itself."""
    from tianfu.lake import incoming
    from tianfu.lake.ship import ship as ship_one
    from tianfu.platform import settings

    loaded = settings.load()
    numbers = incoming.gates(loaded.var / "journal") if gate is None else [gate]
    for number in numbers:
        shipped = ship_one(loaded.var / "journal" / f"gate-{number:05d}", loaded.var / "lake", number)
        click.echo(
            f"gate {number}: {shipped.records:,} records moved, everything before {shipped.end:,} is in the lake, "
            f"{shipped.forgotten:,} forgotten by the journal"
        )
    if not numbers:
        click.echo("no gate has a journal here")


@command.command()
@click.option("--gate", type=click.IntRange(0, 65_535), default=None, help="Every gate by default.")
def verify(*, gate: int | None) -> None:
    """Read every segment in the lake and check that none is damaged, missing or doubled."""
    from tianfu.lake import incoming
    from tianfu.platform import settings

    lake = settings.load().var / "lake"
    for number in incoming.gates(lake / "incoming") if gate is None else [gate]:
        found = incoming.segments(lake, number)
        # The roller may take one away meanwhile.
        scans = sum(1 for item in found if item.path.exists() for _ in incoming.events(item, number))
        reach = f", numbers {found[0].first:,} to {found[-1].end:,} (the last not included)" if found else ""
        click.echo(f"gate {number}: {len(found):,} segments, {scans:,} scans{reach}; sound")


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
