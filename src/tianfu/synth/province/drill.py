"""The drill: a local outbreak, screened from the roaming list down, scored against the true chain. Pure.

Some days after the first positive result the cases known by then are traced and screened with the departments' records
and a published funnel; the truth only scores it. Scored are the *later positives*: people infected by then whom nobody
knows yet. One could have been *seen* when at least one record of a source places them with a case known by then:
`named` by a scan at one venue, a seat in one carriage, a household, a class or a room, in the time that the rules call
the case infectious; or by the carriers alone, in one cell for more than ten minutes within two weeks. The others no
source could see: who infected them is not known yet either, or nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import People
from tianfu.synth.province import outbreak, sources, world
from tianfu.synth.province.disease import DAY, FAR
from tianfu.synth.province.model import Flags, Settings, lake_person
from tianfu.synth.province.outbreak import Outbreak, Plan
from tianfu.synth.province.testing import ROUND_DAYS
from tianfu.synth.province.world import World
from tianfu.tracing.model import Reach
from tianfu.tracing.screening import funnel as screening
from tianfu.tracing.screening.definition import Funnel
from tianfu.tracing.screening.funnel import Screening
from tianfu.tracing.screening.model import GROUNDS_END, PASSING_END, Facts, Said

# Screened so many days after the first positive result; the funnel is over when the last round of tests is.
SCREENED_DAYS: Final = 3
OVER_DAYS: Final = ROUND_DAYS[-1] + 2
# An outbreak that did not take hold is no drill: the next one of the same seed is taken.
KNOWN_LEAST: Final = 15
LATER_LEAST: Final = 8
ATTEMPTS_MAX: Final = 12


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One step: how many are on the list after it, and how many of the later positives.

    `named` and `telecom` are those of `Drill.named` and `Drill.telecom` that are still on it, or handed over.
    """

    step: str
    people: int
    later: int
    named: int
    telecom: int
    milliseconds: int


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One drill. `known` cases at the screening; `later` positives, of them `named`, seen by `telecom` alone, `unseen`.

    `attempt` is which outbreak of the seed took hold; `people` how many the place has. Seconds: `simulated` for the
    world and its outbreak, `recorded` for the departments' records, `screened` for the funnel.
    """

    seed: int
    attempt: int
    funnel: str
    people: int
    known: int
    later: int
    named: int
    telecom: int
    unseen: int
    steps: tuple[Score, ...]
    simulated: float
    recorded: float
    screened: float

    @property
    def lost_named(self) -> int:
        """Later positives that a naming source could have seen and the funnel does not have at its end."""
        return self.named - self.steps[-1].named

    @property
    def lost_telecom(self) -> int:
        """The same of those that only the carriers could have seen."""
        return self.telecom - self.steps[-1].telecom


class Ground(NamedTuple):
    """A world with an outbreak that took hold, ready to be screened."""

    world: World
    spread: Outbreak
    as_of: int
    attempt: int


def ground(settings: Settings, plan: Plan) -> Ground:
    """The first outbreak of the seed in which enough is known and enough is not, three days after the first result.

    Raises `ValueError` when none of `ATTEMPTS_MAX` took hold, which means that the place is too small for one.
    """
    made = world.make(settings)
    for attempt in range(ATTEMPTS_MAX):
        spread = outbreak.spread(made, plan._replace(meets_days=SCREENED_DAYS, attempt=attempt))
        as_of = spread.alarm_at + SCREENED_DAYS * DAY
        if spread.alarm_at == FAR or as_of >= (made.settings.day_number(0) + made.settings.days) * DAY:
            continue
        known = int(np.count_nonzero(spread.infections.resulted_at <= as_of))
        if known >= KNOWN_LEAST and len(_later(spread, as_of)) >= LATER_LEAST:
            return Ground(made, spread, as_of, attempt)
    message = f"no outbreak of seed {settings.seed} took hold in {ATTEMPTS_MAX} attempts"
    raise ValueError(message)


def records(made: Ground, reach: Reach, *, look_back_days: int) -> Facts:
    """What the sources say about the cases known at the screening."""
    cases = sources.windows(made.spread.infections, as_of=made.as_of, look_back_days=look_back_days)
    found = sources.records(made.world, made.spread, cases, as_of=made.as_of, reach=reach)
    until = made.spread.alarm_at + OVER_DAYS * DAY
    return sources.facts(made.world, made.spread, cases, found, as_of=made.as_of, until=until)


def run(
    settings: Settings,
    plan: Plan,
    funnels: tuple[Funnel, ...],
    reach: Reach,
    *,
    look_back_days: int,
    seconds: Callable[[], float],
) -> tuple[Drill, ...]:
    """One seed, screened with each of `funnels`. A million people take about half a minute."""
    began = seconds()
    made = ground(settings, plan)
    simulated = seconds()
    facts = records(made, reach, look_back_days=look_back_days)
    recorded = seconds()
    drills = []
    for funnel in funnels:
        start = seconds()
        result = screening.run(funnel, facts, seconds=seconds)
        drills.append(
            score(
                settings.seed,
                made,
                facts,
                funnel.name,
                result,
                (simulated - began, recorded - simulated, start, seconds()),
            )
        )
    return tuple(drills)


def score(
    seed: int, made: Ground, facts: Facts, name: str, result: Screening, times: tuple[float, float, float, float]
) -> Drill:
    """How a screening did against the truth."""
    later = _later(made.spread, made.as_of)
    named = _among(later, facts.scans.person, facts.groups.person, facts.seats.person[facts.seats.same_unit != 0])
    telecom = _among(later, facts.companions.person) & ~named
    position = np.minimum(np.searchsorted(result.person, later), max(0, len(result.person) - 1))
    pictured = result.person[position] == later if len(result.person) else np.zeros(len(later), np.bool_)
    steps = []
    for number, listed in enumerate(_listed(result)):
        on = pictured & listed[position]
        steps.append(
            Score(
                step=result.results[number].name,
                people=result.results[number].after,
                later=int(on.sum()),
                named=int((on & named).sum()),
                telecom=int((on & telecom).sum()),
                milliseconds=result.results[number].milliseconds,
            )
        )
    return Drill(
        seed=seed,
        attempt=made.attempt,
        funnel=name,
        people=made.world.settings.people,
        known=len(facts.cases),
        later=len(later),
        named=int(named.sum()),
        telecom=int(telecom.sum()),
        unseen=int((~named & ~telecom).sum()),
        steps=tuple(steps),
        simulated=times[0],
        recorded=times[1],
        screened=times[3] - times[2],
    )


def _later(spread: Outbreak, as_of: int) -> People:
    """Whom nobody knows at `as_of` although they are infected, by their numbers in the lake, sorted."""
    rows = spread.infections
    return np.sort(lake_person(rows.person[(rows.at < as_of) & (rows.resulted_at > as_of)]))


def _among(people: People, *lists: People) -> Flags:
    found: Flags = np.isin(people, np.concatenate(lists))
    return found


def _listed(result: Screening) -> NDArray[np.bool_]:
    """Who is on the list after each step [steps, people]; who was handed over still is, at another place."""
    listed = np.zeros(len(result.person), np.bool_)
    after = np.zeros((len(result.history), len(listed)), np.bool_)
    for number, said in enumerate(result.history):
        listed = (listed | ((said > 0) & (said < GROUNDS_END))) & ~((said >= PASSING_END) & (said != Said.HANDED_OVER))
        after[number] = listed
    return after
