"""What stands beside the colour without touching it: doses of vaccine, and a stay in a risk area. Pure.

Derived from the standing statements like the decision, stored with it and proved by replay. No rule reads an add-on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.evidence.care_kinds import Vaccination
from tianfu.evidence.model import Evidence, Grade
from tianfu.evidence.travel_kinds import Arrival, ZoneLevel, ZoneRelation, ZoneStay
from tianfu.status.record import DOSES_MAX

# As long as the national itinerary showed a place (行程卡, until July 2022).
TRAVEL_SHOWN: Final = timedelta(days=14)
# 中高风险区 and, before them, 封控区 and 管控区. What is only to be watched is no risk area here.
RISKY: Final = frozenset({ZoneLevel.HIGH, ZoneLevel.MEDIUM, ZoneLevel.SEALED, ZoneLevel.CONTROLLED})

_Span = tuple[datetime, datetime | None]


class AddOns(msgspec.Struct, frozen=True):
    """Doses (`DOSES_MAX` stands for as many or more), and whether the holder was in a risk area in the last 14 days.

    Without new evidence both stay as they are before `until` and one of them changes at it; None means never.
    """

    doses: int = 0
    travel: bool = False
    until: datetime | None = None


NONE: Final = AddOns()


def add_ons(evidence: Sequence[Evidence], at: datetime) -> AddOns:
    """What the standing statements about a person give at the aware instant `at`."""
    doses: list[tuple[int, _Span]] = []
    stays: list[_Span] = []
    for item in evidence:
        said = item.attributes
        if item.grade is Grade.WEAK:
            continue
        if isinstance(said, Vaccination):
            doses.append((min(said.dose, DOSES_MAX), (item.valid.start, item.valid.end)))
        elif (isinstance(said, ZoneStay) and _was_inside(said)) or (isinstance(said, Arrival) and _came_from(said)):
            stays.append((item.valid.start, _shown_until(item, said)))
    if not doses and not stays:
        return NONE
    now = _state(doses, stays, at)
    spans = [*(span for _, span in doses), *stays]
    turns = sorted({turn for span in spans for turn in span if turn is not None and turn > at})
    until = next((turn for turn in turns if _state(doses, stays, turn) != now), None)
    return AddOns(*now, until)


def _state(doses: Sequence[tuple[int, _Span]], stays: Sequence[_Span], at: datetime) -> tuple[int, bool]:
    return (
        max((dose for dose, span in doses if _holds(span, at)), default=0),
        any(_holds(span, at) for span in stays),
    )


def _holds(span: _Span, at: datetime) -> bool:
    return span[0] <= at and (span[1] is None or at < span[1])


def _was_inside(stay: ZoneStay) -> bool:
    return stay.level in RISKY and stay.relation is not ZoneRelation.SURROUNDINGS


def _came_from(arrival: Arrival) -> bool:
    return arrival.origin_level in RISKY


def _shown_until(item: Evidence, said: ZoneStay | Arrival) -> datetime | None:
    """When the stay was long enough ago; None while it lasts."""
    if isinstance(said, Arrival):
        left_at: datetime | None = said.left_origin_at or said.arrived_at
    else:
        left_at = said.left_at
    ends = None if left_at is None else left_at + TRAVEL_SHOWN
    if item.valid.end is None or ends is None:
        return ends or item.valid.end
    return min(ends, item.valid.end)
