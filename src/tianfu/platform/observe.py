"""Structured logs that cannot carry personal data: only fields on an allowed list are accepted.

One JSON object a line on standard error. A field that is not on the list raises `FieldNotAllowedError` in every
environment, so a leak is a failing test and not an incident; the values of allowed fields are numbers or short
machine-made words, never text that a person typed.
"""

from __future__ import annotations

import enum
import sys
from typing import Final, TextIO

import msgspec

from tianfu.clock import Clock, SystemClock

# Each name is a count, a duration, a machine-made word or an internal number that says nothing about a person.
# Person references are left out on purpose: who it was about is a matter for the audit trail.
ALLOWED_FIELDS: Final = frozenset(
    {
        "accepted",
        "attempt",
        "batch",
        "bytes",
        "code",
        "colour",
        "count",
        "duplicates",
        "error",
        "exit_code",
        "feed",
        "job",
        "key",
        "lag_ms",
        "limit",
        "method",
        "migration",
        "milliseconds",
        "offset",
        "pid",
        "policy",
        "port",
        "process",
        "purpose",
        "rows",
        "route",
        "sequence",
        "set_aside",
        "status",
        "trace",
    }
)
_TEXT_LENGTH_MAX: Final = 200


class FieldNotAllowedError(ValueError):
    """A log call named a field that is not on the allowed list: a bug in the caller."""


class Level(enum.Enum):
    """How urgent a line is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Log:
    """Writes lines for one process; `process` names it in every line."""

    def __init__(self, process: str, *, stream: TextIO | None = None, clock: Clock | None = None) -> None:
        """Write to `stream` (standard error by default)."""
        self._process = process
        self._stream = stream
        self._clock = clock or SystemClock()

    def info(self, event: str, **fields: int | float | str) -> None:
        """Something expected happened. `event` is a fixed English phrase, never built from input."""
        self._write(Level.INFO, event, fields)

    def warning(self, event: str, **fields: int | float | str) -> None:
        """Something is degraded and the process goes on."""
        self._write(Level.WARNING, event, fields)

    def error(self, event: str, **fields: int | float | str) -> None:
        """Something failed that somebody must look at."""
        self._write(Level.ERROR, event, fields)

    def _write(self, level: Level, event: str, fields: dict[str, int | float | str]) -> None:
        unknown = fields.keys() - ALLOWED_FIELDS
        if unknown:
            message = f"log fields not on the allowed list: {sorted(unknown)}"
            raise FieldNotAllowedError(message)
        line = {
            "at": self._clock.now().isoformat(timespec="milliseconds"),
            "level": level.value,
            "process": self._process,
            "event": event,
        }
        short = {name: value[:_TEXT_LENGTH_MAX] if isinstance(value, str) else value for name, value in fields.items()}
        stream = self._stream or sys.stderr
        stream.write(msgspec.json.encode(line | short).decode() + "\n")
        stream.flush()
