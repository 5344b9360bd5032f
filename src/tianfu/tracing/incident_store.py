"""SQL of incidents."""

from __future__ import annotations

from typing import Any, Final

from tianfu.platform.database import Read

_FIELDS: Final = ("incident_ref", "number", "place", "rules", "opened_at", "opened_by", "automatic", "closed_at")


def find(read: Read, number: str) -> dict[str, Any] | None:
    """The row of an incident by its number; None when there is none."""
    row = read.row(
        "select incident_ref, number, place, rules, opened_at, opened_by, automatic, closed_at"
        " from incident where number = %s",
        (number,),
    )
    return None if row is None else dict(zip(_FIELDS, row, strict=True))
