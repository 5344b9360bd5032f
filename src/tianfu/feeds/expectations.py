"""What a contract expects of its feed's deliveries: how often one comes, and how many rows need a second person."""

from __future__ import annotations

from typing import Final

from tianfu.feeds.contracts import Contract

# Laboratories send all day; lists of cases and contacts colour people, so many rows at once need two people.
_EVERY_HOURS: Final = {"lab": 6, "cases": 24, "contacts": 24}
_SECOND_PERSON_OVER: Final = {"cases": 1_000, "contacts": 5_000}


def every_hours(contract: Contract) -> int:
    """The longest usual time between two batches of the feed."""
    return _EVERY_HOURS[contract.feed]


def second_person_over(contract: Contract) -> int | None:
    """Batches with more rows than this wait for a second person; None: never."""
    return _SECOND_PERSON_OVER.get(contract.feed)
