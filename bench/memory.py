"""How much memory some work takes of its own: mapped files, which the system may take back, do not count."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_STATUS: Final = Path("/proc/self/status")
_EVERY_SECONDS: Final = 0.005


class Peak:
    """Looks on meanwhile: `megabytes` is the most beyond what was taken when it began."""

    def __init__(self) -> None:
        self.megabytes = 0
        self._before = 0
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = _anonymous_kilobytes()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        most = 0
        while not self._done.wait(_EVERY_SECONDS):
            most = max(most, _anonymous_kilobytes() - self._before)
        self.megabytes = round(max(most, _anonymous_kilobytes() - self._before) / 1_000)


def _anonymous_kilobytes() -> int:
    line = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1])
