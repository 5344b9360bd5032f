"""A process for one piece of work, pinned to cores of its own: `python -m bench.generator`, told over pipes.

The work is a function of a module and its arguments, pickled; what it returns comes back the same way.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]


class GeneratorFailedError(RuntimeError):
    """The work ended in an error, which its process has printed."""


class Working:
    """Work under way in another process."""

    def __init__(self, cores: Collection[int], work: Callable[..., Any], *arguments: object, **named: object) -> None:
        """Begin at once, on `cores`."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.generator"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(pickle.dumps(tuple(cores)) + pickle.dumps((work, arguments, named)))
        self._process.stdin.close()
        self._process.stdin = None

    def looks(self, every_seconds: float) -> Iterator[float]:
        """Until the result is there: an instant (`time.perf_counter`) at least `every_seconds` after the last one."""
        assert self._process.stdout is not None
        while not select.select([self._process.stdout], [], [], every_seconds)[0]:
            yield time.perf_counter()

    def result(self) -> Any:  # noqa: ANN401 - whatever the work returns; the caller gives it a type
        """What it returned. Raises `GeneratorFailedError`."""
        assert self._process.stdout is not None
        with self._process as process:
            answer = self._process.stdout.read()
        if process.returncode != 0:
            raise GeneratorFailedError
        return pickle.loads(answer)  # noqa: S301 - written by our own process


def main() -> None:
    """Do what standard input says."""
    os.sched_setaffinity(0, pickle.load(sys.stdin.buffer))  # noqa: S301 - written by our own process
    work, arguments, named = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by our own process
    pickle.dump(work(*arguments, **named), sys.stdout.buffer)


if __name__ == "__main__":
    main()
