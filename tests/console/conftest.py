"""The control API, and one browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.control import Browser, Control
from tianfu.platform.database import Database


@pytest.fixture
def control(database: Database, tmp_path: Path) -> Control:
    """The application on a fresh database."""
    return Control(database, tmp_path)


@pytest.fixture
def browser(control: Control) -> Iterator[Browser]:
    """A client without cookies."""
    with control.browser() as opened:
        yield opened
