"""What the attacks are tried on: a gate's parts, a ring of keys, the control API with a guard in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.codes import gate_ring
from tests.support.control import Browser, Control, publish_policy
from tests.support.gate import GateWorld
from tests.support.lookup import on_duty, venue_with
from tianfu.platform.database import Database
from tianfu.platform.keyring import GateKeys


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    """Keys made at the instant of the tests."""
    return gate_ring(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    """A gate's desks over a board."""
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


@pytest.fixture
def control(database: Database, tmp_path: Path) -> Iterator[Control]:
    """The control API on a fresh database, running."""
    with Control(database, tmp_path).served() as running:
        yield running


@pytest.fixture
def guard(control: Control) -> Browser:
    """A guard of a park, signed in."""
    publish_policy(control.database)
    venue_with(control, "guard")
    return on_duty(control, "guard")
