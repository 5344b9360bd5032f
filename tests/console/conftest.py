"""The control API, and one browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.control import Browser, Control
from tianfu.platform.database import Database


@pytest.fixture
def control(database: Database, tmp_path: Path) -> Iterator[Control]:
    """The application on a fresh database, running."""
    with Control(database, tmp_path).served() as running:
        yield running


@pytest.fixture
def browser(control: Control) -> Browser:
    """A client without cookies."""
    return control.browser()
