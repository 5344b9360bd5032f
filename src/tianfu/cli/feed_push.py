"""`tianfu feed key` and `tianfu feed push`: departments' keys, and sending a file with one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from tianfu.cli.feed_parts import records
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.feeds import table
from tianfu.feeds.push import client, keys, keys_store, signature
from tianfu.platform.database import Purpose

_OWNER_ONLY: Final = 0o600
_FAILED_STATUS: Final = 400
_CREATE_EPILOG: Final = """\b
Examples:
  tianfu feed key create laboratory --feeds lab --out lab.pem
  tianfu feed key create cdc --feeds contacts,letters --public-key cdc.pub --rows-per-day 50000
"""
_PUSH_EPILOG: Final = """\b
Example:
  tianfu feed push lab results.csv --url https://code.example --key lab.pem --key-id laboratory-3f9a2c1b
"""


@click.group("key")
def key() -> None:
    """Keys with which departments sign what they push."""


@key.command("create", epilog=_CREATE_EPILOG)
@click.argument("source")
@click.option("--feeds", required=True, help="What it may send, with commas between.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a new private key here, only here.")
@click.option(
    "--public-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The department's own, as PEM."
)
@click.option("--algorithm", type=click.Choice(signature.ALGORITHMS), default=signature.ED25519, show_default=True)
@click.option("--rows-per-day", type=int, default=keys.ROWS_PER_DAY_DEFAULT, show_default=True)
@click.option("--days", type=int, default=keys.DAYS_DEFAULT, show_default=True, help="How long it is good for.")
def create(
    source: str, feeds: str, out: Path | None, public_key: Path | None, algorithm: str, rows_per_day: int, days: int
) -> None:
    """Register a key of SOURCE: a new one written to --out, or the public half that the department made itself."""
    if (out is None) == (public_key is None):
        message = "give --out for a new key, or --public-key for the department's own"
        raise click.UsageError(message)
    private = b""
    if public_key is not None:
        public = keys.public_from_pem(public_key.read_bytes())
    else:
        private, public = keys.generate(algorithm)
    if out is not None:
        _write_private(out, private)
    try:
        with records() as (database, _), database.write(Purpose.OPERATOR) as write:
            made = keys.create(
                write,
                source=source,
                feeds=[feed.strip() for feed in feeds.split(",") if feed.strip()],
                public_der=public,
                made_by=terminal_actor(),
                at=SystemClock().now(),
                days=days,
                rows_per_day=rows_per_day,
            )
    except BaseException:
        if out is not None:
            out.unlink(missing_ok=True)
        raise
    click.echo(f"key {made.key_id} ({made.algorithm}) for {', '.join(made.feeds)} from {made.source}")
    click.echo(f"  good until {made.expires_at:%Y-%m-%d %H:%M} UTC, {made.rows_per_day:,} rows a day")
    if out is not None:
        click.echo(f"  the private key is in {out} and nowhere else")


def _write_private(path: Path, pem: bytes) -> None:
    """Write where nothing is yet, readable by its owner alone."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise click.ClickException(message) from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)


@key.command("list")
def list_keys() -> None:
    """List the keys: whose, for what, until when."""
    at = SystemClock().now()
    with records() as (database, _), database.read(Purpose.OPERATOR) as read:
        found = keys_store.every(read)
    if not found:
        click.echo("no department has a key")
    for item in found:
        state = "revoked" if item.revoked_at else "expired" if item.expires_at <= at else "good"
        click.echo(
            f"{item.key_id:<28} {state:<8} until {item.expires_at:%Y-%m-%d}  {', '.join(item.feeds)}  "
            f"{item.rows_per_day:,} rows a day  {item.algorithm}  made by {item.made_by}"
        )


@key.command("revoke")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Take a key out of use at once."""
    with records() as (database, _), database.write(Purpose.OPERATOR) as write:
        keys.revoke(write, key_id, by=terminal_actor(), at=SystemClock().now())
    click.echo(f"key {key_id} is revoked")


@click.command("push", epilog=_PUSH_EPILOG)
@click.argument("feed")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--url", required=True, help="Address of the installation, without a path.")
@click.option(
    "--key", "key_file", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PEM."
)
@click.option("--key-id", required=True)
def push(feed: str, file: Path, url: str, key_file: Path, key_id: str) -> None:
    """Send FILE as FEED over HTTP, signed. Prints the answer; the same file again changes nothing."""
    if file.stat().st_size > table.FILE_BYTES_MAX:
        raise table.FeedTooLargeError
    private = keys.private_from_pem(key_file.read_bytes())
    answer = client.push(url, feed, file.read_bytes(), key=private, key_id=key_id, at=SystemClock().now())
    click.echo(answer.text)
    if answer.status_code >= _FAILED_STATUS:
        raise click.exceptions.Exit(2)
