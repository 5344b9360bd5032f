from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.load import POLICY_BYTES_MAX, PolicyInvalidError, PolicyUnreadableError, load, path_of
from tianfu.policy.rules import POPUP_CLASSES, REASON_CLASSES
from tianfu.status.record import POPUPS
from tianfu.status.record import REASON_CLASSES as RECORD_REASON_CLASSES

CORE = (PROJECT_ROOT / "policies" / "sichuan-core.toml").read_text("utf-8")
SINK = (Path(__file__).parent / "kitchen_sink.toml").read_text("utf-8")


def faults_of(text: str) -> dict[str, str]:
    """Field -> code of every fault; the last one wins where a field has two."""
    with pytest.raises(PolicyInvalidError) as raised:
        load(text.encode())
    assert all(fault.zh and fault.en for fault in raised.value.faults)
    return {fault.field: fault.code for fault in raised.value.faults}


def test_a_policy_is_named_by_the_hash_of_its_bytes() -> None:
    policy = load(CORE.encode())

    assert policy.hash == hashlib.sha256(CORE.encode()).hexdigest()
    assert policy.body == CORE.encode()
    assert (policy.name, policy.number) == ("sichuan-core", 8)
    assert load((CORE + "\n").encode()).hash != policy.hash


def test_every_fault_of_shape_is_reported_at_once() -> None:
    text = (
        SINK.replace("number = 999", "number = 70000")
        .replace('colour = "red"', 'colour = "orange"', 1)
        .replace("count = 2", "count = 2\ncuont = 3")
        .replace("days = 5", 'days = "five"')
        .replace('zh = "甲", en = "A"', 'zh = "甲"')
        .replace("effective_from = 2020-01-01T00:00:00+08:00", "effective_from = 2020-01-01T00:00:00")
    )

    assert faults_of(text) == {
        "set.number": "value",
        "set.effective_from": "value",
        "rule[0].phase[0].colour": "value",
        "rule[0].phase[1].from.days": "value",
        "rule[0].release[0].cuont": "unknown",
        "rule[0].text.title.en": "missing",
    }


def test_every_fault_of_meaning_is_reported_at_once() -> None:
    text = (
        SINK.replace('id = "overlap"', 'id = "two-phases"')
        .replace('tier = ["close"]', 'tier = ["closest"], shoe_size = [43]')
        .replace('reason_class = "case"', 'reason_class = "weather"')
        .replace('until = { anchor = "designated_at", days = 4 }', 'until = { anchor = "designated_at", days = 1 }')
        .replace('anchor = "test.sampled_at"', 'anchor = "test.laboratory"')
        .replace('anchor = "case.discharged_at", days = 2', 'anchor = "designated_at", days = 6')
        .replace('evidence = "case"\nwhere = { status = ["excluded"] }', 'evidence = "rumour"\nwhere = {}')
        .replace('zh = "至{until}。"', 'zh = "至{untill}。"', 1)
        .replace('en = "To {until}."', 'en = "To {until!r}."', 1)
        .replace('meaning = { zh = "丙。"', 'meaning = { zh = "丙{"')
    )

    assert faults_of(text) == {
        "rule[0].id": "duplicate",
        "rule[0].where.tier": "value",
        "rule[0].where.shoe_size": "unknown",
        "rule[0].phase[0]": "order",
        "rule[0].text.ends_open": "unknown",
        "rule[1].id": "duplicate",
        "rule[1].reason_class": "value",
        "rule[1].phase[1].from.anchor": "anchor",
        "rule[1].release[0].evidence": "value",
        "rule[1].text.ends.zh": "value",
        "rule[1].text.ends.en": "value",
        "rule[2].text.meaning.zh": "value",
        "rule[3].preempts[1]": "unknown",
    }


@pytest.mark.parametrize(
    ("written", "instead", "field", "code"),
    [
        ('anchor = "designated_at", days = 5', 'anchor = "designated_at", days = 3', "rule[0].phase[1]", "order"),
        ('colour = "yellow"', 'colour = "green"', "rule[0].phase[1].colour", "value"),
        (
            'from = { anchor = "diagnosed_at" }',
            'from = { anchor = "onset_at" }',
            "rule[1].phase[0].from.anchor",
            "anchor",
        ),
        ('anchor = "received", days', 'anchor = "recieved", days', "rule[1].phase[1].until.anchor", "anchor"),
        ('ends_open = { zh = "未定。", en = "Not known." }', "", "rule[2].text.ends_open", "missing"),
        ("count = 2", "count = 0", "rule[0].release[0].count", "value"),
        ('methods = ["nucleic_acid", "antigen"]', "methods = []", "rule[0].release[0].methods", "length"),
        ('kind = "negative_test"', 'kind = "prayer"', "rule[0].release[0].kind", "value"),
        ('evidence = "declaration"', 'evidence = "horoscope"', "rule[2].evidence", "value"),
        ('tier = ["close"]', "tier = []", "rule[0].where.tier", "length"),
        ('tier = ["close"]', "tier = { at_least = 3 }", "rule[0].where.tier", "type"),
        ("format = 1", "format = 2", "set.format", "value"),
        ('name = "kitchen-sink"', 'name = "Kitchen Sink"', "set.name", "value"),
        ("valid_days = 3", "valid_days = true", "declaration.valid_days", "value"),
        ('title = { zh = "绿", en = "Green" }', 'title = { zh = "", en = "Green" }', "colour.green.title.zh", "value"),
    ],
)
def test_a_fault_is_named_by_its_place(written: str, instead: str, field: str, code: str) -> None:
    assert written in SINK

    faults = faults_of(SINK.replace(written, instead, 1))

    assert faults[field] == code


def test_a_range_must_have_a_bound_that_something_can_reach() -> None:
    written = "temperature_decidegrees = { at_least = 373 }"

    assert "rule[7].where.temperature_decidegrees" in faults_of(
        CORE.replace(written, written.replace("at_least = 373", ""))
    )
    assert "rule[7].where.temperature_decidegrees" in faults_of(
        CORE.replace(written, written.replace("373", "373, at_most = 372"))
    )


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[set", b"\xef\xbb\xbf[set]", b"a = 1\na = 2", b"[" * 100_000])
def test_what_is_not_toml_is_refused_with_one_sentence(body: bytes) -> None:
    with pytest.raises(PolicyInvalidError) as raised:
        load(body)

    assert [fault.code for fault in raised.value.faults] == ["syntax"]


def test_an_empty_file_misses_every_table() -> None:
    assert faults_of("") == dict.fromkeys(("set", "colour", "rule"), "missing")


def test_a_file_that_is_not_there_or_too_large_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(b"#" * (POLICY_BYTES_MAX + 1))

    for name in ("absent.toml", "large.toml", "."):
        with pytest.raises(PolicyUnreadableError):
            load(tmp_path / name)


def test_a_name_means_a_file_of_the_installation_and_a_path_means_itself(tmp_path: Path) -> None:
    assert path_of("sichuan-core", tmp_path) == tmp_path / "sichuan-core.toml"
    assert path_of("my.toml", tmp_path) == Path("my.toml")
    assert path_of("./rules/mine", tmp_path) == Path("rules/mine")


def test_the_board_record_knows_every_reason_class_and_popup() -> None:
    assert set(REASON_CLASSES) <= set(RECORD_REASON_CLASSES)
    assert set(POPUP_CLASSES) <= set(POPUPS)


def test_every_rule_of_the_core_set_cites_the_table_and_says_what_was_chosen() -> None:
    for rule in load(CORE.encode()).rule_set.rule:
        assert rule.cites.en.startswith("Sichuan rule table, row")
        assert rule.cites.zh.startswith("四川省赋码规则表第")
        assert rule.choices
        assert all(choice.startswith("our choice: ") for choice in rule.choices)
