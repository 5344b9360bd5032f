"""What every test can ask for, and the walls around all of them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from pytest_socket import socket_allow_hosts

from tests.support.database import TestServer
from tianfu.access import passwords
from tianfu.platform import settings
from tianfu.platform.database import Database

# Two shared cores: a property is judged by what it finds, not by how long one example took on a busy machine.
hypothesis.settings.register_profile("tianfu", deadline=None)
# For `make check`: a look at each property; `make test` looks longer.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)
hypothesis.settings.load_profile("tianfu")

_SERVER_FIXTURES = frozenset({"postgres_server", "folder_for_server"})
_TESTS = Path(__file__).parent
_LOOPBACK = ["127.0.0.1", "::1", "localhost"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """No test reaches beyond this machine."""
    socket_allow_hosts(_LOOPBACK, allow_unix_socket=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs a database server, so that `make check` can leave it to `make test`."""
    if _SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.server)


# They take longest: where files are shared out among processes, these come first and all processes end together.
_WHOLE_SYSTEMS = ("browser", "flows")


@pytest.hookimpl(trylast=True)  # after pytest-randomly has shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of whole systems first."""
    items.sort(key=lambda item: item.path.relative_to(_TESTS).parts[0] not in _WHOLE_SYSTEMS)


@pytest.fixture(scope="session", autouse=True)
def _data_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test, or a command that it runs, keeps without saying where belongs to this pytest, not to the checkout.

    So several can run beside each other, and beside the Tianfu of the person who runs them.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIANFU_VAR", str(tmp_path_factory.mktemp("data") / "var"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Passwords cost next to nothing: most tests sign somebody in, and each time would take a quarter of a second.

    The digests name their cost, so everything else is as it is. `full_cost_of_passwords` takes this back.
    """
    nobodys = passwords._NOBODYS.replace(f"scrypt${passwords._LOG_N}$8${passwords._P}$", "scrypt$4$8$1$")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_LOG_N", 4)
        patch.setattr(passwords, "_P", 1)
        patch.setattr(passwords, "_NOBODYS", nobodys)
        yield


_FULL_COST = {name: getattr(passwords, name) for name in ("_LOG_N", "_P", "_NOBODYS")}


@pytest.fixture
def full_cost_of_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost in this test what they cost in service."""
    for name, value in _FULL_COST.items():
        monkeypatch.setattr(passwords, name, value)


@contextlib.contextmanager
def _folder_for_server() -> Iterator[Path]:
    """An empty folder in which an embedded server can live.

    `tmp_path` will not do for root: every pytest session closes the folder above it to other users, also to the one
    that the server runs as.
    """
    folder = Path(tempfile.mkdtemp(prefix="tianfu-tests-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder_for_server() -> Iterator[Path]:
    """An empty folder in which this test may start an embedded server."""
    with _folder_for_server() as folder:
        yield folder


@pytest.fixture(scope="session")
def folder_for_system() -> Iterator[Path]:
    """An empty folder for a whole Tianfu that the tests of a session share."""
    with _folder_for_server() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[TestServer]:
    """The session's PostgreSQL server, for tests that make databases of their own."""
    server = TestServer.start()
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres_server: TestServer) -> Iterator[str]:
    """The address of a fresh, migrated database that only this test uses."""
    name = postgres_server.create()
    yield postgres_server.url_of(name)
    postgres_server.leave(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, open."""
    with Database.open(database_url, settings.load({}).database) as opened:
        yield opened
