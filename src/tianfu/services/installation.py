"""The database of this installation, for a command that needs it: the one that runs, or one started for the while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tianfu.platform.database import Database
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.settings import Settings


@contextmanager
def installed_url(settings: Settings) -> Iterator[str]:
    """The address of the database the settings name, while it runs.

    Without a URL it is the embedded server under `var`; when that does not run it is started and stopped again.
    """
    if settings.database.url is not None:
        yield settings.database.url
        return
    server = EmbeddedPostgres(settings.var / "postgres")
    was_running = server.is_running()
    try:
        yield server.start()
    finally:
        if not was_running:
            server.stop()


@contextmanager
def installed_database(settings: Settings) -> Iterator[Database]:
    """The database of `installed_url`, open."""
    with installed_url(settings) as url, Database.open(url, settings.database) as database:
        yield database
