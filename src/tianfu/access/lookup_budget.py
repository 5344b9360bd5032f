"""How many people may be looked up by document: nobody goes through the numbers one by one, alone or in a team.

The counts are in the database, so a restart or a second process gives nobody a new budget. An hour is one of the
clock, a day one of Asia/Shanghai.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tianfu.access import lookup_store
from tianfu.clock import day_start, shanghai_day
from tianfu.errors import TianfuError
from tianfu.platform.database import Write

# Most people show a code; a card is read for those without a phone. One in ten seconds for a whole hour is more than a
# gate sees, and a thousand is a whole shift at a third of that.
ACCOUNT_PER_HOUR_MAX: Final = 360
ACCOUNT_PER_DAY_MAX: Final = 1_000
# A station has four gates that read cards without a break, and two shifts.
VENUE_PER_HOUR_MAX: Final = 1_000
VENUE_PER_DAY_MAX: Final = 5_000

_KEPT: Final = timedelta(days=2)


class LookupBudgetSpentError(TianfuError):
    """The account or the venue has looked up as many people as is allowed in the hour or the day."""

    code = "lookup_budget_spent"
    status = 429
    zh = "证件查询次数已达上限，请请对方出示健康码，或联系管理员。"
    en = "As many people were looked up as is allowed; please ask for the code, or speak to your administrator."


def spend(write: Write, *, account_ref: int, venue_ref: int, at: datetime) -> timedelta | None:
    """Count one look-up; None within the budgets, else how long until the one that is spent begins anew.

    One statement, whatever it finds. The caller commits either way, so that what was refused is counted too, and
    refuses with `LookupBudgetSpentError`.
    """
    hour = at.replace(minute=0, second=0, microsecond=0)
    day = day_start(shanghai_day(at))
    windows = (
        ("account", account_ref, "day", day),
        ("account", account_ref, "hour", hour),
        ("venue", venue_ref, "day", day),
        ("venue", venue_ref, "hour", hour),
    )
    limits = (ACCOUNT_PER_DAY_MAX, ACCOUNT_PER_HOUR_MAX, VENUE_PER_DAY_MAX, VENUE_PER_HOUR_MAX)
    counts = lookup_store.count_lookup(write, windows)
    ends = {"day": day + timedelta(days=1), "hour": hour + timedelta(hours=1)}
    waits = [
        ends[span] - at for (_, _, span, _), count, limit in zip(windows, counts, limits, strict=True) if count > limit
    ]
    return max(waits, default=None)


def forget_old(write: Write, at: datetime) -> int:
    """Forget the counts of windows that are over."""
    return lookup_store.forget_lookups(write, at - _KEPT)
