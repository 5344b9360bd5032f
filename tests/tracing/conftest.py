"""A database that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.database import TestServer
from tianfu.platform import settings
from tianfu.platform.database import Database


@pytest.fixture(scope="module")
def shared_database(postgres_server: TestServer) -> Iterator[Database]:
    """A migrated database for one module; its tests make incidents of their own."""
    name = postgres_server.create()
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as opened:
        yield opened
    postgres_server.drop(name)
