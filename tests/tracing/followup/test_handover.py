"""Handing over: a day for the answer, nobody between two counties, a letter for another province."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.support.clock import NOON
from tests.support.database import TestServer
from tests.support.evidence import people
from tests.support.followed import COUNTY, NEIGHBOUR, ninth, open_incident, put_on_list, tasks_of
from tianfu.errors import InputInvalidError
from tianfu.ids import PersonRef
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.pseudonym import Pseudonym
from tianfu.tracing.followup import handover, handover_store, planning, store
from tianfu.tracing.followup.handover import HandoverDecidedError, HandoverNotFoundError, HandoverRefusedError
from tianfu.tracing.followup.handover_store import Handover
from tianfu.tracing.followup.letter import compose, write_letter
from tianfu.tracing.incidents import Incident

HOUR = timedelta(hours=1)
ELSEWHERE = "500103"


class Followed:
    """A county with an incident and people it follows; each test takes people of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        case, *self.persons = people(database, 31)
        self.incident = open_incident(database, [case])
        put_on_list(database, self.incident, self.persons, case=case)
        planning.plan_incident(database, self.incident, ninth, at=NOON)
        self._next = iter(self.persons)

    def take(self, count: int) -> list[PersonRef]:
        return [next(self._next) for _ in range(count)]

    def ask(self, persons: list[PersonRef], to: str = NEIGHBOUR, at: datetime = NOON, source: str = COUNTY) -> Handover:
        with self.database.write(Purpose.OPERATOR) as write:
            return handover.ask(
                write, self.incident.incident_ref, persons, from_place=source, to_place=to, by="epidemiologist", at=at
            )

    def accept(self, number: int, persons: list[PersonRef] | None = None, at: datetime = NOON + HOUR) -> Handover:
        with self.database.write(Purpose.OPERATOR) as write:
            return handover.accept(write, number, by="neighbour", at=at, persons=persons)

    def refuse(self, number: int, persons: list[PersonRef] | None = None, at: datetime = NOON + HOUR) -> Handover:
        with self.database.write(Purpose.OPERATOR) as write:
            return handover.refuse(write, number, reason="lives_elsewhere", by="neighbour", at=at, persons=persons)

    def place(self, person: PersonRef) -> str | None:
        with self.database.read(Purpose.OPERATOR) as read:
            return store.responsible(read, [person]).get(person)


@pytest.fixture(scope="module")
def followed(postgres_server: TestServer) -> Iterator[Followed]:
    name = postgres_server.create()
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as database:
        yield Followed(database)
    postgres_server.drop(name)


def test_until_the_other_county_accepts_the_first_one_answers(followed: Followed) -> None:
    taken, returned = followed.take(2)
    asked = followed.ask([taken, returned])
    assert (followed.place(taken), asked.due_at) == (COUNTY, NOON + 24 * HOUR)

    followed.accept(asked.handover_ref, [taken])
    answered = followed.refuse(asked.handover_ref, [returned])

    assert (answered.asked, answered.accepted, answered.refused) == (0, 1, 1)
    assert (followed.place(taken), followed.place(returned)) == (NEIGHBOUR, COUNTY)
    with followed.database.read(Purpose.OPERATOR) as read:
        places = read.rows("select distinct place from followup_task where person_ref = %s", (taken,))
        history = store.counties_of(read, followed.incident.incident_ref, taken)
    assert places == [(NEIGHBOUR,)]
    assert history == [(COUNTY, NOON, NOON + HOUR), (NEIGHBOUR, NOON + HOUR, None)]


def test_answering_again_changes_nothing_and_otherwise_is_refused(followed: Followed) -> None:
    persons = followed.take(1)
    asked = followed.ask(persons)
    first = followed.accept(asked.handover_ref, persons)

    assert followed.accept(asked.handover_ref, persons) == first
    with pytest.raises(HandoverDecidedError):
        followed.refuse(asked.handover_ref, persons)


def test_an_answer_is_due_in_a_day_is_reminded_of_and_then_overdue(followed: Followed) -> None:
    asked = followed.ask(followed.take(1), at=NOON + 100 * HOUR)

    def reminded(hours: int) -> bool:
        with followed.database.write(Purpose.OPERATOR) as write:
            found = handover.remind(write, NOON + (100 + hours) * HOUR)
        return asked.handover_ref in {one.handover_ref for one in found}

    def overdue(hours: int) -> bool:
        at = NOON + (100 + hours) * HOUR
        with followed.database.read(Purpose.OPERATOR) as read:
            found = handover_store.page(read, COUNTY, after=None, limit=100, open_only=True, overdue_at=at)
        return asked.handover_ref in {one.handover_ref for one in found}

    assert [reminded(hours) for hours in (19, 20, 21, 24, 30)] == [False, True, False, True, True]
    assert [overdue(hours) for hours in (23, 24)] == [False, True]
    followed.accept(asked.handover_ref)
    assert not reminded(48)
    assert not overdue(48)


def test_another_province_gets_a_letter_and_the_tasks_close_when_it_answers(followed: Followed, tmp_path: Path) -> None:
    (person,) = followed.take(1)
    asked = followed.ask([person], ELSEWHERE)
    pseudonym = Pseudonym(RecordKeys.load_or_create(tmp_path / "records.json"))
    with followed.database.read(Purpose.OPERATOR) as read:
        letter = compose(read, asked, [person], pseudonym=pseudonym, at=NOON)

    assert followed.place(person) == COUNTY
    followed.accept(asked.handover_ref)

    path = write_letter(letter, tmp_path / "letters")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == letter.content
    assert "P-" in path.read_text(encoding="utf-8-sig").splitlines()[1]
    assert (letter.people, letter.named) == (1, 0)
    with followed.database.read(Purpose.OPERATOR) as read:
        found = store.follow_up(read, followed.incident.incident_ref, person)
        states = {state for _, _, state, _ in tasks_of(read, followed.incident, person)}
    assert found is not None
    assert found.closed_reason == "handed_over"
    assert states == {"cancelled"}
    with followed.database.write(Purpose.BATCH) as write:
        store.lock(write)
        listed = [one for one in store.confirmed(write, followed.incident.incident_ref, 0, 100) if one.person == person]
        again = planning.plan_people(write, followed.incident, listed, ninth, at=NOON + 5 * HOUR)
    assert (again.begun, again.inserted) == (0, 0)


def test_nobody_is_offered_twice_or_by_a_county_that_does_not_follow_them(followed: Followed) -> None:
    persons = followed.take(1)
    asked = followed.ask(persons)

    with pytest.raises(HandoverRefusedError):
        followed.ask(persons, "510104")
    with pytest.raises(HandoverRefusedError):
        followed.ask(followed.take(1), "510104", source=NEIGHBOUR)
    with pytest.raises(HandoverNotFoundError):
        followed.accept(asked.handover_ref, followed.take(1))


@pytest.mark.parametrize("place", [COUNTY, "510100", "999999", ""])
def test_a_hand_over_goes_to_another_county_or_another_province(followed: Followed, place: str) -> None:
    with pytest.raises(InputInvalidError):
        followed.ask(followed.persons[:1], place)


def test_a_contact_who_is_dropped_is_no_longer_offered(followed: Followed) -> None:
    persons = followed.take(1)
    asked = followed.ask(persons)

    with followed.database.write(Purpose.BATCH) as write:
        store.close(write, followed.incident.incident_ref, persons, reason="dropped", at=NOON + HOUR)
        found = handover_store.find(write, asked.handover_ref)

    assert found is not None
    assert (found.asked, found.refused) == (0, 1)


COUNTIES = (COUNTY, NEIGHBOUR, "510104")


class Counties(RuleBasedStateMachine):
    """Plans, hand-overs, answers and ends in any order, over two incidents of `database`."""

    database: ClassVar[Database]

    @initialize()
    def begin(self) -> None:
        self.at = NOON
        self.asked: list[int] = []
        case, *self.persons = people(self.database, 3)
        serial = case % 900
        self.incidents: list[Incident] = []
        for county in COUNTIES[:2]:
            number = f"{2000 + case // 900}-{county}-{serial + 2:03d}"
            incident = open_incident(self.database, [case], number=number)
            put_on_list(self.database, incident, self.persons, case=case, place=county)
            self.incidents.append(incident)

    @rule(first=st.booleans())
    def plan(self, *, first: bool) -> None:
        self.at += HOUR
        planning.plan_incident(self.database, self.incidents[first], ninth, at=self.at)

    @rule(
        who=st.integers(0, 1),
        first=st.booleans(),
        source=st.sampled_from(COUNTIES),
        to=st.sampled_from([*COUNTIES, ELSEWHERE]),
    )
    def ask(self, who: int, *, first: bool, source: str, to: str) -> None:
        self.at += HOUR
        incident = self.incidents[first].incident_ref
        try:
            with self.database.write(Purpose.OPERATOR) as write:
                asked = handover.ask(
                    write, incident, [self.persons[who]], from_place=source, to_place=to, by="a", at=self.at
                )
        except (HandoverRefusedError, InputInvalidError):
            return
        self.asked.append(asked.handover_ref)

    @rule(which=st.integers(0, 9), yes=st.booleans())
    def answer(self, which: int, *, yes: bool) -> None:
        if not self.asked:
            return
        self.at += HOUR
        number = self.asked[which % len(self.asked)]
        with self.database.write(Purpose.OPERATOR) as write:
            if yes:
                handover.accept(write, number, by="b", at=self.at)
            else:
                handover.refuse(write, number, reason="no", by="b", at=self.at)

    @invariant()
    def one_county_answers(self) -> None:
        for person in getattr(self, "persons", ()):
            with self.database.read(Purpose.OPERATOR) as read:
                active = read.rows(
                    "select f.place, c.place from followup f left join followup_county c on"
                    " c.incident_ref = f.incident_ref and c.person_ref = f.person_ref and c.until is null"
                    " where f.person_ref = %s and f.closed_at is null",
                    (person,),
                )
                stray = read.value(
                    "select count(*) from followup_task t join followup f using (incident_ref, person_ref)"
                    " where t.person_ref = %s and t.state in ('planned', 'assigned')"
                    " and (t.place <> f.place or f.closed_at is not null)",
                    (person,),
                )
                periods = [store.counties_of(read, found.incident_ref, person) for found in self.incidents]
            assert len({place for row in active for place in row}) <= 1
            assert stray == 0
            assert all(_apart(before, after) for one in periods for before, after in pairwise(one))


def _apart(before: tuple[str, datetime, datetime | None], after: tuple[str, datetime, datetime | None]) -> bool:
    """Whether the one county stopped before the other began."""
    return before[2] is not None and before[2] <= after[1]


def test_at_every_moment_one_county_answers_for_a_person(followed: Followed) -> None:
    Counties.database = followed.database
    run_state_machine_as_test(
        Counties,
        settings=hypothesis_settings(max_examples=15, stateful_step_count=15, deadline=None),
    )
