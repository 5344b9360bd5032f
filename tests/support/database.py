"""A PostgreSQL server for the tests: one for the session, a fresh database for each test that asks."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString, Self

import psycopg
from psycopg import sql

from tianfu.platform import migrate, settings
from tianfu.platform.database import Database
from tianfu.platform.postgres import EmbeddedPostgres

_TEMPLATE = "tianfu_template"


class TestServer:
    """The embedded server in a temporary folder, with a migrated template to clone from.

    Nothing is forced to disk, so that a clone takes milliseconds; tests about durability start their own server. One
    clone is made in advance, and what a test leaves is dropped while the next runs.
    """

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedPostgres(folder / "postgres", durable=False)
        self._numbers = itertools.count(1)
        self._aside = ThreadPoolExecutor(1)
        self._next: Future[str] | None = None

    @classmethod
    def start(cls) -> Self:
        server = cls(Path(tempfile.mkdtemp(prefix="tianfu-tests-")))
        server._server.start()
        server._run("create database {}", _TEMPLATE)
        with Database.open(server.url_of(_TEMPLATE), settings.load({}).database) as template:
            migrate.apply(template, settings.PROJECT_ROOT / "migrations")
        return server

    def stop(self) -> None:
        self._aside.shutdown()
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url_of(self, name: str) -> str:
        return self._server.url.replace("/postgres?", f"/{name}?")

    def create(self, *, migrated: bool = True) -> str:
        """The name of a new database: a copy of the template, or an empty one."""
        if not migrated:
            name = self._name()
            self._run("create database {}", name)
            return name
        ready = self._next or self._aside.submit(self._copy)
        name = ready.result()
        # The next one is made while this test runs.
        self._next = self._aside.submit(self._copy)
        return name

    def drop(self, name: str) -> None:
        """Throw a database away; whoever is still connected to it is cut off."""
        self._run("drop database {} with (force)", name)

    def leave(self, name: str) -> None:
        """The same, some time soon."""
        self._aside.submit(self.drop, name)

    def _copy(self) -> str:
        name = self._name()
        # Copying the files takes a fifth of the time that writing them through the log takes.
        self._run("create database {} template {} strategy file_copy", name, _TEMPLATE)
        return name

    def _name(self) -> str:
        return f"test_{next(self._numbers)}"

    def _run(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
