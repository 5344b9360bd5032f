"""`tianfu feed quarantine`: rows that could not be accepted, and what becomes of them."""

from __future__ import annotations

import sys
from typing import Final

import click

from tianfu.audit import trail
from tianfu.cli.feed_parts import records
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.feeds import decide_rows
from tianfu.feeds import quarantine as kept
from tianfu.platform.database import Purpose

_FIX_EPILOG: Final = """\b
Examples:
  tianfu feed quarantine fix 17 --set result=negative
  tianfu feed quarantine fix 17 --set document_number=51010419900101001X --by li.na
"""
_RELEASE_EPILOG: Final = """\b
Examples:
  tianfu feed quarantine release 17                              after the contract was mended
  tianfu feed quarantine release --batch 4 --waiting-for future  every row of a reason
"""
_DISCARD_EPILOG: Final = """\b
Examples:
  tianfu feed quarantine discard 17 --reason not_ours
  tianfu feed quarantine discard --batch 4 --waiting-for cells --reason unreadable
"""
# Numbers are given by the database: 64 bits, signed.
_NUMBER_MAX: Final = 2**63 - 1
_NUMBER: Final = click.IntRange(1, _NUMBER_MAX)


@click.group("quarantine")
def command() -> None:
    """Rows that could not be accepted, kept sealed."""


@command.command("list")
@click.option("--batch", type=_NUMBER, help="Only rows of this batch.")
@click.option("--after", type=click.IntRange(0, _NUMBER_MAX), default=0, help="Go on after this number.")
def list_rows(batch: int | None, after: int) -> None:
    """List the rows that wait, without what they say: number, batch, row, column and reason."""
    with records() as (database, _), database.read(Purpose.OPERATOR) as read:
        rows = kept.waiting(read, batch_id=batch, after=after)
    if not rows:
        click.echo("nothing is set aside")
    for row in rows:
        click.echo(
            f"{row.quarantine_id:>8}  batch {row.batch_id} ({row.feed} from {row.source})  row {row.row_number}  "
            f"{row.field or '(whole row)'}: {row.reason}"
        )
    if len(rows) == kept.PAGE_ROWS_MAX:
        click.echo(f"more: --after {rows[-1].quarantine_id}", err=True)


@command.command("show")
@click.argument("quarantine_id", metavar="NUMBER", type=_NUMBER)
def show_row(quarantine_id: int) -> None:
    """Print one row as the department wrote it. That is personal data: the look goes into the trail."""
    with records() as (database, pseudonym), database.write(Purpose.OPERATOR) as write:
        row = kept.show(write, quarantine_id, pseudonym=pseudonym)
        trail.record(
            write,
            trail.Entry(
                at=SystemClock().now(),
                actor_kind="operator",
                actor=terminal_actor(),
                action="quarantine.show",
                purpose="feed",
                subject=f"quarantine:{quarantine_id}",
            ),
        )
    names = list(row.cells or {}) or [""] * len(row.raw)
    for position, (name, cell) in enumerate(zip(names, row.raw, strict=True), start=1):
        click.echo(f"{position:>3}  {name:<20}  {cell}" if name else f"{position:>3}  {cell}")
    sys.stdout.flush()


@command.command("fix", epilog=_FIX_EPILOG)
@click.argument("quarantine_id", metavar="NUMBER", type=_NUMBER)
@click.option("--set", "cells", metavar="COLUMN=TEXT", multiple=True, required=True, help="A corrected cell.")
@click.option("--by", help="Who corrects; the user of this terminal when left out.")
def fix(quarantine_id: int, cells: tuple[str, ...], by: str | None) -> None:
    """Accept a row with corrected cells: parsed anew and, if it fits, appended as evidence."""
    corrections = {}
    for cell in cells:
        name, equals, text = cell.partition("=")
        if not equals:
            message = f"{cell!r} is not COLUMN=TEXT"
            raise click.BadParameter(message, param_hint="--set")
        corrections[name] = text
    with records() as (database, pseudonym), database.write(Purpose.BATCH) as write:
        decided = decide_rows.fix(
            write,
            quarantine_id,
            corrections,
            by=by or terminal_actor(),
            pseudonym=pseudonym,
            at=SystemClock().now(),
        )
    _tell(decided)


@command.command("release", epilog=_RELEASE_EPILOG)
@click.argument("quarantine_id", metavar="[NUMBER]", type=_NUMBER, required=False)
@click.option("--batch", type=_NUMBER, help="Every row of this batch that waits for one reason.")
@click.option("--waiting-for", metavar="REASON", help="The reason, as `list` shows it.")
@click.option("--by", help="Who releases; the user of this terminal when left out.")
@click.option("--approved-by", help="The second person, for more rows than one may load.")
def release(
    quarantine_id: int | None, batch: int | None, waiting_for: str | None, by: str | None, approved_by: str | None
) -> None:
    """Parse rows anew as they are and accept those that fit by now."""
    number = _one_or_all(quarantine_id, batch, waiting_for)
    who, at = by or terminal_actor(), SystemClock().now()
    with records() as (database, pseudonym), database.write(Purpose.BATCH) as write:
        if waiting_for is None:
            decided = decide_rows.fix(write, number, {}, by=who, pseudonym=pseudonym, at=at)
        else:
            decided = decide_rows.release_all(
                write, number, waiting_for, by=who, pseudonym=pseudonym, at=at, approved_by=approved_by
            )
    _tell(decided)


@command.command("discard", epilog=_DISCARD_EPILOG)
@click.argument("quarantine_id", metavar="[NUMBER]", type=_NUMBER, required=False)
@click.option("--batch", type=_NUMBER, help="Every row of this batch that waits for one reason.")
@click.option("--waiting-for", metavar="REASON", help="The reason, as `list` shows it.")
@click.option("--reason", required=True, help="Why, in one word for the trail: not_ours, unreadable, duplicate …")
@click.option("--by", help="Who discards; the user of this terminal when left out.")
def discard(quarantine_id: int | None, batch: int | None, waiting_for: str | None, reason: str, by: str | None) -> None:
    """Decide that rows will never be accepted."""
    number = _one_or_all(quarantine_id, batch, waiting_for)
    who, at = by or terminal_actor(), SystemClock().now()
    with records() as (database, pseudonym), database.write(Purpose.BATCH) as write:
        if waiting_for is None:
            decided = decide_rows.discard(write, number, by=who, reason=reason, pseudonym=pseudonym, at=at)
        else:
            decided = decide_rows.discard_all(
                write, number, waiting_for, because=reason, by=who, pseudonym=pseudonym, at=at
            )
    _tell(decided)


def _one_or_all(quarantine_id: int | None, batch: int | None, waiting_for: str | None) -> int:
    """The number of a row, or that of a batch with `waiting_for`; anything else is a mistake at the keyboard."""
    if quarantine_id is not None and batch is None and waiting_for is None:
        return quarantine_id
    if quarantine_id is None and batch is not None and waiting_for is not None:
        return batch
    message = "give NUMBER, or --batch together with --waiting-for"
    raise click.UsageError(message)


def _tell(decided: decide_rows.Decided) -> None:
    if decided.rows == 0:
        click.echo(f"nothing to do; {decided.still_waiting:,} rows wait on")
        return
    new = f", {decided.accepted:,} new to the ledger" if decided.decision == "released" else ""
    click.echo(f"batch {decided.batch_id}: {decided.rows:,} rows {decided.decision}{new}")
    if decided.still_waiting:
        click.echo(f"  {decided.still_waiting:,} rows do not fit yet and wait on")
