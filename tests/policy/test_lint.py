from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from tests.support.status import core_policy
from tianfu.colour import Colour
from tianfu.policy.lint import warnings_of
from tianfu.policy.rules import Anchored, Bilingual, Measure, Overlay, Phase, Popup, Range, Rule, RuleSet

WORDS = Bilingual(zh="说明", en="words")
EARLY = datetime(2020, 1, 1, tzinfo=UTC)
LATE = datetime(2023, 1, 1, tzinfo=UTC)
CITY = Overlay(id="city", places=("5101",), title=WORDS, authority=WORDS)
NOTICE = Popup(id="wait", popup_class="notice", text=WORDS, title=WORDS)


def core() -> RuleSet:
    return core_policy().rule_set


def contact_rule(**changes: object) -> Rule:
    """The core set's rule for close contacts, changed."""
    return msgspec.structs.replace(core().rule[3], **changes)


def told(*rules: Rule, **changes: object) -> set[tuple[str, str]]:
    """Path and code of each warning about a set of these rules."""
    changed = msgspec.structs.replace(core(), rule=rules, **changes)
    return {(warning.path, warning.code) for warning in warnings_of(changed)}


def phase(**changes: object) -> Phase:
    return msgspec.structs.replace(core().rule[3].phase[0], **changes)


def test_an_ordinary_set_has_only_its_one_overlap() -> None:
    (warning,) = warnings_of(core())

    assert (warning.path, warning.code) == ("rule[6]", "overlap")
    assert "declared-temperature" in warning.en
    assert "both give yellow" in warning.en
    assert "declared-temperature" in warning.zh


def test_rules_that_can_never_apply_are_told() -> None:
    empty = Range(since=LATE, before=EARLY)
    assert ("rule[0].where.last_exposure_at", "unreachable") in told(contact_rule(where={"last_exposure_at": empty}))
    assert ("rule[0].applies_until", "unreachable") in told(contact_rule(applies_until=EARLY))
    assert ("rule[0].applies_until", "unreachable") in told(contact_rule(applies_from=LATE, applies_until=LATE))
    assert told(contact_rule(applies_from=LATE)) == set()


def test_rules_of_a_city_that_never_meet_it_are_told() -> None:
    elsewhere = contact_rule(overlay="city", places=("5102",))
    later = msgspec.structs.replace(CITY, applies_from=LATE)

    assert ("rule[0].places", "unreachable") in told(elsewhere, overlay=(CITY,))
    assert ("rule[0].overlay", "unreachable") in told(
        contact_rule(overlay="city", applies_until=datetime(2022, 6, 1, tzinfo=UTC)), overlay=(later,)
    )
    assert told(contact_rule(overlay="city", places=("510104",)), overlay=(CITY,)) == set()


def test_a_rule_suspended_everywhere_and_an_overlay_without_effect_are_told() -> None:
    suspending = msgspec.structs.replace(CITY, suspends=("close-contact",))

    assert ("rule[0]", "unreachable") in told(contact_rule(places=("510104",)), overlay=(suspending,))
    assert told(contact_rule(), overlay=(suspending,)) == set()
    assert ("overlay[0]", "idle") in told(contact_rule(), overlay=(CITY,))
    ended = msgspec.structs.replace(suspending, applies_until=EARLY)
    assert ("overlay[0].applies_until", "unreachable") in told(contact_rule(), overlay=(ended,))


def test_a_row_without_an_end_is_told_unless_a_release_ends_it() -> None:
    open_phase = phase(until=None)

    assert told(contact_rule(phase=(open_phase,))) == {("rule[0].phase[0]", "no_end")}
    assert told(contact_rule(phase=(open_phase,), release=core().rule[5].release)) == set()
    assert told(contact_rule(phase=(open_phase,), applies_until=LATE)) == set()


def test_texts_that_say_nothing_are_told() -> None:
    template = contact_rule(office=Bilingual(zh="待定", en="TBD"), cites=Bilingual(zh="Table 1", en="Table 1"))

    assert told(template) == {("rule[0].office", "no_text"), ("rule[0].cites", "one_language")}


def test_a_red_phase_without_a_measure_is_told_once_the_set_has_measures() -> None:
    stay = Measure(id="stay", title=WORDS, text=WORDS)

    assert told(contact_rule(phase=(phase(measure="stay"),)), measure=(stay,)) == set()
    assert told(contact_rule(), measure=(stay,)) == {("rule[0].phase[0].measure", "no_measure"), ("measure[0]", "idle")}


@pytest.mark.parametrize("hidden_by", [(Colour.RED,), (Colour.YELLOW, Colour.RED)])
def test_a_popup_that_its_own_colour_hides_is_told(hidden_by: tuple[Colour, ...]) -> None:
    popup = msgspec.structs.replace(NOTICE, preempted_by=hidden_by)
    yellow = phase(popup="wait", colour=Colour.YELLOW)

    assert ("rule[0].phase[0].popup", "unreachable") in told(contact_rule(phase=(phase(popup="wait"),)), popup=(popup,))
    assert bool(told(contact_rule(phase=(yellow,)), popup=(popup,))) is (len(hidden_by) > 1)


def test_popups_that_nothing_shows_are_told() -> None:
    never = msgspec.structs.replace(NOTICE, preempted_by=tuple(Colour))

    assert told(contact_rule(), popup=(NOTICE,)) == {("popup[0]", "idle")}
    assert ("popup[0].preempted_by", "unreachable") in told(contact_rule(), popup=(never,))


@pytest.mark.parametrize(
    ("where", "warned"), [({}, True), ({"result": ("negative",)}, True), ({"result": ("positive",)}, False)]
)
def test_a_rule_that_a_negative_sets_off_is_told(where: dict[str, tuple[str, ...]], warned: bool) -> None:  # noqa: FBT001
    rule = contact_rule(
        evidence="test",
        where=where,
        phase=(
            Phase(start=Anchored(anchor="sampled_at", days=7), colour=Colour.YELLOW, until=Anchored("sampled_at", 9)),
        ),
    )

    assert told(rule) == ({("rule[0].where.result", "negative_sets_off")} if warned else set())


def test_a_rule_that_hides_another_until_a_negative_ends_it_is_told() -> None:
    copresent = core().rule[5]
    hiding = msgspec.structs.replace(copresent, preempts=("close-contact",))

    assert ("rule[0].preempts", "negative_uncovers") in told(hiding, contact_rule())
    assert told(copresent, contact_rule()) == set()
    assert told(msgspec.structs.replace(hiding, release=()), contact_rule()) == set()


def overlap_between(one: Rule, two: Rule, **changes: object) -> str:
    """What is said of the two; empty when they cannot fit one statement."""
    changed = msgspec.structs.replace(core(), rule=(one, two), **changes)
    return next((warning.en for warning in warnings_of(changed) if warning.code == "overlap"), "")


def test_of_rules_for_one_statement_it_is_told_which_wins() -> None:
    red = contact_rule(id="red")
    yellow = contact_rule(id="yellow", phase=(phase(colour=Colour.YELLOW),))

    assert "red of `red` wins" in overlap_between(red, yellow)
    assert "red of `red` wins" in overlap_between(yellow, red)
    assert "`yellow` pre-empts" in overlap_between(red, msgspec.structs.replace(yellow, preempts=("red",)))
    assert "`red` pre-empts" in overlap_between(msgspec.structs.replace(red, preempts=("yellow",)), yellow)


def test_rules_that_part_by_condition_time_or_place_do_not_overlap() -> None:
    one = contact_rule(id="one")
    parted: list[tuple[dict[str, object], dict[str, object]]] = [
        ({"where": {"tier": ("close",)}}, {"where": {"tier": ("general",)}}),
        ({"where": {"last_exposure_at": Range(before=EARLY)}}, {"where": {"last_exposure_at": Range(since=EARLY)}}),
        ({"applies_until": LATE}, {"applies_from": LATE}),
        ({"places": ("5101",)}, {"places": ("5102",)}),
    ]

    for first, second in parted:
        assert not overlap_between(
            msgspec.structs.replace(one, **first), msgspec.structs.replace(one, id="two", **second)
        )
    assert overlap_between(one, msgspec.structs.replace(one, id="two", places=("5101",)))


def test_a_city_s_rule_overlaps_with_the_province_s_unless_the_city_suspends_it() -> None:
    province, city = contact_rule(id="one"), contact_rule(id="two", overlay="city")
    suspending = msgspec.structs.replace(CITY, suspends=("one",))

    assert overlap_between(province, city, overlay=(CITY,))
    assert not overlap_between(province, city, overlay=(suspending,))
