"""SQL of the budgets for looking people up by document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tianfu.platform.database import Write


def count_lookup(write: Write, windows: Sequence[tuple[str, int, str, datetime]]) -> list[int]:
    """Count one look-up in each window (`account` or `venue`, its number, `hour` or `day`, its beginning).

    The counts so far, this one included, in the order given. Rows are locked in that order, so it is always the same.
    """
    holders, numbers, spans, beginnings = zip(*windows, strict=True)
    rows = write.rows(
        "insert into lookup_budget (holder, holder_ref, span, begins_at, lookups)"
        " select holder, holder_ref, span, begins_at, 1 from unnest(%s::text[], %s::integer[], %s::text[],"
        " %s::timestamptz[]) as counted (holder, holder_ref, span, begins_at)"
        " on conflict (holder, holder_ref, span, begins_at) do update set lookups = lookup_budget.lookups + 1"
        " returning holder, holder_ref, span, lookups",
        (list(holders), list(numbers), list(spans), list(beginnings)),
    )
    counts = {(holder, number, span): lookups for holder, number, span, lookups in rows}
    return [counts[holder, number, span] for holder, number, span, _ in windows]


def forget_lookups(write: Write, before: datetime) -> int:
    """Forget windows that began before an instant."""
    return write.execute("delete from lookup_budget where begins_at < %s", (before,))
