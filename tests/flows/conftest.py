"""A whole Tianfu that the tests of this folder may kill parts of; each leaves it running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.posters import first_poster
from tests.support.running import RunningTianfu


@pytest.fixture(scope="session")
def tianfu(folder_for_system: Path) -> Iterator[RunningTianfu]:
    """Started once; what dies is started again by its own supervisor."""
    running = RunningTianfu.start(folder_for_system / "flows" / "var")
    yield running
    running.stop()


@pytest.fixture
def poster(tianfu: RunningTianfu) -> str:
    """The text of a demo venue's poster."""
    return first_poster(tianfu)
