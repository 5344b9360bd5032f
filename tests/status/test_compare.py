from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import pytest

from tests.support.clock import NOON
from tests.support.evidence import case, contact, lab_test, people
from tests.support.status import append, core_policy, next_policy
from tianfu.colour import Colour
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.policy.compare import ColourMove, DistrictMove, Move, Report, Tally
from tianfu.policy.compile import Policy, compile_policy
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision
from tianfu.status import compare


def without_contacts() -> Policy:
    """The core set without its rule for close contacts."""
    rules = core_policy().rule_set
    left = tuple(rule for rule in rules.rule if rule.id != "close-contact")
    return compile_policy(msgspec.structs.replace(rules, rule=left), digest="0" * 64, body=b"")


def compared(database: Database, new: Policy) -> Report:
    tally = Tally()
    for _ in compare.compare(database, core_policy(), new, NOON, tally):
        pass
    return tally.report()


def live_in(database: Database, person: PersonRef, district: str) -> None:
    with database.write(Purpose.WORKER) as write:
        write.execute(
            """
            insert into resident (person_ref, document_type, name_sealed, document_sealed, phone_sealed, phone_index,
                                  seal_key, district, proofing_provider, proofing_reference, claimed_at)
            values (%s, 'passport', '', '', '', decode(repeat('00', 32), 'hex'), 'k', %s, 'x', 'x', %s)
            """,
            (person, district, NOON),
        )


def test_everybody_is_counted_where_they_live_or_else_where_it_happened(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "CHUNK_PEOPLE", 2)
    resident, traveller, ill, unknown, _ = people(database, 5)
    live_in(database, resident, "511502")
    append(
        database,
        contact(resident, "K1"),
        contact(traveller, "K2"),
        lab_test(traveller, "L1"),
        case(ill, "C1"),
        contact(unknown, "K3"),
    )

    report = compared(database, without_contacts())

    assert (report.people, report.changed, report.colour_changed, report.worse) == (4, 3, 3, 0)
    assert report.colours == (ColourMove(Colour.RED, Colour.RED, 1), ColourMove(Colour.RED, Colour.GREEN, 3))
    assert report.rules == (Move("close-contact", gained=0, lost=3),)
    assert report.popups == ()
    assert set(report.districts) == {
        DistrictMove("511502", people=1, changed=1, worse=0),
        DistrictMove("510104", people=1, changed=1, worse=0),
        DistrictMove("unknown", people=2, changed=1, worse=0),
    }


def test_another_number_changes_nobody(database: Database) -> None:
    append(database, *(contact(person, f"K{person}") for person in people(database, 3)))

    report = compared(database, next_policy())

    assert (report.people, report.changed) == (3, 0)
    assert report.colours == (ColourMove(Colour.RED, Colour.RED, 3),)


def test_whoever_cannot_be_decided_is_counted_and_stops_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, fine = people(database, 2)
    append(database, contact(odd, "K1"), contact(fine, "K2"))

    def fails_for_one(policy: Policy, evidence: Sequence[Evidence], at: datetime) -> Decision:
        if evidence[0].person == odd:
            raise ZeroDivisionError
        return decide(policy, evidence, at)

    monkeypatch.setattr(compare, "decide", fails_for_one)

    report = compared(database, without_contacts())

    assert (report.people, report.failed) == (1, 1)
