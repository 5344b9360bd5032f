"""`tianfu database`: bring the schema up to date, say where it stands, say where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from tianfu.platform import migrate as migrations
from tianfu.platform import settings
from tianfu.platform.database import Database
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.settings import Settings


@click.group(help="Apply migrations; say what is applied and where the database is.")
def command() -> None:
    """Work on the database of TIANFU_DATABASE_URL, or on the embedded one under TIANFU_VAR."""


@command.command(help="Apply every migration that is missing. Harmless when there is none.")
def migrate() -> None:
    """Print each migration that this call applied."""
    loaded = settings.load()
    with _opened(loaded) as database:
        ran = migrations.apply(database, loaded.migrations)
    for name in ran:
        click.echo(f"applied  {name}")
    if not ran:
        click.echo("nothing to apply: the database is up to date")


@command.command(help="List the migrations and which of them the database has; exit code 1 when one is missing.")
def status() -> None:
    """Print one line per migration."""
    loaded = settings.load()
    with _opened(loaded) as database:
        missing = {migration.version for migration in migrations.pending(database, loaded.migrations)}
    for migration in migrations.load(loaded.migrations):
        click.echo(f"{'pending' if migration.version in missing else 'applied'}  {migration.name}")
    if missing:
        raise click.exceptions.Exit(1)


@command.command(help="Print the address of the database, for psql and backups. It may hold a password.")
def url() -> None:
    """Print the address; the embedded server is not started for this."""
    loaded = settings.load()
    if loaded.database.url is not None:
        click.echo(loaded.database.url)
        return
    server = EmbeddedPostgres(loaded.var / "postgres")
    click.echo(server.url)
    if not server.is_running():
        click.echo("tianfu: the embedded server is not running; `tianfu up` starts it", err=True)


@contextmanager
def _opened(loaded: Settings) -> Iterator[Database]:
    """The database, open. An embedded server that was not running is started, and stopped again at the end."""
    if loaded.database.url is not None:
        with Database.open(loaded.database.url, loaded.database) as database:
            yield database
        return
    server = EmbeddedPostgres(loaded.var / "postgres")
    ran_before = server.is_running()
    address = server.start()
    try:
        with Database.open(address, loaded.database) as database:
            yield database
    finally:
        if not ran_before:
            server.stop()
