"""Contracts about who people are: identity, institutions, duties, orders, other authorities' colours. Pure."""

from __future__ import annotations

import re
from typing import Final

from tianfu.evidence.circumstance_kinds import ColourElsewhere, Emergency, IdentityCheck, Membership, TestDuty
from tianfu.feeds.cells import Cells
from tianfu.feeds.contract import DOCUMENT_COLUMNS, PLACE_COLUMN, REPORTED_COLUMN, Column, Contract, Row, Shape
from tianfu.feeds.words import COLOUR_WORDS, DUTY_WORDS, EMERGENCY_WORDS, GROUP_WORDS, OUTCOME_WORDS
from tianfu.interval import Interval
from tianfu.residents.documents import Document

DUTY_DAYS_MAX: Final = 90
# The state's own platform, as an authority among the provinces'.
STATE: Final = "000000"

_AUTHORITY: Final = re.compile(r"[1-9][0-9]0000", re.ASCII)
_RECORD_COLUMN: Final = Column("record_id", "记录编号", "the department's key of the entry: the record")


def _read_identity(cells: Cells, document: Document) -> Row | None:
    record, outcome = cells.key("record_id"), cells.choice("outcome", OUTCOME_WORDS)
    checked_at = cells.instant("checked_at")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"identity/{record}",
        attributes=IdentityCheck(checked_at=checked_at, outcome=outcome),
        occurred_at=checked_at,
        valid=Interval(checked_at),
        place=None,
    )


def _read_membership(cells: Cells, document: Document) -> Row | None:
    record, group = cells.key("record_id"), cells.choice("group", GROUP_WORDS)
    institution, unit = cells.key("institution"), cells.key_or_none("unit")
    began_at = cells.instant("began_at", day=True)
    ended_at = cells.instant_or_none("ended_at", day=True, ahead=True)
    cells.ordered("began_at", began_at, "ended_at", ended_at)
    reported_at, place = cells.instant("reported_at", day=True), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"member/{record}",
        attributes=Membership(group=group, institution=institution, began_at=began_at, unit=unit, ended_at=ended_at),
        occurred_at=reported_at,
        valid=Interval(began_at, ended_at),
        place=place,
    )


def _read_duty(cells: Cells, document: Document) -> Row | None:
    record, group = cells.key("record_id"), cells.choice("group", DUTY_WORDS)
    every_days = cells.integer("every_days", 1, DUTY_DAYS_MAX)
    starts_at = cells.instant("starts_at", day=True, ahead=True)
    ends_at = cells.instant_or_none("ends_at", day=True, ahead=True)
    cells.ordered("starts_at", starts_at, "ends_at", ends_at)
    reported_at, place = cells.instant("reported_at", day=True), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"duty/{record}",
        attributes=TestDuty(group=group, every_days=every_days, starts_at=starts_at, ends_at=ends_at),
        occurred_at=reported_at,
        valid=Interval(starts_at, ends_at),
        place=place,
    )


def _read_emergency(cells: Cells, document: Document) -> Row | None:
    record, order = cells.key("record_id"), cells.key("order")
    level, reported_at = cells.choice("level", EMERGENCY_WORDS), cells.instant("reported_at")
    ordered_at, ends_at = cells.instant("ordered_at"), cells.instant("ends_at", ahead=True)
    cells.ordered("ordered_at", ordered_at, "ends_at", ends_at)
    place = cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"emergency/{record}",
        attributes=Emergency(order=order, level=level, ordered_at=ordered_at, ends_at=ends_at),
        occurred_at=reported_at,
        valid=Interval(ordered_at, ends_at),
        place=place,
    )


def _read_elsewhere(cells: Cells, document: Document) -> Row | None:
    authority = cells.matching(
        "authority", _AUTHORITY, "应为省级行政区划代码，如 500000。", "must be a province's division code like 500000"
    )
    return _colour(cells, document, authority)


def _read_national(cells: Cells, document: Document) -> Row | None:
    return _colour(cells, document, STATE)


def _colour(cells: Cells, document: Document, authority: str) -> Row | None:
    record, colour = cells.key("record_id"), cells.choice("colour", COLOUR_WORDS)
    stated_at, ends_at = cells.instant("stated_at"), cells.instant_or_none("ends_at", ahead=True)
    cells.ordered("stated_at", stated_at, "ends_at", ends_at)
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"colour/{authority}/{record}",
        attributes=ColourElsewhere(authority=authority, colour=colour, stated_at=stated_at, ends_at=ends_at),
        occurred_at=stated_at,
        valid=Interval(stated_at, ends_at),
        place=None,
    )


_REPORTED_DAY_COLUMN: Final = Column(
    "reported_at",
    "报告时间",
    "when the department made this list; a later one revises the record",
    shape=Shape.DAY,
)
_MEMBER_COLUMNS: Final = (
    _RECORD_COLUMN,
    *DOCUMENT_COLUMNS,
    Column("group", "身份", "what the person is there", shape=Shape.CHOICE, words=GROUP_WORDS),
    Column("institution", "机构代码", "code of the institution"),
    Column("unit", "班级、科室或房间", "code of the unit in it", required=False),
    Column("began_at", "开始时间", "since when", shape=Shape.DAY),
    Column("ended_at", "结束时间", "until when; may lie ahead", required=False, shape=Shape.DAY),
    _REPORTED_DAY_COLUMN,
    PLACE_COLUMN,
)
_COLOUR_COLUMNS: Final = (
    Column("colour", "码色", "what the other side shows", shape=Shape.CHOICE, words=COLOUR_WORDS),
    Column("stated_at", "赋码时间", "since when it says so; a later one revises the record", shape=Shape.INSTANT),
    Column("ends_at", "失效时间", "when it stops holding, if the other side says", required=False, shape=Shape.INSTANT),
)
IDENTITY: Final = Contract(
    feed="identity",
    zh="身份核验结果",
    en="identity checks",
    source="police",
    kind="identity_check",
    record="the check",
    # The register answers what it is asked.
    every_hours=None,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("checked_at", "核验时间", "when the register was asked", shape=Shape.INSTANT),
        Column("outcome", "核验结果", "what the register said", shape=Shape.CHOICE, words=OUTCOME_WORDS),
    ),
    read=_read_identity,
)
EDUCATION: Final = Contract(
    feed="education",
    zh="学生和教职工名册",
    en="members of schools",
    source="education",
    kind="membership",
    record="the entry: one person in one institution",
    # Rolls are sent at the start of a term and when somebody moves.
    every_hours=None,
    columns=_MEMBER_COLUMNS,
    read=_read_membership,
)
CIVIL_AFFAIRS: Final = Contract(
    feed="civil_affairs",
    zh="养老等机构人员名册",
    en="members of care homes and other institutions",
    source="civil_affairs",
    kind="membership",
    record="the entry: one person in one institution",
    every_hours=None,
    columns=_MEMBER_COLUMNS,
    read=_read_membership,
)
TEST_DUTIES: Final = Contract(
    feed="test_duties",
    zh="应检尽检人员名单",
    en="people who must be tested regularly; any department may send it",
    source="health",
    kind="test_duty",
    record="the entry: one person in one group",
    every_hours=None,
    # Large by nature (all teachers of a city); at worst a reminder until the next test.
    second_person_over=None,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("group", "人群类别", "which group", shape=Shape.CHOICE, words=DUTY_WORDS),
        Column("every_days", "检测间隔天数", f"days between tests, 1 to {DUTY_DAYS_MAX}", shape=Shape.INTEGER),
        Column("starts_at", "开始时间", "since when; may lie ahead", shape=Shape.DAY),
        Column("ends_at", "结束时间", "until when; may lie ahead", required=False, shape=Shape.DAY),
        _REPORTED_DAY_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_duty,
)
EMERGENCY: Final = Contract(
    feed="emergency",
    zh="应急赋码人员名单",
    en="people covered by an order of the headquarters",
    source="headquarters",
    kind="emergency",
    record="the entry: one person under one order",
    every_hours=None,
    # A colour without a test or a contact behind it has been abused: no such list counts on one person's word.
    second_person_over=0,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("order", "命令编号", "key of the order, which states scope, reason and end"),
        Column("level", "赋码级别", "what the order asks for", shape=Shape.CHOICE, words=EMERGENCY_WORDS),
        Column("ordered_at", "命令时间", "when the order was made", shape=Shape.INSTANT),
        Column("ends_at", "终止时间", "when the order ends; may lie ahead, never missing", shape=Shape.INSTANT),
        REPORTED_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_emergency,
)
COLOURS_ELSEWHERE: Final = Contract(
    feed="colours_elsewhere",
    zh="外省健康码",
    en="colours of other provinces' codes",
    source="elsewhere",
    kind="colour_elsewhere",
    record="the authority and the entry together",
    # Another province's change arrives within two to four hours.
    every_hours=4,
    # The other province has decided and answers for it.
    second_person_over=None,
    interface="健康信息查询",
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("authority", "省级行政区划代码", "whose code says so, such as 500000", shape=Shape.PLACE),
        *_COLOUR_COLUMNS,
    ),
    read=_read_elsewhere,
)
COLOURS_NATIONAL: Final = Contract(
    feed="colours_national",
    zh="国家平台健康状态",
    en="states of the national platform",
    source="national",
    kind="colour_elsewhere",
    record="the entry",
    every_hours=4,
    second_person_over=None,
    interface="健康信息查询",
    columns=(_RECORD_COLUMN, *DOCUMENT_COLUMNS, *_COLOUR_COLUMNS),
    read=_read_national,
)
