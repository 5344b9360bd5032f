"""A gate as a process of its own, with other constants and a clock that a test moves.

    python tests/support/odd_gate.py --port 8001

ODD_CONSTANTS is JSON: `{"module:NAME": number}`. ODD_CLOCK is a file with the milliseconds that the
gate's clock is off.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

from tianfu.clock import now_milliseconds
from tianfu.services import gate

CONSTANTS = "ODD_CONSTANTS"
CLOCK = "ODD_CLOCK"


def main() -> None:
    """Change what is to be changed, then be the gate."""
    for place, value in json.loads(os.environ.get(CONSTANTS, "{}")).items():
        module, name = place.split(":")
        here = importlib.import_module(module)
        assert isinstance(getattr(here, name), int | float), place
        setattr(here, name, value)
    clock = os.environ.get(CLOCK)
    if clock is not None:
        file = Path(clock)
        vars(gate)["now_milliseconds"] = lambda: now_milliseconds() + int(file.read_text(encoding="ascii"))
    gate.main()


if __name__ == "__main__":
    main()
