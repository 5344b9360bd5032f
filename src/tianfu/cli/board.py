"""`tianfu board`: what this machine's board holds, following another machine's, and a board as a file."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Look at the board that gates here read; keep it as another machine's is."""


@command.command()
def status() -> None:
    """Print people, size, offset, age and layout of the board here. Exit code 1 without a board that can be read."""
    from tianfu.clock import now_milliseconds
    from tianfu.platform import settings
    from tianfu.status import layout
    from tianfu.status.read import AGE_UNKNOWN_SECONDS
    from tianfu.status.sizes import measure

    folder = settings.load().var / "board"
    sizes = measure(folder)
    if sizes is None:
        click.echo(f"no board in {folder}")
        raise click.exceptions.Exit(1)
    age = sizes.age_seconds(now_milliseconds())
    click.echo(f"layout    {layout.LAYOUT_VERSION}")
    click.echo(f"people    {sizes.people_at_most:,} at most, in {sizes.blocks:,} blocks")
    click.echo(f"venues    {sizes.venues:,}")
    click.echo(f"revoked   {sizes.sessions:,} sessions, {sizes.credentials:,} credentials")
    click.echo(f"size      {sizes.file_bytes / 1e6:,.1f} MB")
    click.echo(f"offset    status {sizes.offset:,}, venues {sizes.venue_offset:,}")
    click.echo(f"age       {'unknown' if age == AGE_UNKNOWN_SECONDS else f'{age:,} s'}")
    click.echo(f"changes   up to {sizes.changes_end:,}, kept from {sizes.changes_from:,}")
    if sizes.source:
        click.echo(f"follows   board {sizes.source:016x} up to change {sizes.followed:,}")


@command.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
def snapshot(out: Path) -> None:
    """Write the board here into a file that any machine can load."""
    from tianfu.platform import settings
    from tianfu.status import boardcopy, stream
    from tianfu.status.source import Source

    source = Source(settings.load().var / "board")
    source.refresh()
    part = out.with_name(out.name + ".part")
    written = 0
    with part.open("wb") as file:
        for frame in boardcopy.frames(source):
            written += file.write(stream.pack(frame))
            click.echo(f"\r{written / 1e6:,.0f} MB", err=True, nl=False)
    part.replace(out)
    source.close()
    click.echo(f"\n{out}: {written:,} bytes", err=True)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def load(file: Path) -> None:
    """Build the board here from FILE and switch to it. A worker that starts afterwards builds its own."""
    from tianfu.platform import settings
    from tianfu.status import boardcopy

    board = settings.load().var / "board"
    board.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as coming:
        rows = boardcopy.load(board, coming)
    click.echo(f"{rows:,} blocks and rows loaded; gates here use them now")


@command.command(epilog="The secret that both sides share is the file TIANFU_BOARD_SECRET; the source makes it.")
@click.argument("url")
def follow(url: str) -> None:
    """Keep the board here as the one at URL is (see `python -m tianfu.services.board_source`), until stopped."""
    from tianfu.platform import secretfile, settings
    from tianfu.platform.observe import Log
    from tianfu.services.board_follower import HttpLink, Progress
    from tianfu.services.board_follower import follow as run
    from tianfu.services.told import until_told

    def tell(progress: Progress) -> None:
        what = f"loading {progress.loading}: {progress.rows:,}" if progress.loading else f"change {progress.position:,}"
        click.echo(what)

    loaded = settings.load()
    link = HttpLink(url, secretfile.read(loaded.gate.board_secret))
    try:
        with until_told() as stopping:
            run(loaded.var / "board", link, Log("board-follower"), stopping, tell=tell)
    finally:
        link.close()
