"""A dry run: everybody with evidence decided by two policies, and the difference counted. Writes nothing.

Each chunk of people is read in one snapshot, so nobody is seen half changed; the whole takes as long as it takes, and
evidence that arrives meanwhile counts where it is read after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from tianfu.evidence import ledger
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.policy.affected import affected
from tianfu.policy.compare import UNKNOWN_DISTRICT, Tally
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision
from tianfu.status import compare_store

CHUNK_PEOPLE: Final = 5_000


def compare(database: Database, old: Policy, new: Policy, at: datetime, tally: Tally) -> Iterator[PersonRef]:
    """Count in `tally` what `new` would change against `old` at `at`, by what the ledger holds now.

    Yields the number of the last person of each chunk. People without standing evidence are passed over: nothing is
    decided about them. A person whom a policy cannot be applied to is counted as failed and stops nobody else.
    """
    scope = affected(old.rule_set, new.rule_set)
    after = PersonRef(0)
    while True:
        with database.read(Purpose.BATCH) as read:
            people = compare_store.page(read, after=after, limit=CHUNK_PEOPLE)
            evidence = ledger.about_many(read, [person for person, _ in people])
        if not people:
            return
        after = people[-1][0]
        for person, residence in people:
            if statements := evidence[person]:
                _add(tally, old, new, at, residence, statements, scope.concerns(each.kind for each in statements))
        yield after


def _add(
    tally: Tally,
    old: Policy,
    new: Policy,
    at: datetime,
    residence: str | None,
    statements: Sequence[Evidence],
    concerned: bool,  # noqa: FBT001 - one of seven, all of which are needed
) -> None:
    try:
        before = decide(old, statements, at)
        after = decide(new, statements, at) if concerned else before
    except Exception:  # noqa: BLE001 - one person's odd evidence must not stop the province; it is counted
        tally.fail()
    else:
        tally.add(residence or _place(before, after, statements), before, after)


def _place(before: Decision, after: Decision, statements: Sequence[Evidence]) -> str:
    """Where to count somebody of unknown residence: at the worst reason's place, else at the newest statement's."""
    for decision in (after, before):
        for reason in decision.reasons:
            if reason.place is not None:
                return reason.place
    placed = [item for item in statements if item.place is not None]
    newest = max(placed, key=lambda item: (item.occurred_at, item.evidence_id), default=None)
    return UNKNOWN_DISTRICT if newest is None or newest.place is None else newest.place
