"""What is stated of company after a case was expanded reaches the list without expanding everything anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support import tracing
from tests.support.merged import merge, part
from tests.support.tracing import NOON
from tianfu.evidence import ledger
from tianfu.evidence.care_kinds import Isolation, IsolationStage
from tianfu.evidence.circumstance_kinds import MemberGroup, Membership
from tianfu.evidence.kinds import Attributes
from tianfu.evidence.model import NewEvidence
from tianfu.evidence.travel_kinds import Journey, JourneyMode
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import company, run

DAY = timedelta(days=1)
STEPS = 9


class Town:
    """An incident with one case, whom everybody may come to live, learn and travel with."""

    def __init__(self, database: Database, lake: Path, count: int = 6) -> None:
        self.database, self.lake = database, lake
        self.case, *self.others = tracing.people(database, count)
        self.number = tracing.opened(database)
        tracing.add(database, self.number, self.case, NOON - 2 * DAY)
        self.traced()
        self.records = 0

    def state(self, person: PersonRef, said: Attributes, *, record: str | None = None, at: datetime = NOON) -> int:
        self.records += 1
        item = NewEvidence(
            person=person,
            source="education",
            source_record=record or f"R{self.records}",
            attributes=said,
            occurred_at=at,
            valid=Interval(NOON),
        )
        with self.database.write(Purpose.WORKER) as write:
            return ledger.append(write, [item], received_at=NOON).ids[0]

    def home(self, person: PersonRef, name: str = "H1", *, record: str | None = None, at: datetime = NOON) -> int:
        said = Membership(group=MemberGroup.HOUSEHOLD, institution=name, unit=None, began_at=NOON - 30 * DAY)
        return self.state(person, said, record=record, at=at)

    def ride(self, person: PersonRef, departed_at: datetime) -> int:
        arrived_at = departed_at + DAY
        said = Journey(mode=JourneyMode.COACH, service="G1", departed_at=departed_at, arrived_at=arrived_at)
        return self.state(person, said)

    def withdraw(self, evidence_id: int) -> None:
        with self.database.write(Purpose.WORKER) as write:
            ledger.withdraw(write, EvidenceId(evidence_id), received_at=NOON)

    def isolate(self, person: PersonRef, began_at: datetime) -> int:
        return self.state(person, Isolation(stage=IsolationStage.CENTRAL, began_at=began_at))

    def merge(self, kept: PersonRef, merged: PersonRef) -> int:
        return merge(self.database, kept, merged, NOON)

    def undo(self, merge_ref: int) -> None:
        part(self.database, merge_ref, NOON)

    def marks(self) -> int:
        """Look at all that changed; how many marks that came to."""
        marks = 0
        while True:
            with self.database.write(Purpose.WORKER) as write:
                done = company.follow(write, at=NOON)
            marks += done.marks
            if not done.changes:
                return marks

    def traced(self, *, everything: bool = False) -> int:
        return tracing.traced(self.database, self.lake, self.number, everything=everything).expanded

    def listed(self) -> list[tuple[object, ...]]:
        return tracing.listed(self.database, self.number)

    def people(self) -> list[object]:
        self.marks()
        self.traced()
        return [row[0] for row in self.listed()]


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return Town(database, tmp_path)


def test_who_is_stated_to_live_with_a_case_later_is_listed_and_leaves_with_the_statement(town: Town) -> None:
    mother, child = town.others[:2]
    town.home(town.case)
    assert town.people() == []

    statement = town.home(mother)
    town.home(child, "H2")
    assert town.people() == [mother]
    own = town.home(town.case, "H2")
    assert town.people() == [mother, child]

    town.withdraw(statement)
    assert town.people() == [child]
    town.withdraw(own)
    assert town.people() == []


def test_a_statement_that_now_names_somebody_else_moves_both(town: Town) -> None:
    wrong, right = town.others[:2]
    town.home(town.case)
    town.home(wrong, record="doubtful")
    assert town.people() == [wrong]

    town.home(right, record="doubtful", at=NOON + DAY)

    assert town.people() == [right]


def test_company_of_a_contact_and_their_isolation_reach_the_second_hop(town: Town) -> None:
    mother, colleague = town.others[:2]
    town.home(town.case)
    town.home(mother)
    town.home(mother, "H2")
    assert town.people() == [mother]

    town.home(colleague, "H2")
    assert town.people() == [mother, colleague]
    isolation = town.isolate(mother, NOON - 3 * DAY)
    assert town.people() == [mother]
    town.withdraw(isolation)
    assert town.people() == [mother, colleague]


def test_merged_people_are_one_row_until_it_is_undone(town: Town) -> None:
    card, passport = town.others[:2]
    for person in (town.case, card, passport):
        town.home(person)
    assert town.people() == [card, passport]

    number = town.merge(card, passport)
    assert town.people() == [card]
    town.undo(number)
    assert town.people() == [card, passport]


def test_what_concerns_nobody_marks_and_expands_nothing(town: Town) -> None:
    stranger, other, traveller, mother = town.others[:4]
    town.home(town.case)
    town.home(mother)
    assert town.people() == [mother]
    town.ride(town.case, NOON - DAY)
    assert town.marks() == 1
    town.traced()

    town.home(stranger, "H9")
    town.isolate(other, NOON - DAY)
    # The same coach ten days before is another one.
    town.ride(traveller, NOON - 11 * DAY)
    # Nobody is gone on from in the last hop, so isolation there changes nothing.
    town.home(mother, "H2")
    town.home(other, "H2")
    assert town.people() == [other, mother]
    town.isolate(other, NOON - 2 * DAY)

    assert town.marks() == 0
    assert town.traced() == 0


def test_without_an_open_incident_changes_are_only_forgotten(town: Town) -> None:
    town.home(town.case)
    with town.database.write(Purpose.OPERATOR) as write:
        write.execute("update incident set closed_at = %s, closed_by = 'a'", (NOON,))

    assert town.marks() == 0
    with town.database.read(Purpose.WORKER) as read:
        assert read.value("select count(*) from company_change") == 0


def test_what_is_stated_while_a_run_goes_on_is_left_to_the_next(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    mother, child = town.others[:2]
    town.home(town.case)
    town.home(mother)
    expand_all: Callable[..., object] = run._expand_all

    def and_then(*given: object) -> object:
        found = expand_all(*given)
        town.home(child)
        town.marks()
        return found

    town.marks()
    with monkeypatch.context() as patched:
        patched.setattr(run, "_expand_all", and_then)
        town.traced()
    assert [row[0] for row in town.listed()] == [mother]

    assert town.traced() == 1
    assert [row[0] for row in town.listed()] == [mother, child]
    assert town.traced() == 0


def test_after_any_changes_the_list_is_the_one_made_from_scratch(database: Database, tmp_path: Path) -> None:
    town = Town(database, tmp_path, 7)
    dice = random.Random(2)
    everybody = [town.case, *town.others]
    statements = [town.home(person) for person in everybody[:3]] + [town.home(everybody[2], "H2")]
    merged: list[int] = []
    lists = set()
    for _ in range(STEPS):
        match dice.choice(["home", "home", "withdraw", "isolate", "merge"]):
            case "withdraw" if statements:
                town.withdraw(statements.pop(dice.randrange(len(statements))))
            case "isolate":
                statements.append(town.isolate(dice.choice(town.others), NOON - dice.randrange(1, 4) * DAY))
            case "merge" if merged:
                town.undo(merged.pop())
            case "merge":
                merged.append(town.merge(*dice.sample(everybody, 2)))
            case _:
                statements.append(town.home(dice.choice(everybody), dice.choice(["H1", "H2"])))
        town.marks()
        town.traced()
        found = town.listed()
        town.traced(everything=True)
        assert found == town.listed()
        lists.add(tuple(row[0] for row in found))
    assert len(lists) >= 3
