from __future__ import annotations

import msgspec
import pytest

from tests.support.status import core_policy
from tianfu.colour import Colour
from tianfu.policy.affected import EVERYBODY, Affected, affected
from tianfu.policy.rules import Bilingual, Overlay, Popup, RuleSet

WORDS = Bilingual(zh="新", en="new")


def core() -> RuleSet:
    return core_policy().rule_set


def with_rule(number: int, **changes: object) -> RuleSet:
    """The core set with one rule changed."""
    rules = list(core().rule)
    rules[number] = msgspec.structs.replace(rules[number], **changes)
    return msgspec.structs.replace(core(), rule=tuple(rules))


def test_words_names_and_numbers_change_nobody() -> None:
    header = msgspec.structs.replace(core().set, number=99, name="another", title=WORDS)
    texts = with_rule(3, cites=WORDS, office=WORDS, choices=("our choice",))
    released = core().rule[5]
    reworded = tuple(msgspec.structs.replace(release, text=WORDS) for release in released.release)

    assert affected(core(), msgspec.structs.replace(core(), set=header)).nobody
    assert affected(core(), texts).nobody
    assert affected(core(), with_rule(5, release=reworded)).nobody
    assert affected(core(), core()) == Affected()


def test_a_changed_rule_concerns_people_with_statements_of_its_kind() -> None:
    assert affected(core(), with_rule(3, latest_only=True)) == Affected(kinds=("contact",))


def test_a_rule_about_another_kind_concerns_both_kinds() -> None:
    assert affected(core(), with_rule(3, evidence="case")) == Affected(kinds=("case", "contact"))


def test_rules_added_or_taken_away_concern_their_kind() -> None:
    fewer = msgspec.structs.replace(core(), rule=core().rule[1:])

    assert affected(core(), fewer) == affected(fewer, core()) == Affected(kinds=("test",))


def test_of_rules_that_changed_places_at_least_one_is_concerned() -> None:
    rules = core().rule
    swapped = msgspec.structs.replace(core(), rule=(rules[1], rules[0], *rules[2:]))

    assert affected(core(), swapped).kinds in {("test",), ("case",)}


def test_a_longer_life_of_declarations_concerns_whoever_declared_and_none_at_all_concerns_everybody() -> None:
    terms = core().declaration
    assert terms is not None
    longer = msgspec.structs.replace(core(), declaration=msgspec.structs.replace(terms, valid_days=30))

    assert affected(core(), longer) == Affected(kinds=("declaration",))
    assert affected(core(), msgspec.structs.replace(core(), declaration=None)) == EVERYBODY


def popup(**changes: object) -> Popup:
    return msgspec.structs.replace(Popup(id="wait", popup_class="notice", text=WORDS, title=WORDS), **changes)


@pytest.mark.parametrize("change", [{"popup_class": "test"}, {"preempted_by": (Colour.RED,)}])
def test_a_popup_concerns_whom_its_rules_concern(change: dict[str, object]) -> None:
    phase = msgspec.structs.replace(core().rule[3].phase[0], popup="wait")
    showing = msgspec.structs.replace(with_rule(3, phase=(phase,)), popup=(popup(),))

    assert affected(showing, msgspec.structs.replace(showing, popup=(popup(**change),))).kinds == ("contact",)
    assert affected(showing, msgspec.structs.replace(showing, popup=(popup(title=core().set.title),))).nobody


def test_an_overlay_concerns_whom_its_own_and_its_suspended_rules_concern() -> None:
    overlay = Overlay(id="city", places=("5101",), title=WORDS, authority=WORDS, suspends=("case",))
    before = msgspec.structs.replace(with_rule(3, overlay="city"), overlay=(overlay,))
    wider = msgspec.structs.replace(overlay, places=("5101", "5102"))

    after = msgspec.structs.replace(before, overlay=(wider,))

    assert affected(before, after) == Affected(kinds=("case", "contact"))


def test_whoever_has_none_of_the_kinds_is_not_concerned() -> None:
    some = Affected(kinds=("case", "contact"))

    assert some.concerns(["test", "contact"])
    assert not some.concerns(["test"])
    assert EVERYBODY.concerns([])
