"""How many people's records one account may read in a day: nobody scrapes the records one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tianfu.access import store
from tianfu.clock import shanghai_day
from tianfu.errors import TianfuError
from tianfu.platform.database import Write

# The busiest desk known handled 400,000 items in two weeks with 60 people: 476 a day each. Twice that is room enough.
READS_PER_DAY_MAX: Final = 1_000


class ReadBudgetSpentError(TianfuError):
    """The account has read as many records today as anybody may."""

    code = "read_budget_spent"
    status = 429
    zh = "今日查询次数已达上限，请联系管理员。"
    en = "You have read as many records today as is allowed; please speak to your administrator."


def spend(write: Write, account_ref: int, at: datetime) -> bool:
    """Count one reading; False when it is over the budget.

    The caller commits either way, so that what was refused is counted too, and refuses with `ReadBudgetSpentError`.
    """
    return store.count_read(write, account_ref, shanghai_day(at)) <= READS_PER_DAY_MAX
