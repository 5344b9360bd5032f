"""Three weeks of a small province under every rule set, told twice: by the real engine and by the plain reading.

Nothing here is drawn by hypothesis: an outbreak with its tests, contacts, risk areas and orders, delivered late and out
of order, the same for every run.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest

from tests.support.histories import BEGINNING
from tests.support.plain_engine import plain_next, plain_state, state_of
from tests.support.stories import told_statement
from tianfu.evidence.model import Evidence
from tianfu.ids import EvidenceId
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.decide import decide
from tianfu.policy.load import load
from tianfu.policy.model import Decision

POLICIES = sorted((PROJECT_ROOT / "policies").glob("*.toml"))
PEOPLE = 150
DAYS = 21
# The month in which most published sets apply.
FIRST_DAY = BEGINNING + timedelta(days=265)
PLACES = ["510104", "510722", "511602", "511502", None]
HOUR = timedelta(hours=1)


class Province:
    """What happens, day by day. `told` are statements with the instant at which they reach the ledger."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.told: list[tuple[datetime, int, dict[str, Any]]] = []
        self.homes = [self.dice.choice(PLACES) for _ in range(PEOPLE)]
        self.records = 0

    def tell(self, person: int, at: datetime, record: str | None = None, **said: Any) -> str:  # noqa: ANN401 - any kind
        """Something is stated about a person and arrives up to two days later; its source's key."""
        self.records += 1
        record = record or f"R-{self.records}"
        late = at + self.dice.choice([1, 1, 1, 2, 20, 48]) * HOUR
        self.told.append((late, person, {"record": record, "place": self.homes[person], **said}))
        return record

    def live(self, day: int) -> None:
        morning = FIRST_DAY + timedelta(days=day)
        for person in range(PEOPLE):
            at = morning + timedelta(minutes=self.dice.randrange(24 * 60))
            if self.dice.random() < 0.15:
                ill = ["fever"] if self.dice.random() < 0.1 else []
                self.tell(person, at, declaration={"declared_at": at, "symptoms": ill}, source="self")
            if self.dice.random() < 0.3:
                self.sample(person, at)
            self.travel(person, at)
        for person in self.dice.sample(range(PEOPLE), 3):
            self.circumstance(person, morning + 9 * HOUR)

    def sample(self, person: int, at: datetime) -> None:
        tube: dict[str, Any] = {
            "sampled_at": at,
            "method": "nucleic_acid",
            "laboratory": self.dice.choice(["51-1", "51-2"]),
        }
        tube["pooled"] = self.dice.random() < 0.4
        self.tell(person, at, sampling=tube)
        result = self.dice.choices(["negative", "positive", "indeterminate"], [97, 2, 1])[0]
        resulted_at = at + self.dice.randrange(2, 30) * HOUR
        self.tell(person, resulted_at, test={**tube, "result": result, "resulted_at": resulted_at})
        if result == "positive" and not tube["pooled"]:
            self.infection(person, at, resulted_at)

    def infection(self, person: int, infected_at: datetime, known_at: datetime) -> None:
        case = {"status": "confirmed", "diagnosed_at": known_at}
        record = self.tell(person, known_at, case=case)
        home = known_at + timedelta(days=self.dice.randrange(6, 12))
        self.tell(person, home, record, case={**case, "status": "discharged", "discharged_at": home}, occurred_at=home)
        for other in self.dice.sample(range(PEOPLE), 4):
            tier = self.dice.choice(["close", "close", "copresent", "general"])
            facts = {"last_exposure_at": infected_at, "designated_at": known_at + 3 * HOUR}
            parent = self.tell(other, known_at + 3 * HOUR, contact={**facts, "tier": tier})
            if tier == "close":
                third = self.dice.randrange(PEOPLE)
                mine = self.tell(third, known_at, contact={**facts, "tier": "secondary", "parent": parent})
                for day in (1, 4):
                    at = known_at + timedelta(days=day)
                    result = self.dice.choice(["negative", "negative", "positive"])
                    test = {"contact": mine, "result": result, "method": "nucleic_acid", "sampled_at": at}
                    self.tell(third, at, parent_test={**test, "last_exposure_at": infected_at, "laboratory": "51-1"})
            if self.dice.random() < 0.2:
                cleared = {"of": "contact", "judged_at": known_at + 30 * HOUR, "record": parent}
                self.tell(other, known_at + 30 * HOUR, clearance=cleared)

    def travel(self, person: int, at: datetime) -> None:
        chance = self.dice.random()
        if chance < 0.02:
            channel = self.dice.choice(["entry_point", "report", "telecom", "transport"])
            level = self.dice.choice([None, "high", "medium", "low"])
            arrival = {"arrived_at": at, "channel": channel, "left_origin_at": at - 5 * HOUR}
            self.tell(person, at, arrival=arrival | ({"origin_level": level} if level else {}))
        elif chance < 0.025:
            end = at + timedelta(days=7)
            destination = self.dice.choice(["in_province", "elsewhere"])
            entry = {"entered_at": at, "destination": destination, "isolation_ended_at": end}
            self.tell(person, at, border_entry=entry)
        elif chance < 0.04:
            self.zone(person, at)

    def zone(self, person: int, at: datetime) -> None:
        facts: dict[str, Any] = {"zone": "Z-1", "relation": self.dice.choice(["inside", "surroundings", "resident"])}
        facts["designated_at"] = at
        levels = self.dice.choice([["high", "medium", "lifted"], ["sealed", "controlled", "lifted"], ["low"]])
        record = None
        for step, level in enumerate(levels):
            since = at + timedelta(days=5 * step)
            stay = {**facts, "level": level, "level_since": since, "left_at": at + 30 * HOUR}
            record = self.tell(person, since, record, zone_stay=stay)

    def circumstance(self, person: int, at: datetime) -> None:
        elsewhere = self.dice.choice(["red", "yellow", "green"])
        level = self.dice.choice(["red", "yellow"])
        end = at + timedelta(days=self.dice.randrange(1, 9))
        said: dict[str, Any] = self.dice.choice(
            [
                {"letter": {"names": self.dice.choice(["close", "copresent", "zone"]), "issued_at": at}},
                {"emergency": {"level": level, "ordered_at": at, "ends_at": end}},
                {"test_duty": {"group": "market", "every_days": 3, "starts_at": at}},
                {"colour_elsewhere": {"colour": elsewhere, "stated_at": at}},
                {"medicine": {"bought_at": at}},
                {"fever_visit": {"visited_at": at}},
                {"isolation": {"stage": self.dice.choice(["central", "home"]), "began_at": at, "ended_at": end}},
            ]
        )
        self.tell(person, at, **said)


@cache
def deliveries() -> list[list[tuple[int, Evidence]]]:
    """For each day what reaches the ledger, in the order of arrival."""
    province = Province(2022)
    for day in range(DAYS):
        province.live(day)
    days: list[list[tuple[int, Evidence]]] = [[] for _ in range(DAYS)]
    province.dice.shuffle(province.told)
    for number, (late, person, said) in enumerate(province.told, start=1):
        day = (late - FIRST_DAY).days
        if day < DAYS:
            statement = told_statement({"id": number, "received_at": late, **said})
            days[day].append((person, statement))
    return days


def renumbered(statement: Evidence, number: int) -> Evidence:
    return msgspec.structs.replace(statement, evidence_id=EvidenceId(number))


@pytest.mark.parametrize("path", POLICIES, ids=[path.stem for path in POLICIES])
def test_every_day_both_readings_agree_about_everybody(path: Any) -> None:  # noqa: ANN401 - a path
    policy = load(path)
    ledger: dict[int, list[Evidence]] = defaultdict(list)
    yesterday: dict[int, Decision] = {}
    seen: set[str | None] = set()
    number = 0
    for day, delivered in enumerate(deliveries()):
        at = FIRST_DAY + timedelta(days=day + 1)
        heard_of = set()
        for person, statement in delivered:
            number += 1
            ledger[person].append(renumbered(statement, number))
            heard_of.add(person)
        for person, evidence in ledger.items():
            decision = decide(policy, evidence, at)
            if person in heard_of:
                assert state_of(decision) == plain_state(policy.rule_set, evidence, at)
            else:
                kept = yesterday[person]
                if kept.next_change_at is None or at < kept.next_change_at:
                    assert decision == msgspec.structs.replace(kept, at=at)
                else:
                    assert state_of(decision) == plain_state(policy.rule_set, evidence, at)
            if person % 10 == day % 10:
                assert decision.next_change_at == plain_next(policy.rule_set, evidence, at)
            yesterday[person] = decision
            seen |= {decision.colour.value, *(popup.popup for popup in decision.popups)}
    assert len(seen) > 1, "nobody was ever anything but green"
