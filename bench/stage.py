"""Where the gate is measured: a board full of people, a gate on it, the smallest server beside it; all synthetic."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Collection, Generator
from pathlib import Path
from typing import NamedTuple, Protocol

from bench import process
from bench.process import Server
from bench.world import World, build


class Measured(Protocol):
    """One line of the result."""

    def fields(self) -> dict[str, object]:
        """For machines."""
        ...

    def text(self) -> str:
        """For a terminal."""
        ...


class Stage(NamedTuple):
    """What every measurement of the gate needs. `seconds` and `rounds` are of a load, `storm_seconds` of a crowd."""

    world: World
    gate: Server
    hello: Server
    environment: dict[str, str]
    seconds: float
    rounds: int
    storm_seconds: float

    def another_gate(self, number: int, on: Collection[int] | None = None) -> contextlib.AbstractContextManager[Server]:
        """A gate of its own with its own number and journal, on the same board."""
        environment = self.environment | {"TIANFU_GATE_NUMBER": str(number)}
        return process.server("tianfu.services.gate", "--port", environment=environment, on=on)


@contextlib.contextmanager
def stage(*, people: int, seconds: float, rounds: int, storm_seconds: float) -> Generator[Stage, None, None]:
    """Build the board and start both servers; everything is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="tianfu-bench-") as folder:
        sys.stderr.write(f"building a board of {people:,} people …\n")
        # PostgreSQL, when there is one beside the gate, may run under an account of its own.
        Path(folder).chmod(0o755)
        world = build(Path(folder), people=people)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TIANFU_")}
        environment |= {"TIANFU_VAR": folder}
        with (
            process.server("bench.hello", environment=environment) as hello,
            process.server("tianfu.services.gate", "--port", environment=environment) as gate,
        ):
            yield Stage(world, gate, hello, environment, seconds, rounds, storm_seconds)
