"""What the indicators of tracing are: their names, what they are shares of, their targets and the clocks they go by."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tianfu.errors import NotFoundError


class IndicatorNotFoundError(NotFoundError):
    """There is no indicator of that name."""

    code = "indicator_not_found"
    zh = "没有这项指标。"
    en = "There is no indicator of that name."


class Block(enum.Enum):
    """The parts of the morning board."""

    OUTBREAK = "outbreak"
    SPEED = "speed"
    COMPLETENESS = "completeness"
    TESTS = "tests"
    LETTERS = "letters"


class Of(enum.Enum):
    """What the list behind a number lists."""

    PERSON = "person"
    INCIDENT = "incident"
    HANDOVER = "handover"


class Indicator(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `at_least` and `at_most` are targets of the share; `state`: how it is at the end of the day only.

    `share` False: a number of things, of which nothing is a share. `clock`: the clock of the rule sets that says in how
    many hours it is to be done, which stand for `{hours}` in `zh` and `en`.
    """

    name: str
    block: Block
    zh: str
    en: str
    source: str
    share: bool = True
    at_least: float | None = None
    at_most: float | None = None
    state: bool = False
    of: Of = Of.PERSON
    clock: str | None = None


INDICATORS: Final = (
    Indicator(name="new_cases", block=Block.OUTBREAK, zh="新增病例", en="new cases", source="cases", share=False),
    Indicator(
        name="known_contacts",
        block=Block.OUTBREAK,
        zh="新增病例中已在密接名单者",
        en="new cases already known as contacts",
        source="cases",
    ),
    Indicator(
        name="in_quarantine",
        block=Block.OUTBREAK,
        zh="新增病例中已在隔离者",
        en="new cases already in quarantine",
        source="cases",
    ),
    Indicator(
        name="without_source", block=Block.OUTBREAK, zh="来源不明的病例", en="cases without a source", source="cases"
    ),
    Indicator(
        name="chains",
        block=Block.OUTBREAK,
        zh="有新增病例的传播链",
        en="chains with new cases",
        source="cases",
        share=False,
        of=Of.INCIDENT,
    ),
    Indicator(
        name="long_gaps",
        block=Block.OUTBREAK,
        zh="与上一例间隔超过 7 天",
        en="gaps of more than 7 days in a chain",
        source="cases",
    ),
    Indicator(
        name="core_facts",
        block=Block.SPEED,
        zh="阳性至核心信息 {hours} 小时内",
        en="positive to core facts in {hours} h",
        clock="core_facts",
        source="interviews",
        at_least=1.0,
    ),
    Indicator(
        name="contact_list",
        block=Block.SPEED,
        zh="阳性至密接名单 {hours} 小时内",
        en="positive to contact list in {hours} h",
        clock="contact_list",
        source="runs",
        at_least=1.0,
    ),
    Indicator(
        name="told",
        block=Block.SPEED,
        zh="阳性至告知密接 {hours} 小时内",
        en="positive to contact told in {hours} h",
        clock="tell_contacts",
        source="follow_ups",
        at_least=0.9,
    ),
    Indicator(
        name="quarantined",
        block=Block.SPEED,
        zh="阳性至密接隔离 {hours} 小时内",
        en="positive to quarantined in {hours} h",
        clock="quarantine",
        source="follow_ups",
        at_least=1.0,
    ),
    Indicator(
        name="interviewed",
        block=Block.COMPLETENESS,
        zh="已流调病例",
        en="cases interviewed",
        source="interviews",
        at_least=1.0,
    ),
    Indicator(
        name="no_contacts",
        block=Block.COMPLETENESS,
        zh="没有密接的病例",
        en="cases without contacts",
        source="runs",
        at_most=0.1,
    ),
    Indicator(
        name="few_contacts",
        block=Block.COMPLETENESS,
        zh="密接不足 3 人的病例",
        en="cases with one or two contacts",
        source="runs",
    ),
    Indicator(
        name="reached",
        block=Block.COMPLETENESS,
        zh="已联系到的密接",
        en="contacts reached",
        source="follow_ups",
        at_least=0.9,
    ),
    Indicator(
        name="seen",
        block=Block.COMPLETENESS,
        zh="当日应随访已随访",
        en="contacts seen on their day",
        source="follow_ups",
        at_least=0.9,
    ),
    Indicator(name="lost", block=Block.COMPLETENESS, zh="失联", en="contacts lost", source="follow_ups", state=True),
    Indicator(
        name="not_seen",
        block=Block.COMPLETENESS,
        zh="3 天未随访到",
        en="contacts not seen for 3 days",
        source="follow_ups",
        state=True,
    ),
    Indicator(
        name="symptomatic_tested",
        block=Block.TESTS,
        zh="有症状密接 {hours} 小时内检测",
        en="symptomatic contacts tested in {hours} h",
        clock="test_symptomatic",
        source="follow_ups",
        at_least=1.0,
    ),
    Indicator(
        name="overdue_tests", block=Block.TESTS, zh="逾期未检", en="tests overdue", source="follow_ups", at_most=0.0
    ),
    Indicator(
        name="letters_sent",
        block=Block.LETTERS,
        zh="发出的移交函",
        en="hand-overs sent",
        source="letters",
        share=False,
        of=Of.HANDOVER,
    ),
    Indicator(
        name="letters_answered",
        block=Block.LETTERS,
        zh="{hours} 小时内答复",
        en="answered in {hours} h",
        clock="handover",
        source="letters",
        at_least=1.0,
        of=Of.HANDOVER,
    ),
    Indicator(
        name="letters_overdue",
        block=Block.LETTERS,
        zh="逾 {hours} 小时未答复",
        en="without an answer after {hours} h",
        clock="handover",
        source="letters",
        share=False,
        state=True,
        of=Of.HANDOVER,
    ),
)
BY_NAME: Final = {indicator.name: indicator for indicator in INDICATORS}


def find(name: str) -> Indicator:
    """The indicator of that name. Raises `IndicatorNotFoundError`."""
    found = BY_NAME.get(name)
    if found is None:
        raise IndicatorNotFoundError
    return found
