"""Every new way in which a rule file can contradict itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.load import PolicyInvalidError, load

SINK = (Path(__file__).parent / "kitchen_sink.toml").read_text("utf-8")
POLICIES = sorted((PROJECT_ROOT / "policies").glob("*.toml"))

BOTH_2 = '{ anchor = "both.2" }'
OWN_2 = '{ anchor = "own.2" }'


@pytest.mark.parametrize(
    ("written", "instead", "field", "code"),
    [
        ('popup = "tests-due"', 'popup = "nowhere"', "rule[4].phase[0].popup", "unknown"),
        ('measure = "be-well"', 'measure = "be-ill"', "rule[3].phase[1].measure", "unknown"),
        ('overlay = "town"', 'overlay = "village"', "rule[7].overlay", "unknown"),
        ('suspends = ["suspended-in-town"]', 'suspends = ["nothing"]', "overlay[0].suspends[0]", "unknown"),
        ('suspends = ["suspended-in-town"]', 'suspends = ["town"]', "overlay[0].suspends[0]", "value"),
        ('"suspended-in-town", "overlap"', '"overlap", "none"', "rule[3].preempts[1]", "unknown"),
        ('"suspended-in-town", "overlap"', '"counted"', "rule[3].preempts[0]", "value"),
        ('popup = "tests-due"\n', "", "rule[4].phase[0]", "missing"),
        ("applies_from = 2022-03-03", "applies_from = 2022-05-03", "rule[3].applies_until", "order"),
        ("applies_from = 2022-03-11", "applies_from = 2022-05-03", "overlay[0].applies_until", "order"),
        ('popup_class = "test"', 'popup_class = "weather"', "popup[0].popup_class", "value"),
        ('id = "watch"', 'id = "tests-due"', "popup[0].id", "duplicate"),
        ('id = "watch"', 'id = "declare"', "popup[1].id", "value"),
        ('id = "be-well"', 'id = "stay-home"', "measure[1].id", "duplicate"),
        ('id = "parent"', 'id = "own"', "rule[3].counter[0].id", "duplicate"),
        ('becomes = "medium"', 'becomes = "high"', "zone[0].becomes", "value"),
        (BOTH_2, '{ anchor = "both.last" }', "rule[4].phase[0].until[1].anchor", "anchor"),
        (BOTH_2, '{ anchor = "both.0" }', "rule[4].phase[0].until[1].anchor", "anchor"),
        (BOTH_2, '{ anchor = "both.11" }', "rule[4].phase[0].until[1].anchor", "anchor"),
        (BOTH_2, '{ anchor = "nobody.2" }', "rule[4].phase[0].until[1].anchor", "anchor"),
        ('"done.last"', '"done.1"', "rule[5].phase[0].from[1].anchor", "anchor"),
        ('from = [{ anchor = "starts_at" }, ', "from = [", "rule[5].phase[0].from[0].anchor", "anchor"),
        (
            'from = [{ anchor = "starts_at" }',
            'from = [{ anchor = "ends_at" }',
            "rule[5].phase[0].from[0].anchor",
            "anchor",
        ),
        ('needs = ["own.1", "parent.2"]', 'needs = ["own.1", "own"]', "rule[3].release[0].needs[1]", "anchor"),
        ('needs = ["own.1", "parent.2"]', 'needs = ["own.last"]', "rule[3].release[0].needs[0]", "anchor"),
        (
            'not_before = { anchor = "level_since"',
            'not_before = { anchor = "own.1"',
            "rule[6].release[0].not_before.anchor",
            "anchor",
        ),
        (
            'sampled_after = { anchor = "starts_at" }',
            'sampled_after = { anchor = "done.1" }',
            "rule[5].counter[0].sampled_after.anchor",
            "anchor",
        ),
        (
            'sampled_after = { anchor = "starts_at" }',
            'sampled_after = "coloured"',
            "rule[5].counter[0].sampled_after",
            "circular",
        ),
        ("about_this = true", 'about_this = true\nevidence = "case"', "file", "syntax"),
        ('id = "both"', 'id = "both"\nof = "parent_test"', "rule[4].counter[0].of", "value"),
        ('of = "parent_test"', 'of = "parent_test"\npending = true', "rule[3].counter[1].pending", "value"),
        ("before = 2022-05-01", "before = 2022-01-01", "rule[3].where.designated_at", "value"),
        ("since = 2022-03-02T00:00:00+08:00", "at_least = 3", "rule[3].where.designated_at", "type"),
        ("laboratories = 2", "laboratories = 9", "rule[4].counter[0].laboratories", "value"),
        ('places = ["5101", "5107"]', 'places = ["Chengdu"]', "rule[7].places[0]", "value"),
        ('blocks = ["code", "scan"]', 'blocks = ["sleep"]', "popup[0].blocks[0]", "value"),
        (OWN_2, '{ anchor = "own.2", dyas = 2 }', "rule[3].phase[0].until[1].dyas", "unknown"),
        ('preempted_by = ["red"]', 'preempted_by = ["blue"]', "popup[0].preempted_by[0]", "value"),
    ],
)
def test_a_contradiction_is_named_by_its_place(written: str, instead: str, field: str, code: str) -> None:
    assert written in SINK

    with pytest.raises(PolicyInvalidError) as raised:
        load(SINK.replace(written, instead, 1).encode())

    assert all(fault.zh and fault.en for fault in raised.value.faults)
    assert (field, code) in {(fault.field, fault.code) for fault in raised.value.faults}


def test_only_a_statement_that_names_a_record_can_be_about_one() -> None:
    written = 'evidence = "clearance"\nwhere = { of = ["zone", "other"] }'
    assert written in SINK

    with pytest.raises(PolicyInvalidError) as raised:
        load(SINK.replace(written, 'evidence = "case"\nwhere = { status = ["excluded"] }').encode())

    assert [fault.field for fault in raised.value.faults] == ["rule[6].release[0].about_this"]


def test_a_set_may_do_without_declarations() -> None:
    begin, end = SINK.index("[declaration]"), SINK.index("[colour.green]")

    assert load((SINK[:begin] + SINK[end:]).encode()).declaration_life is None


@pytest.mark.parametrize("path", POLICIES, ids=[path.stem for path in POLICIES])
def test_every_published_set_is_without_faults(path: Path) -> None:
    policy = load(path)

    assert policy.name == path.stem
