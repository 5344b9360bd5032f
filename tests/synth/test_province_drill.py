from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from tests.support.town import FUNNELS, reach
from tianfu.synth.province import drill, drill_report, sources
from tianfu.synth.province.drill import Drill, Score
from tianfu.synth.province.model import Settings
from tianfu.synth.province.outbreak import Plan
from tianfu.tracing.screening import funnel, funnel_files

SETTINGS = Settings(people=12_000, days=24, seed=2, first_day=date(2021, 10, 11))
PLAN = Plan(imported=8, vigour=2.5)


@pytest.fixture(scope="module", name="ground")
def _ground() -> drill.Ground:
    return drill.ground(SETTINGS, PLAN)


@pytest.fixture(scope="module", name="drills")
def _drills(ground: drill.Ground) -> tuple[Drill, ...]:
    facts = drill.records(ground, reach(), look_back_days=4)
    found = []
    for name in ("nobody-by-silence", "wide-to-field"):
        result = funnel.run(funnel_files.find(FUNNELS, name).funnel, facts)
        found.append(drill.score(2, ground, facts, name, result, (1.0, 2.0, 3.0, 4.0)))
    return tuple(found)


def test_the_careful_funnel_loses_nobody_whom_a_source_could_have_seen(drills: tuple[Drill, ...]) -> None:
    careful = drills[0]
    assert careful.named + careful.telecom + careful.unseen == careful.later >= drill.LATER_LEAST
    assert careful.named > 0
    assert (careful.lost_named, careful.lost_telecom) == (0, 0)
    # From nearly everybody with a phone to a small part of them.
    assert careful.steps[0].people > 0.7 * SETTINGS.people
    assert careful.steps[-1].people < 0.2 * SETTINGS.people


def test_what_the_list_has_of_the_later_positives_is_never_more_than_there_are(drills: tuple[Drill, ...]) -> None:
    for one in drills:
        for step in one.steps:
            assert 0 <= step.named <= one.named
            assert 0 <= step.telecom <= one.telecom
            assert step.named + step.telecom <= step.later <= min(one.later, step.people)


def test_a_later_positive_is_infected_by_then_and_not_known(ground: drill.Ground) -> None:
    rows = ground.spread.infections
    cases = sources.windows(rows, as_of=ground.as_of, look_back_days=4)
    known = set(cases.person.tolist())
    later = {int(person) - 1 for person in drill._later(ground.spread, ground.as_of)}
    assert known | later == set(rows.person[rows.at < ground.as_of].tolist())
    assert not known & later
    assert (cases.since < cases.until).all()
    assert (cases.since % 1440 == 0).all()


def test_an_outbreak_that_never_takes_hold_is_said_and_not_scored() -> None:
    with pytest.raises(ValueError, match="took hold"):
        drill.ground(Settings(people=200, days=4, seed=1), Plan(imported=1))


def made_up(seed: int, last: int, lost: int) -> Drill:
    steps = (
        Score(step="roaming", people=1000 * seed, later=9, named=5, telecom=2, milliseconds=1),
        Score(step="tests", people=last, later=10 - lost, named=6 - lost, telecom=3, milliseconds=1),
    )
    return Drill(
        seed=seed,
        attempt=0,
        funnel="one",
        people=5000,
        known=3,
        later=10,
        named=6,
        telecom=3,
        unseen=1,
        steps=steps,
        simulated=1,
        recorded=1,
        screened=1,
    )


def test_the_report_has_the_spread_over_the_seeds_and_counts_the_lost() -> None:
    (summary,) = drill_report.summaries([made_up(1, 40, 0), made_up(2, 60, 1), made_up(4, 80, 0)])
    assert summary.lost_named == 1
    assert summary.lost_telecom == 0
    assert summary.lines[0].people == drill_report.Spread(1000, 2000, 4000)
    assert summary.lines[1].per_positive.least == pytest.approx(4)
    assert summary.lines[1].recall.least == pytest.approx(0.9)
    assert summary.lines[1].lost_named == 1


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = drill_report.page([made_up(1, 40, 0)])
    assert page.startswith("<!doctype html>")
    assert "http" not in page
    assert "<script" not in page
    assert "1 of 6" in drill_report.text([made_up(1, 40, 1)])


def test_a_drill_of_a_seed_is_the_same_again(ground: drill.Ground) -> None:
    again = drill.ground(SETTINGS, PLAN)
    assert again.as_of == ground.as_of
    assert np.array_equal(again.spread.infections.at, ground.spread.infections.at)
