"""`tianfu keys`: what keys there are, a new one, an old one out of use. Secrets are never shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from tianfu.clock import SystemClock
from tianfu.platform import keychange, keyfile, settings
from tianfu.platform.keyfile import KeyFile, KeyUse, StoredKey
from tianfu.platform.keyring import (
    GATE_KIND,
    RECORDS_KIND,
    RECORDS_USES,
    gate_path,
    records_path,
)


@click.group()
def command() -> None:
    """List, rotate and retire keys.

    The keys are in two files under the folder `keys` of TIANFU_VAR. Back that folder up: what was sealed with a lost
    key cannot be read by anybody.
    """


@command.command("list")
def list_keys() -> None:
    """Show every key: id, use, state and instants; never a secret."""
    at_seconds = int(SystemClock().now().timestamp())
    var = settings.load().var
    keys = (*_load(gate_path(var), GATE_KIND).keys, *_load(records_path(var), RECORDS_KIND).keys)
    click.echo(f"{'id':<10} {'use':<9} {'state':<10} {'created':<20} accepted until")
    for key in keys:
        ends = "" if key.ends_at is None else _instant(key.ends_at)
        state = _state(key, keys, at_seconds)
        click.echo(f"{key.id:<10} {key.use.value:<9} {state:<10} {_instant(key.created_at):<20} {ends}".rstrip())


@command.command()
@click.option(
    "--which",
    required=True,
    type=click.Choice([use.value for use in KeyUse]),
    help="The use to make a new key for.",
)
def rotate(which: str) -> None:
    """Make a new key; the old one is accepted until nothing made with it can be alive.

    Running processes see the new key within seconds and work with it from half a minute on. Rotating `seal` or
    `index` affects new data only.
    """
    at_seconds = int(SystemClock().now().timestamp())
    use = KeyUse(which)
    path, kind = _ring_of(use)
    changed = keyfile.change(path, kind, lambda content: keychange.rotated(content, use, at_seconds))
    newest = changed.keys[-1]
    overlap = keychange.OVERLAP_SECONDS[use]
    until = "until it is retired" if overlap is None else f"for {overlap} s more"
    click.echo(f"New {which} key {newest.id}, in use from {_instant(newest.starts_at or at_seconds)} on.")
    click.echo(f"Older {which} keys are accepted {until}.")


@command.command()
@click.argument("key_id")
@click.option("--which", required=True, type=click.Choice([use.value for use in KeyUse]), help="The use of the key.")
@click.option(
    "--nothing-uses-it",
    is_flag=True,
    help="Needed for seal and index keys: you know that no row names this key any more.",
)
def retire(key_id: str, which: str, *, nothing_uses_it: bool) -> None:
    """Take the key KEY_ID out of use now and wipe its secret. There is no way back.

    Codes, posters and sessions made with it stop working at every gate within seconds.
    """
    use = KeyUse(which)
    if use in RECORDS_USES and not nothing_uses_it:
        message = "data sealed or indexed with this key would be lost; see --nothing-uses-it"
        raise click.UsageError(message)
    at_seconds = int(SystemClock().now().timestamp())
    path, kind = _ring_of(use)
    keyfile.change(path, kind, lambda content: keychange.retired(content, use, key_id, at_seconds))
    click.echo(f"The {which} key {key_id} is out of use.")


def _ring_of(use: KeyUse) -> tuple[Path, str]:
    """The file that holds keys of `use`, which must exist, and its kind."""
    var = settings.load().var
    path, kind = (records_path(var), RECORDS_KIND) if use in RECORDS_USES else (gate_path(var), GATE_KIND)
    _load(path, kind)
    return path, kind


def _load(path: Path, kind: str) -> KeyFile:
    """The key file; where there is none yet, a sentence that says when it is made."""
    try:
        return keyfile.load(path, kind)
    except FileNotFoundError:
        message = f"there are no keys at {path} yet; the first `tianfu up` makes them"
        raise click.ClickException(message) from None


def _state(key: StoredKey, keys: tuple[StoredKey, ...], at_seconds: int) -> str:
    """`in use` makes new things, `waiting` will, `accepted` did; `ended` and `retired` are refused."""
    if key.retired_at is not None:
        return "retired"
    if not key.is_live(at_seconds):
        return "ended"
    if not key.has_started(at_seconds):
        return "waiting"
    started = [other for other in keys if other.use is key.use and other.has_started(at_seconds)]
    newest = [other for other in started if other.is_live(at_seconds)][-1]
    return "in use" if newest is key else "accepted"


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
