"""Which of a record's statements stands, from the little that the ledger looks up of each. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tianfu.evidence.store import Held


def standing(record: Sequence[Held]) -> Held | None:
    """The statement that stands among all of one record: the latest by the source's own instant, then by number.

    What was withdrawn counts as never made; None when nothing is left.
    """
    withdrawn = {held.withdraws for held in record}
    live = [held for held in record if held.withdraws is None and held.evidence_id not in withdrawn]
    return max(live, key=lambda held: (held.occurred_at, held.evidence_id), default=None)
