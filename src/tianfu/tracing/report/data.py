"""What the report shows, collected: a few numbers, days, counties, steps, and cases as references."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from tianfu.access.places import divisions
from tianfu.clock import SHANGHAI
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Read
from tianfu.tracing.exports.columns import word
from tianfu.tracing.incidents import Incident
from tianfu.tracing.report import store
from tianfu.tracing.report.seats import SEATS
from tianfu.tracing.report.words import words
from tianfu.tracing.screening import screenings
from tianfu.tracing.screening.screenings import ScreeningNotFoundError

# More points than a reader can tell apart; the line list has them all.
CASES_MAX: Final = 1_000
TIERS: Final = ("close", "secondary", "copresent", "general")


class CaseNode(msgspec.Struct, frozen=True, kw_only=True):
    """A case. `at` is where its infectious time begins, in Beijing time; `through` the case it was a contact of."""

    reference: str
    county: str
    at: str
    through: str | None
    tier: str | None
    setting: str | None
    traced: int


class DayCounts(msgspec.Struct, frozen=True):
    """One day: new cases, first exposures by tier."""

    day: str
    cases: int
    exposed: dict[str, int]


class CountyPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One county of the province: its seat, cases in it, people listed in it by tier."""

    code: str
    name: str
    longitude: float
    latitude: float
    cases: int
    listed: int
    tiers: dict[str, int]


class FunnelStep(msgspec.Struct, frozen=True):
    """One step of a funnel: people left after it, added and removed by it."""

    name: str
    after: int
    added: int
    removed: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers at the top. `unplaced` is how many of the listed live nobody knows where, or outside the province."""

    cases: int
    known_before: int
    listed: int
    unplaced: int
    tiers: dict[str, int]
    states: dict[str, int]
    announced: int
    withheld: int
    scanned: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the page."""

    language: str
    words: dict[str, str]
    incident: Incident
    run: store.RunRow | None
    made_at: datetime
    totals: Totals
    cases: tuple[CaseNode, ...]
    days: tuple[DayCounts, ...]
    tiers: tuple[str, ...]
    counties: tuple[CountyPoint, ...]
    funnel: tuple[FunnelStep, ...]


def collect(read: Read, incident: Incident, *, language: str, at: datetime) -> Report:
    """The report of `incident` as of its last run and its last screening, if there was one."""
    key = incident.incident_ref
    found = store.cases(read, key, CASES_MAX)
    by_day = store.cases_by_day(read, key)
    places = store.by_place(read, key)
    announced, withheld = store.announcements(read, key)
    run = store.run(read, key)
    tiers, states = Counter[str](), Counter[str]()
    for _, tier, state, people in places:
        tiers[tier] += people
        states[state] += people
    counties = _counties(places, Counter(row.place for row in found))
    return Report(
        language=language,
        words=words(language),
        incident=incident,
        run=run,
        made_at=at,
        totals=Totals(
            cases=sum(by_day.values()),
            known_before=sum(row.through is not None for row in found),
            listed=sum(tiers.values()),
            unplaced=sum(tiers.values()) - sum(county.listed for county in counties),
            tiers=dict(tiers),
            states=dict(states),
            announced=announced,
            withheld=withheld,
            scanned=0 if run is None else run.scanned,
        ),
        cases=tuple(_case(row, language) for row in found),
        days=_days(by_day, store.exposed_by_day(read, key)),
        tiers=tuple(tier for tier in TIERS if tiers[tier]),
        counties=counties,
        funnel=_funnel(read, incident, language),
    )


def _funnel(read: Read, incident: Incident, language: str) -> tuple[FunnelStep, ...]:
    """The steps of the last screening's newest run, without those that were undone; none without a screening."""
    try:
        summary = screenings.current(read, incident).summary
    except ScreeningNotFoundError:
        return ()
    return tuple(
        FunnelStep(step.zh if language == "zh" else step.en, step.after, step.added, step.removed)
        for step in summary.steps
        if not step.undone
    )


def _case(row: store.CaseRow, language: str) -> CaseNode:
    return CaseNode(
        reference=format_person_ref(PersonRef(row.person)),
        county=_county(row.place),
        at=row.infectious_from.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
        through=None if row.through is None else format_person_ref(PersonRef(row.through)),
        tier=None if row.tier is None else word("tier", row.tier, language),
        setting=None if row.setting is None else word("setting", row.setting, language),
        traced=row.traced,
    )


def _days(cases: dict[date, int], exposed: Sequence[tuple[date, str, int]]) -> tuple[DayCounts, ...]:
    """Every day from the first to the last on which something happened, the empty ones too."""
    by_day: dict[date, dict[str, int]] = defaultdict(dict)
    for day, tier, people in exposed:
        by_day[day][tier] = people
    happened = {*cases, *by_day}
    if not happened:
        return ()
    first, last = min(happened), max(happened)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(DayCounts(day.isoformat(), cases.get(day, 0), by_day.get(day, {})) for day in days)


def _counties(
    places: Sequence[tuple[str | None, str, str, int]], cases: Counter[str | None]
) -> tuple[CountyPoint, ...]:
    tiers: dict[str, Counter[str]] = defaultdict(Counter)
    for place, tier, _, people in places:
        if place is not None and place in SEATS:
            tiers[place][tier] += people
    codes = sorted({*tiers, *(place for place in cases if place is not None and place in SEATS)})
    return tuple(
        CountyPoint(
            code=code,
            name=divisions().get(code, code),
            longitude=SEATS[code][0],
            latitude=SEATS[code][1],
            cases=cases[code],
            listed=sum(tiers[code].values()),
            tiers=dict(tiers[code]),
        )
        for code in codes
    )


def _county(place: str | None) -> str:
    return "" if place is None else divisions().get(place, place)
