"""Random histories of one person for property tests, of every kind of evidence.

Every instant lies on a grid of six hours that meets midnight in Shanghai, so that a scan along the grid meets every
possible change of a decision whose rules count in days. The same makers serve hypothesis and seeded simulations: what
they need is somebody who chooses.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from tests.support.stories import USUAL
from tianfu.evidence.kinds import KINDS, Attributes, Case, Symptom
from tianfu.evidence.model import Evidence, Grade
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.policy.vocabulary import attributes_of

# Picks one of several things.
Choose = Callable[[Sequence[Any]], Any]

STEP: Final = timedelta(hours=6)
# 00:00 in Shanghai.
BEGINNING: Final = datetime(2022, 2, 28, 16, tzinfo=UTC)
HISTORY_STEPS: Final = 4 * 40
# The longest rule ends 28 days after the last instant of a history, and validities end within 20 days of it.
SCAN_STEPS: Final = HISTORY_STEPS + 4 * 50

PLACES: Final = (None, "510104", "510722", "511602", "510502", "511500")
RECORDS: Final = ("shared", "own-1", "own-2", "own-3")
# The kinds that most rules are about come up more often.
_OFTEN: Final = ("test", "test", "contact", "case", "declaration", "sampling", "parent_test", "arrival", "zone_stay")
_SOURCES: Final = {"test": ["laboratory"], "case": ["health", "desk"], "contact": ["tracing", "cdc"]}


def instants(first: int = 0, last: int = HISTORY_STEPS) -> st.SearchStrategy[datetime]:
    return st.integers(first, last).map(lambda steps: BEGINNING + steps * STEP)


def fact_of(kind: str, at: datetime, choose: Choose) -> Attributes:
    """A statement's content of that kind, which happened about `at`."""
    said: dict[str, Any] = {}
    for name, attribute in attributes_of(kind).items():
        if attribute.many:
            said[name] = tuple({choose(list(Symptom)) for _ in range(choose([0, 0, 1, 2]))})
        elif name == USUAL[kind].occurred or name in {"sampled_at", "resulted_at"}:
            said[name] = at + STEP if name == "resulted_at" else at
        elif attribute.optional and choose([False, True]):
            said[name] = None
        elif attribute.type is datetime:
            said[name] = at + choose([0, 4, 8, 20, 60] if attribute.optional else [-40, -12, -4, 0, 4, 20, 56]) * STEP
        elif issubclass(attribute.type, enum.Enum):
            said[name] = choose(list(attribute.type))
        elif attribute.type is bool:
            said[name] = choose([False, False, True])
        elif attribute.type is int:
            said[name] = choose([365, 372, 373, 390] if name == "temperature_decidegrees" else [1, 2, 3, 7])
        else:
            said[name] = choose(RECORDS if name in {"record", "contact", "parent"} else ["51-1", "51-2"])
    return KINDS[kind](**said)  # type: ignore[return-value]  # every kind is one of the attributes


def own_instant(fact: Attributes) -> datetime:
    """The instant a source would give as `occurred_at`."""
    if isinstance(fact, Case):
        return fact.discharged_at or fact.diagnosed_at
    instant: datetime = getattr(fact, USUAL[str(type(fact).__struct_config__.tag)].occurred)
    return instant


def statement_of(number: int, fact: Attributes, choose: Choose) -> Evidence:
    """A statement numbered `number` that says `fact`; it may replace or withdraw an earlier one."""
    occurred_at = own_instant(fact)
    starts = occurred_at + choose([0, 0, 0, -8, 4, 30]) * STEP
    ends = choose([None, None, None, 0, 1, 8, 20, 44, 80])
    kind = str(type(fact).__struct_config__.tag)
    earlier = [None] * (3 * number) + [EvidenceId(one) for one in range(1, number)]
    return Evidence(
        evidence_id=EvidenceId(number),
        person=PersonRef(1),
        source=choose(_SOURCES.get(kind, [USUAL[kind].source])),
        source_record=choose(["shared", f"own-{number}", f"own-{number}", f"own-{number}"]),
        attributes=fact,
        occurred_at=occurred_at,
        received_at=BEGINNING + number * STEP,
        valid=Interval(starts, None if ends is None else starts + ends * STEP),
        grade=choose([Grade.STRONG] * 5 + [Grade.WEAK]),
        place=choose(PLACES),
        supersedes=choose(earlier),
        withdraws=choose([*earlier, *[None] * (3 * number)]),
    )


@st.composite
def statements(draw: st.DrawFn, number: int, kinds: Sequence[str] = (*KINDS, *_OFTEN, *_OFTEN, *_OFTEN)) -> Evidence:
    def choose(options: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever the options are
        return draw(st.sampled_from(options))

    return statement_of(number, fact_of(choose(kinds), draw(instants()), choose), choose)


@st.composite
def histories(draw: st.DrawFn, *, most: int = 7) -> list[Evidence]:
    """Up to `most` statements about person 1, numbered in the order of receipt."""
    return [draw(statements(number)) for number in range(1, draw(st.integers(0, most)) + 1)]


def seeded_history(seed: int, *, most: int = 7, kinds: Sequence[str] = (*KINDS, *_OFTEN, *_OFTEN)) -> list[Evidence]:
    """The same history for the same seed."""
    choose = random.Random(seed).choice
    return [
        statement_of(number, fact_of(choose(kinds), BEGINNING + choose(range(HISTORY_STEPS)) * STEP, choose), choose)
        for number in range(1, choose(range(most + 1)) + 1)
    ]


def many_histories(
    *, most: int = 7, kinds: Sequence[str] = (*KINDS, *_OFTEN, *_OFTEN)
) -> st.SearchStrategy[list[Evidence]]:
    """Like `histories`, drawn by a seed alone: twenty times as quick, but a failure does not shrink."""
    return st.integers(0, 2**32).map(lambda seed: seeded_history(seed, most=most, kinds=kinds))
