"""The shipper: moves what the gates on this machine record into the lake, every few seconds.

    python -m tianfu.services.shipper

It knows no database and no board, reads the journals beside the gates, and holds their writer's lock for a millisecond
or two at a time. A journal that cannot be moved is left as it is, reported once, and tried again; the others go on.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from tianfu.errors import TianfuError
from tianfu.lake import incoming
from tianfu.lake.ship import ship
from tianfu.platform.observe import Log
from tianfu.platform.settings import load
from tianfu.services.refusal import explained
from tianfu.services.told import until_told

# A gate writes at most 30,000 records a second: 150,000 and 7 MB a turn.
TURN_SECONDS: Final = 5.0
# A lake that is far behind is caught up in turns of ten million records, so that no gate waits for another for long.
SEGMENTS_PER_TURN: Final = 100


class Shipper:
    """The loop over the journals under `var`."""

    def __init__(self, var: Path, log: Log) -> None:
        """Move nothing yet."""
        self._var = var
        self._log = log
        self._troubles: dict[int, str] = {}

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set."""
        while not stopping.is_set():
            moved = self.turn()
            if not moved:
                stopping.wait(TURN_SECONDS)

    def turn(self) -> bool:
        """Look at every journal once; whether one had more than a turn takes."""
        more = False
        for gate in incoming.gates(self._var / "journal"):
            folder = self._var / "journal" / f"gate-{gate:05d}"
            if not (folder / "data.mdb").is_file():
                continue
            try:
                shipped = ship(folder, self._var / "lake", gate, segments_max=SEGMENTS_PER_TURN)
            except TianfuError as error:
                if self._troubles.get(gate) != error.code:
                    self._log.error("a journal is not moved on", key=f"gate-{gate:05d}", code=error.code)
                self._troubles[gate] = error.code
                continue
            if self._troubles.pop(gate, None) is not None:
                self._log.info("a journal is moved on again", key=f"gate-{gate:05d}")
            if shipped.records:
                self._log.info(
                    "a journal was moved on", key=f"gate-{gate:05d}", rows=shipped.records, offset=shipped.end
                )
            more = more or shipped.segments == SEGMENTS_PER_TURN
        return more


def main() -> None:
    """Work with the settings of the environment until a signal comes."""
    log = Log("shipper")
    with explained(log), until_told() as stopping:
        Shipper(load().var, log).run(stopping)


if __name__ == "__main__":
    main()
