"""`tianfu lake`: the days of visits by number and size, never whom; rolling, compacting, verifying, erasing them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

_MIB: Final = 1024 * 1024
_EXIT_UNSOUND: Final = 1

_EPILOG: Final = """\b
Examples:
  tianfu lake show
  tianfu lake verify
  tianfu lake verify-erasure

`tianfu up` rolls every ten seconds, compacts at two and erases at three in the morning by itself.
"""


@click.group(epilog=_EPILOG)
def command() -> None:
    """Look after the days of visits, also while everything runs."""


@command.command()
def roll() -> None:
    """Make days of everything the gates' segments hold."""
    from tianfu.clock import SystemClock
    from tianfu.lake.roll import roll as roll_once
    from tianfu.platform import settings

    loaded = settings.load()
    more, total = True, 0
    troubles: dict[int, str] = {}
    while more:
        rolled = roll_once(loaded.var / "lake", at=SystemClock().now(), days_kept=loaded.lake.visit_days)
        more, troubles = rolled.more, rolled.troubles
        total += rolled.records
        if rolled.records:
            days = ", ".join(rolled.days)
            click.echo(f"{rolled.records:,} scans rolled into {days or 'no day'}; {rolled.repeats:,} were repeats")
        for reason, count in rolled.aside.items():
            click.echo(f"{count:,} set aside: {reason}")
    if not total:
        click.echo("nothing to roll")
    for gate, code in troubles.items():
        click.echo(f"gate {gate} waits: {code}", err=True)
    if troubles:
        raise SystemExit(_EXIT_UNSOUND)


@command.command()
def compact() -> None:
    """Make one sorted part of each day that is over."""
    from tianfu.clock import SystemClock
    from tianfu.lake import compact as compacting
    from tianfu.platform import settings

    lake, at = settings.load().var / "lake", SystemClock().now()
    done = 0
    for day in compacting.compact(lake, at=at):
        done += 1
        click.echo(
            f"{day.day}: closed; parts merged {day.parts}, scans {day.scans:,}, visits {day.visits:,}, "
            f"repeats dropped {day.repeats:,}"
        )
    compacting.note_done(lake, at=at)
    if not done:
        click.echo("every day that is over is one part already")


@command.command()
def show() -> None:
    """List days, late scans, what is aside, gates' offsets."""
    from tianfu.clock import SystemClock, shanghai_day
    from tianfu.lake import state
    from tianfu.platform import settings

    current = state.load(settings.load().var / "lake")
    today = shanghai_day(SystemClock().now()).isoformat()
    if current.days:
        click.echo(f"{'day':<12}{'scans':>14}{'visits':>14}{'MiB':>9}  parts")
    else:
        click.echo("no visits yet: a scan at a gate is here within half a minute")
    for day, parts in sorted(current.days.items()):
        scans, visits = sum(part.scans for part in parts), sum(part.visits for part in parts)
        size = sum(file.bytes for part in parts for file in part.files) / _MIB
        open_parts = [part for part in parts if not part.closed]
        is_over = day < today
        late = f", scans not merged yet {sum(part.scans for part in open_parts):,}" if is_over and open_parts else ""
        words = ("closed" if len(open_parts) < len(parts) else "over") if is_over else "today's buffer"
        click.echo(f"{day:<12}{scans:>14,}{visits:>14,}{size:>9,.1f}  {len(parts)}, {words}{late}")
    for gate, offset in sorted(current.gates.items()):
        click.echo(f"gate {gate}: every scan before number {offset:,} is rolled")
    for entry in current.aside:
        click.echo(f"aside since {entry.on}, {entry.reason}: {entry.records:,}")
    counts = current.counts
    click.echo(
        f"repeats dropped: {counts.repeats:,}; erased with their days: {counts.erased:,}, "
        f"aside: {counts.aside_erased:,}, before they were rolled: {counts.unrolled_erased:,}"
    )
    for erasing in current.erasing:
        click.echo(f"being erased: {erasing.subject}")


@command.command()
def retain() -> None:
    """Erase what is older than TIANFU_VISIT_DAYS, with proof."""
    from tianfu.clock import SystemClock
    from tianfu.lake import proof
    from tianfu.lake.retain import retain as erase
    from tianfu.platform import settings
    from tianfu.platform.keyring import GateKeys, gate_path
    from tianfu.platform.sign import KeyPurpose
    from tianfu.services.installation import installed_database

    loaded, at = settings.load(), SystemClock().now()
    signer = GateKeys.load_or_create(gate_path(loaded.var)).at(int(at.timestamp())).signers[KeyPurpose.EVIDENCE]
    done = 0
    with installed_database(loaded) as database:
        days_kept = loaded.lake.visit_days
        for made in erase(loaded.var / "lake", database, signer, at=at, days_kept=days_kept):
            done += 1
            click.echo("\n".join(proof.lines(made)))
    if not done:
        click.echo(f"nothing is older than {loaded.lake.visit_days} days")


@command.command()
def verify() -> None:
    """Read every file: hashes, order, both orders equal, sums."""
    from tianfu.lake.verify import verify as look
    from tianfu.platform import settings

    unsound = 0
    for finding in look(settings.load().var / "lake"):
        unsound += bool(finding.fault)
        visits = f", {finding.visits:,} visits" if finding.visits else ""
        click.echo(f"{finding.what}: {finding.scans:,} scans{visits}; {finding.fault or 'sound'}")
    if unsound:
        raise SystemExit(_EXIT_UNSOUND)


@command.command("verify-erasure")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_erasure(files: tuple[Path, ...]) -> None:
    """Check proofs of erasure and say what they prove.

    Without FILES, every proof in the lake.
    """
    from tianfu.clock import SystemClock
    from tianfu.lake import proof
    from tianfu.platform import settings
    from tianfu.platform.keyring import GateKeys, gate_path

    loaded = settings.load()
    keys = GateKeys.load_or_create(gate_path(loaded.var)).at(int(SystemClock().now().timestamp())).verify
    found = files or proof.all_of(loaded.var / "lake")
    unsound = 0
    for path in found:
        try:
            made = proof.verify(path.read_bytes(), keys)
        except proof.ProofInvalidError as error:
            unsound += 1
            click.echo(f"{path.name}: {error.en}")
            continue
        click.echo("\n".join([f"{path.name}: valid", *proof.lines(made)]))
    if not found:
        click.echo("nothing was erased so far")
    if unsound:
        raise SystemExit(_EXIT_UNSOUND)
