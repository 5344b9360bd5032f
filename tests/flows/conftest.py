"""A whole Tianfu that the tests of this folder may kill parts of; each leaves it running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.posters import first_poster
from tests.support.running import RunningTianfu


@pytest.fixture(scope="session")
def tianfu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTianfu]:
    """Started once; what dies is started again by its own supervisor."""
    running = RunningTianfu.start(tmp_path_factory.mktemp("flows") / "var")
    yield running
    running.stop()


@pytest.fixture
def poster(tianfu: RunningTianfu) -> str:
    """The text of a demo venue's poster."""
    return first_poster(tianfu)
