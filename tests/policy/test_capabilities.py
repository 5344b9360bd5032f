"""Each capability of the format by itself, on the set that uses them all. Days count from 1 March 2022 in Shanghai."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.stories import told_statement
from tianfu.clock import SHANGHAI
from tianfu.colour import Colour
from tianfu.evidence.model import Evidence
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.decide import decide
from tianfu.policy.explain import explain
from tianfu.policy.load import load
from tianfu.policy.model import Decision
from tianfu.status import record
from tianfu.status.publish import board_record
from tianfu.status.store import Status

SINK = load(Path(__file__).parent / "kitchen_sink.toml")
CORE = load(PROJECT_ROOT / "policies" / "sichuan-core.toml")
SECOND = timedelta(seconds=1)
NUCLEIC = {"result": "negative", "method": "nucleic_acid"}


def on(day: int, hour: float = 0) -> datetime:
    return datetime(2022, 3, 1, tzinfo=SHANGHAI) + timedelta(days=day - 1, hours=hour)


def told(*statements: dict[str, Any]) -> list[Evidence]:
    return [told_statement({"id": number, **said}) for number, said in enumerate(statements, start=1)]


def negative(day: int, hour: float = 0, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a test
    return {"test": {**NUCLEIC, "sampled_at": on(day, hour), **said}}


def rules(decision: Decision) -> list[str]:
    return [reason.rule for reason in decision.reasons]


def popups(evidence: list[Evidence], at: datetime) -> list[str]:
    return [popup.popup for popup in decide(SINK, evidence, at).popups]


CONTACT = {"contact": {"tier": "secondary", "last_exposure_at": on(5, 15), "designated_at": on(6, 10)}}
ARRIVAL = {"arrival": {"arrived_at": on(5, 15), "channel": "report"}}
DUTY = {"test_duty": {"group": "market", "every_days": 3, "starts_at": on(5)}}
ZONE = {"zone_stay": {"level": "high", "relation": "inside", "designated_at": on(5, 9), "level_since": on(5, 9)}}


def test_days_may_be_counted_from_midnight_in_shanghai() -> None:
    evidence = told(CONTACT)

    during, after = (decide(SINK, evidence, on(12) + shift) for shift in (-SECOND, 0 * SECOND))

    assert (during.colour, during.next_change_at, during.reasons[0].measure) == (Colour.RED, on(12), "stay-home")
    assert (after.colour, after.next_change_at, after.reasons[0].measure) == (Colour.YELLOW, on(19, 15), "be-well")


def test_the_earliest_of_several_ends_counts() -> None:
    two = told(CONTACT, negative(7, 8), negative(8, 8))
    near = told(CONTACT, negative(7, 8), negative(8, 7))
    mixed = told(CONTACT, negative(7, 8), negative(8, 8, pooled=True))

    assert decide(SINK, two[:2], on(8, 8)).reasons[0].until == on(12)
    assert decide(SINK, two, on(8, 8)).colour is Colour.GREEN
    assert decide(SINK, near, on(8, 8)).colour is Colour.RED
    assert decide(SINK, mixed, on(8, 8)).colour is Colour.RED


def test_the_tests_of_the_contact_through_whom_one_is_a_contact_count_for_this_record_alone() -> None:
    def parent(contact: str) -> dict[str, Any]:
        return {"parent_test": {**NUCLEIC, "contact": contact, "sampled_at": on(7), "last_exposure_at": on(5)}}

    assert decide(SINK, told(CONTACT, parent("contact-1")), on(7, 5)).reasons[0].until == on(7, 6)
    assert decide(SINK, told(CONTACT, parent("another")), on(7, 5)).reasons[0].until == on(12)


def test_a_release_by_counts_needs_all_of_them_and_its_time() -> None:
    facts = {"contact": "contact-1", "method": "nucleic_acid", "last_exposure_at": on(5), "result": "indeterminate"}
    first, second = ({"parent_test": {**facts, "sampled_at": on(7, hour)}} for hour in (1, 2))
    enough = told(CONTACT, negative(7, 8), first, second)

    assert decide(SINK, told(CONTACT, first, second), on(14)).colour is Colour.YELLOW
    # The contact's first test ended the red; before the release has its time the yellow to come is already none.
    assert decide(SINK, enough, on(7, 5)).next_change_at == on(7, 7)
    assert decide(SINK, enough, on(8, 22) - SECOND).next_change_at is None
    assert decide(SINK, enough, on(14)).colour is Colour.GREEN


def test_a_count_of_two_laboratories_is_there_when_both_have_one_in_time() -> None:
    def sampled(*samples: tuple[int, float, str]) -> list[Evidence]:
        return told(ARRIVAL, *(negative(day, hour, laboratory=where) for day, hour, where in samples))

    alone = sampled((6, 8, "A"), (6, 9, "A"), (7, 8, "A"), (7, 9, "A"))
    both = sampled((6, 8, "A"), (7, 8, "B"), (7, 14, "A"), (7, 15, "B"))
    late = sampled((6, 8, "A"), (7, 9, "B"), (7, 20, "A"), (9, 0, "A"))

    assert popups(alone, on(10)) == ["tests-due"]
    assert popups(both, on(10)) == []
    assert popups(late, on(10)) == ["tests-due"]


def test_a_popup_comes_back_some_time_after_the_latest_sample_even_without_its_result() -> None:
    sampling = {"sampling": {"sampled_at": on(7, 8), "method": "nucleic_acid"}}
    evidence = told(DUTY, sampling)

    assert popups(evidence, on(7, 7)) == ["tests-due"]
    decision = decide(SINK, evidence, on(7, 8))
    assert (decision.popup, decision.next_change_at) == ("declare", on(9, 8))
    assert popups(evidence, on(9, 8)) == ["tests-due"]


def test_popups_are_listed_in_the_order_of_the_file_and_each_once() -> None:
    evidence = told(DUTY, ARRIVAL)

    decision = decide(SINK, evidence, on(6, 8))

    assert [(popup.popup, popup.rule, popup.evidence) for popup in decision.popups] == [
        ("tests-due", "arrived", 2),
        ("watch", "arrived", 2),
    ]
    assert decision.popup == "tests-due"
    assert decide(SINK, evidence, on(20)).popups[0].rule == "duty"


def test_a_colour_hides_the_popups_that_say_so_until_it_ends() -> None:
    evidence = told(DUTY, CONTACT)

    assert [decide(SINK, evidence, at).popup for at in (on(6, 9), on(6, 10), on(12), on(20))] == [
        "tests-due",
        "declare",
        "watch",
        "tests-due",
    ]
    assert decide(SINK, evidence, on(6, 9)).next_change_at == on(6, 10)


def test_a_rule_gives_nothing_outside_the_period_in_which_it_applies() -> None:
    early = told({"contact": {"tier": "general", "last_exposure_at": on(2), "designated_at": on(2, 1)}})
    late = told({"contact": {"tier": "general", "last_exposure_at": on(39), "designated_at": on(39, 1)}})

    assert decide(SINK, early, on(2, 5)).next_change_at == on(3)
    assert decide(SINK, early, on(3)).reasons[0].since == on(3)
    assert decide(SINK, late, on(39, 5)).reasons[0].until == on(40, 12)
    assert decide(SINK, late, on(40, 12)).colour is Colour.GREEN


def test_a_condition_may_be_about_an_instant() -> None:
    before = told({"contact": {"tier": "general", "last_exposure_at": on(2), "designated_at": on(2) - SECOND}})
    since = told({"contact": {"tier": "general", "last_exposure_at": on(2), "designated_at": on(2)}})

    assert rules(decide(SINK, before, on(4))) == []
    assert rules(decide(SINK, since, on(4))) == ["counted"]


@pytest.mark.parametrize(("place", "during"), [("510104", "town"), ("510722", "suspended-in-town"), ("510599", None)])
def test_in_its_places_and_its_time_a_citys_rule_stands_in_for_the_provinces(place: str, during: str | None) -> None:
    evidence = told({**ZONE, "place": place})

    assert rules(decide(SINK, evidence, on(10))) == ["suspended-in-town"]
    assert rules(decide(SINK, evidence, on(12))) == ([during] if during else [])
    assert rules(decide(SINK, evidence, on(28))) == ["suspended-in-town"]
    assert decide(SINK, evidence, on(10)).next_change_at == (None if place == "510722" else on(11))


def test_a_statement_without_place_is_the_provinces() -> None:
    assert rules(decide(SINK, told(ZONE), on(12))) == ["suspended-in-town"]


def test_a_clearance_ends_what_it_is_about_and_nothing_else() -> None:
    def cleared(**said: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a clearance
        return {"clearance": {"of": "zone", "judged_at": on(5, 12), **said}}

    assert rules(decide(SINK, told(ZONE, cleared(record="zone_stay-1")), on(7))) == []
    assert rules(decide(SINK, told(ZONE, cleared()), on(7))) == []
    assert rules(decide(SINK, told(ZONE, cleared(record="zone_stay-9")), on(7))) == ["suspended-in-town"]
    waiting = decide(SINK, told(ZONE, cleared()), on(5, 13))
    assert (rules(waiting), waiting.next_change_at) == (["suspended-in-town"], on(6, 9))


def test_a_rule_that_colours_silences_those_it_names_with_their_popups() -> None:
    evidence = told(ZONE, CONTACT)

    before, during, after = (decide(SINK, evidence, at) for at in (on(6, 9), on(6, 10), on(19, 15)))

    assert rules(before) == rules(after) == ["suspended-in-town"]
    assert rules(during) == ["counted"]
    assert decide(SINK, evidence, on(13)).popups[0].popup == "watch"
    assert decide(SINK, evidence, on(13)).next_change_at == on(19, 15)


def test_a_set_without_declarations_never_asks_for_one() -> None:
    text = CORE.body.decode()
    policy = load((text[: text.index("[declaration]")] + text[text.index("# Row 18") :]).encode())

    decision = decide(policy, told({"declaration": {"declared_at": on(1)}}), on(2))

    assert (decision.popup, decision.declared_until, decision.next_change_at) == (None, None, None)
    assert explain(policy, decision, "zh").popup is None


def test_a_person_reads_what_a_popup_blocks_what_is_asked_and_whose_rule_it_is() -> None:
    told_popup = explain(SINK, decide(SINK, told(ARRIVAL), on(6)), "en")
    told_town = explain(SINK, decide(SINK, told({**ZONE, "place": "510104"}), on(12)), "en")
    told_contact = explain(SINK, decide(SINK, told(CONTACT), on(7)), "zh")

    assert told_popup.popup is not None
    assert told_popup.popup == told_popup.popups[0]
    assert (told_popup.popup.title, told_popup.popup.blocks) == ("Be tested", ("code", "scan"))
    assert (told_popup.popup.rule_set, told_popup.popup.office) == ("Test", "Office")
    assert told_popup.popup.until_text == "13 March 2022, 15:00"
    assert [popup.id for popup in told_popup.popups] == ["tests-due", "watch"]
    assert (told_town.reasons[0].rule_set, told_town.reasons[0].authority) == ("The town's rules", "The town")
    assert (told_contact.reasons[0].measure, told_contact.reasons[0].measure_title) == ("stay-home", "居家隔离")


def test_the_gate_learns_the_popups_class_and_what_any_popup_blocks() -> None:
    def packed(evidence: list[Evidence], at: datetime) -> record.BoardRecord:
        return board_record(Status(person=evidence[0].person, decision=decide(SINK, evidence, at), sequence=1))

    both, watch, none = packed(told(ARRIVAL), on(6)), packed(told(CONTACT), on(13)), packed(told(ZONE), on(1))

    assert (record.POPUPS[both.popup], both.flags) == ("test", record.BLOCKS_CODE | record.BLOCKS_SCAN)
    assert (record.POPUPS[watch.popup], watch.flags) == ("notice", 0)
    assert (record.POPUPS[none.popup], none.flags) == ("declare", 0)
