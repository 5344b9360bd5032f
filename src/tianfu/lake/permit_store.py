"""SQL of permits: which incidents there are."""

from __future__ import annotations

from tianfu.platform.database import Read


def place_of(read: Read, incident: str) -> str | None:
    """The county of the incident with that number; None when there is none."""
    found = read.value("select place from incident where number = %s", (incident,))
    return None if found is None else str(found)
