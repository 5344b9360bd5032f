from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from tests.support.clock import NOON
from tests.support.evidence import case, lab_test, people
from tests.support.status import append, colours, core_policy, next_policy, recompute_all, statuses
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform import jobs
from tianfu.platform.database import Database, Purpose
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision
from tianfu.status import recompute, takeover
from tianfu.status.takeover import Takeover


def run(takeover_run: Takeover, policy: Policy, at: datetime = NOON) -> int:
    """Steps until nobody is left."""
    steps = 0
    while takeover_run.step(policy, at) is not None:
        steps += 1
    return steps


def numbers(database: Database, persons: list[PersonRef]) -> set[int]:
    return {status.decision.policy_number for status in statuses(database, persons).values()}


def job_states(database: Database) -> list[tuple[str, int]]:
    with database.read(Purpose.WORKER) as read:
        return sorted((line.state, line.count) for line in jobs.overview(read))


@pytest.fixture
def persons(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[PersonRef]:
    """Seven people decided by the first policy, and steps of three."""
    monkeypatch.setattr(takeover, "STEP_PEOPLE", 3)
    found = people(database, 7)
    append(database, case(found[0], "C1"), *(lab_test(person, f"L{person}") for person in found[1:]))
    recompute_all(database)
    return found


def test_a_new_policy_takes_over_everybody_in_steps(database: Database, persons: list[PersonRef]) -> None:
    steps = run(Takeover(database), next_policy())

    assert steps == 3
    assert numbers(database, persons) == {next_policy().number}
    assert colours(database, persons) == ["red", *["green"] * 6]
    assert job_states(database) == [("done", 1)]


def test_with_nobody_to_take_over_there_is_no_job(database: Database, persons: list[PersonRef]) -> None:
    assert run(Takeover(database), core_policy()) == 0
    assert numbers(database, persons) == {core_policy().number}
    assert job_states(database) == []


def test_progress_says_how_many_are_done_of_how_many(database: Database, persons: list[PersonRef]) -> None:
    under_way = Takeover(database)

    under_way.step(next_policy(), NOON)
    under_way.step(next_policy(), NOON)

    progress = under_way.progress()
    assert (progress.done, progress.total, progress.after) == (6, 7, persons[5])


def test_after_a_crash_another_worker_goes_on_at_the_checkpoint(database: Database, persons: list[PersonRef]) -> None:
    crashed = Takeover(database)
    crashed.step(next_policy(), NOON)
    later = NOON.replace(hour=NOON.hour + 1)

    resumed = Takeover(database)
    resumed.step(next_policy(), later)

    assert resumed.progress().done == 6
    assert run(resumed, next_policy(), later) == 1
    assert numbers(database, persons) == {next_policy().number}


def test_a_worker_that_lost_its_job_undoes_the_step(database: Database, persons: list[PersonRef]) -> None:
    paused = Takeover(database)
    paused.step(next_policy(), NOON)
    other = Takeover(database)
    other.step(next_policy(), NOON.replace(hour=NOON.hour + 1))

    with pytest.raises(jobs.JobLostError):
        paused.step(next_policy(), NOON)

    assert len(numbers(database, persons)) == 2


def test_a_policy_replaced_before_it_took_over_is_forgotten(database: Database, persons: list[PersonRef]) -> None:
    under_way = Takeover(database)
    under_way.step(next_policy(), NOON)

    run(under_way, core_policy(), NOON.replace(hour=NOON.hour + 1))

    assert numbers(database, persons) == {core_policy().number}


def test_people_whose_decision_fails_do_not_stop_a_takeover(
    database: Database, persons: list[PersonRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_the_case(policy: Policy, evidence: Sequence[Evidence], at: datetime) -> Decision:
        if any(item.source_record == "C1" for item in evidence):
            raise ZeroDivisionError
        return decide(policy, evidence, at)

    with monkeypatch.context() as patched:
        patched.setattr(recompute, "decide", fails_for_the_case)
        run(Takeover(database), next_policy())
    assert numbers(database, persons) == {core_policy().number, next_policy().number}

    recompute_all(database, NOON + recompute.RETRY_AFTER, next_policy())

    assert numbers(database, persons) == {next_policy().number}
