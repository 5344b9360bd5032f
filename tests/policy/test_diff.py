from __future__ import annotations

import msgspec
import pytest

from tests.support.status import core_policy
from tianfu.colour import Colour
from tianfu.evidence import test_words
from tianfu.policy import words
from tianfu.policy.diff import Change, PartChange, differences
from tianfu.policy.rules import (
    Anchored,
    Bilingual,
    Counted,
    Counter,
    CountOf,
    LaterStatement,
    Measure,
    Overlay,
    Phase,
    Popup,
    Range,
    RuleSet,
    SampledAfter,
)

WORDS = Bilingual(zh="新的说法", en="new words")
NUCLEIC = (test_words.TestMethod.NUCLEIC_ACID,)


def core() -> RuleSet:
    return core_policy().rule_set


def with_rule(number: int, **changes: object) -> RuleSet:
    rules = list(core().rule)
    rules[number] = msgspec.structs.replace(rules[number], **changes)
    return msgspec.structs.replace(core(), rule=tuple(rules))


def only(changes: tuple[PartChange, ...]) -> PartChange:
    (change,) = changes
    return change


def test_a_set_does_not_differ_from_itself() -> None:
    assert differences(core(), core()) == ()


def test_a_longer_phase_is_told_in_days() -> None:
    phase = msgspec.structs.replace(core().rule[3].phase[0], until=Anchored("last_exposure_at", 28))

    change = only(differences(core(), with_rule(3, phase=(phase,))))

    assert (change.part, change.id, change.change) == ("rule", "close-contact", Change.CHANGED)
    (field,) = change.fields
    assert field.field == "phase 1"
    assert field.old.en == "red, from designated_at until 21 days after last_exposure_at"
    assert field.new.zh == "red，自 designated_at 至 last_exposure_at后28天"


@pytest.mark.parametrize("name", ["cites", "office"])
def test_a_changed_text_is_told_in_both_languages(name: str) -> None:
    (field,) = only(differences(core(), with_rule(0, **{name: WORDS}))).fields

    assert (field.field, field.new) == (name, WORDS)


def test_rules_added_and_taken_away_are_told_with_what_they_say() -> None:
    fewer = msgspec.structs.replace(core(), rule=core().rule[1:])

    removed, added = only(differences(core(), fewer)), only(differences(fewer, core()))

    assert (removed.change, added.change) == (Change.REMOVED, Change.ADDED)
    assert "positive" in next(field.old.en for field in removed.fields if field.field == "where")
    assert "positive" in next(field.new.en for field in added.fields if field.field == "where")


def test_another_order_of_rules_is_told() -> None:
    rules = core().rule

    change = only(differences(core(), msgspec.structs.replace(core(), rule=(rules[1], rules[0], *rules[2:]))))

    assert change.part == "order"


def test_terms_colours_popups_measures_and_overlays_are_told() -> None:
    new = msgspec.structs.replace(
        core(),
        declaration=None,
        popup=(Popup(id="wait", popup_class="notice", text=WORDS, title=WORDS, preempted_by=(Colour.RED,)),),
        measure=(Measure(id="stay", title=WORDS, text=WORDS),),
        overlay=(Overlay(id="city", places=("5101",), title=WORDS, authority=WORDS),),
    )

    changes = {(change.part, change.id): change for change in differences(core(), new)}

    assert set(changes) == {("set", ""), ("popup", "wait"), ("measure", "stay"), ("overlay", "city")}
    assert changes["set", ""].fields[0].old.en == "14 days"
    assert changes["set", ""].fields[0].new.en == "(none)"


def test_every_way_of_writing_a_rule_has_words() -> None:
    own = Counter(
        id="own", sampled_after=SampledAfter.COLOURED, methods=NUCLEIC, min_gap_hours=24, single=True, laboratories=2
    )
    parent = Counter(
        id="theirs", sampled_after=Anchored("occurred", 3, 4), methods=NUCLEIC, of=CountOf.PARENT, pending=True
    )
    counted = Counted(id="c", needs=("own.2",), text=WORDS, not_before=Anchored("occurred", hours=1, midnight=True))
    later = LaterStatement(
        id="s", evidence="clearance", where={"record": ("x",)}, text=WORDS, same_source=False, about_this=True
    )
    several = Phase(
        start=(Anchored("occurred"), Anchored("own.last")), popup="wait", measure="stay", until=(Anchored("own.1", 1),)
    )

    assert words.counter(own).en == (
        "own tests (nucleic_acid), results negative, sampled after the colour began, single samples only, "
        "at least 24 hours apart, by 2 laboratories within 24 hours"
    )
    assert "sampled at or after 3 days and 4 hours after occurred" in words.counter(parent).en
    assert words.release(counted).en == "once there is own.2, not before 1 hour after 00:00 of the day of occurred"
    assert words.release(later).en == "a later clearance (record: x), of any department, about this very statement"
    assert words.phase(several).en == (
        "popup wait, measure stay, from the latest of occurred, own.last until the earliest of 1 day after own.1"
    )
    assert words.where({"days": Range(at_least=3, at_most=7)}).en == "days: >= 3 <= 7"
    assert words.phase(None).en == words.counter(None).en == words.release(None).en == "(none)"
    assert words.end(None).zh == "无固定期限"
