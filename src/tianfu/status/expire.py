"""What time alone changes: decisions that lapse, and the policy that takes over from another.

Nothing polls people. Each stored decision says when it changes by itself (`next_change_at`); a change of policy is a
job over the people decided by another policy, in order of their number, that goes on where it stopped.
"""

from __future__ import annotations

from datetime import datetime

from tianfu.ids import PersonRef
from tianfu.platform.database import Read
from tianfu.status import store


def due(read: Read, at: datetime, limit: int) -> list[PersonRef]:
    """Up to `limit` people whose decision changes by itself at or before `at`, the longest overdue first."""
    return store.due(read, at, limit) if limit > 0 else []
