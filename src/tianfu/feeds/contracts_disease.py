"""Contracts about infection itself: cases, contacts, letters of assistance, companions found by telecom. Pure.

All of them restrict people, so a file of more than 500 rows needs a second person: investigators name contacts by the
dozen, and a list ten times as long is a wave, where a look costs a minute, or a mistake.
"""

from __future__ import annotations

from typing import Final

from tianfu.evidence.circumstance_kinds import Letter
from tianfu.evidence.kinds import Case, CaseStatus, Contact, ContactSetting, ContactTier
from tianfu.feeds.cells import Cells
from tianfu.feeds.contract import DOCUMENT_COLUMNS, PLACE_COLUMN, REPORTED_COLUMN, Column, Contract, Row, Shape
from tianfu.feeds.words import LETTER_WORDS, SETTING_WORDS, STATUS_WORDS, TIER_WORDS
from tianfu.interval import Interval
from tianfu.residents.documents import Document

LIST_ROWS_ALONE_MAX: Final = 500

_EXPOSED_COLUMN: Final = Column(
    "last_exposure_at", "末次暴露时间", "when the person was last exposed", shape=Shape.INSTANT
)
_DESIGNATED_COLUMN: Final = Column(
    "designated_at",
    "判定时间",
    "when the person was named; a later one revises the record",
    shape=Shape.INSTANT,
)


def _read_case(cells: Cells, document: Document) -> Row | None:
    record, status = cells.key("case_id"), cells.choice("status", STATUS_WORDS)
    diagnosed_at, reported_at = cells.instant("diagnosed_at"), cells.instant("reported_at")
    onset_at, discharged_at = cells.instant_or_none("onset_at"), cells.instant_or_none("discharged_at")
    cells.ordered("diagnosed_at", diagnosed_at, "reported_at", reported_at)
    cells.ordered("diagnosed_at", diagnosed_at, "discharged_at", discharged_at)
    cells.ordered("onset_at", onset_at, "reported_at", reported_at)
    if (status is CaseStatus.DISCHARGED) != (discharged_at is not None):
        cells.fault(
            "discharged_at",
            "discharge",
            "出院时间应在且仅在状态为出院时填写。",
            "must be there when, and only when, the status is discharged",
        )
    place = cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=record,
        attributes=Case(status=status, diagnosed_at=diagnosed_at, onset_at=onset_at, discharged_at=discharged_at),
        occurred_at=reported_at,
        valid=Interval(diagnosed_at),
        place=place,
    )


def _read_contact(cells: Cells, document: Document) -> Row | None:
    record, case = cells.key("record_id"), cells.key("case_id")
    tier, setting = cells.choice("tier", TIER_WORDS), cells.choice_or_none("setting", SETTING_WORDS)
    last_exposure_at, designated_at = cells.instant("last_exposure_at"), cells.instant("designated_at")
    parent, place = cells.key_or_none("parent"), cells.place("place")
    if parent is not None and tier is not ContactTier.SECONDARY:
        cells.fault("parent", "parent", "仅次密接可填写。", "is for contacts of contacts (secondary) only")
    elif parent is not None and parent == record:
        cells.fault("parent", "parent", "不能为本记录自身。", "must be another record than this one")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=record,
        attributes=Contact(
            tier=tier,
            last_exposure_at=last_exposure_at,
            designated_at=designated_at,
            case=case,
            setting=setting,
            parent=parent,
        ),
        occurred_at=designated_at,
        valid=Interval(min(last_exposure_at, designated_at)),
        place=place,
    )


def _read_letter(cells: Cells, document: Document) -> Row | None:
    record, number = cells.key("record_id"), cells.key("letter_number")
    names = cells.choice("names", LETTER_WORDS)
    issued_at, exposed_at = cells.instant("issued_at"), cells.instant_or_none("exposed_at")
    cells.ordered("exposed_at", exposed_at, "issued_at", issued_at)
    reported_at, place = cells.instant("reported_at"), cells.place("place")
    cells.ordered("issued_at", issued_at, "reported_at", reported_at)
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"letter/{record}",
        attributes=Letter(number=number, names=names, issued_at=issued_at, exposed_at=exposed_at),
        occurred_at=reported_at,
        valid=Interval(issued_at),
        place=place,
    )


def _read_companion(cells: Cells, document: Document) -> Row | None:
    record, case = cells.key("record_id"), cells.key("case_id")
    last_exposure_at, designated_at = cells.instant("last_exposure_at"), cells.instant("designated_at")
    # Found in stays that are over by then, so nobody is designated before the exposure.
    cells.ordered("last_exposure_at", last_exposure_at, "designated_at", designated_at)
    place = cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"companion/{record}",
        attributes=Contact(
            tier=ContactTier.COPRESENT,
            last_exposure_at=last_exposure_at,
            designated_at=designated_at,
            case=case,
            setting=ContactSetting.TELECOM,
        ),
        occurred_at=designated_at,
        valid=Interval(last_exposure_at),
        place=place,
    )


CASES: Final = Contract(
    feed="cases",
    zh="病例报告",
    en="case reports: suspects, cases, discharges",
    source="health",
    kind="case",
    record="the case; each report on it replaces the one before: suspected, then confirmed, then discharged",
    every_hours=24,
    second_person_over=LIST_ROWS_ALONE_MAX,
    columns=(
        Column("case_id", "病例编号", "the department's key of the case: the record"),
        *DOCUMENT_COLUMNS,
        Column("status", "状态", "where the case stands", shape=Shape.CHOICE, words=STATUS_WORDS),
        Column("diagnosed_at", "诊断时间", "when the diagnosis, or the suspicion, was made", shape=Shape.INSTANT),
        Column("onset_at", "发病时间", "when symptoms began", required=False, shape=Shape.INSTANT),
        Column(
            "discharged_at",
            "出院时间",
            "when the person left hospital; for discharged only",
            required=False,
            shape=Shape.INSTANT,
        ),
        REPORTED_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_case,
)
CONTACTS: Final = Contract(
    feed="contacts",
    zh="密切接触者名单",
    en="contacts of cases",
    source="cdc",
    kind="contact",
    record="the entry",
    every_hours=24,
    second_person_over=LIST_ROWS_ALONE_MAX,
    columns=(
        Column("record_id", "记录编号", "the department's key of the entry: the record"),
        *DOCUMENT_COLUMNS,
        Column("tier", "类别", "how near the contact was", shape=Shape.CHOICE, words=TIER_WORDS),
        _EXPOSED_COLUMN,
        _DESIGNATED_COLUMN,
        Column("case_id", "病例编号", "the department's key of the index case"),
        Column(
            "setting",
            "判定依据",
            "on what ground the person is a contact",
            required=False,
            shape=Shape.CHOICE,
            words=SETTING_WORDS,
        ),
        Column(
            "parent",
            "上级密接记录编号",
            "for secondary only: the record_id of the close contact through whom; their tests count here",
            required=False,
        ),
        PLACE_COLUMN,
    ),
    read=_read_contact,
)
LETTERS: Final = Contract(
    feed="letters",
    zh="协查函名单",
    en="letters of assistance from other places",
    source="cdc",
    kind="letter",
    record="the entry",
    # Other places write when they have something to write.
    every_hours=None,
    second_person_over=LIST_ROWS_ALONE_MAX,
    columns=(
        Column("record_id", "记录编号", "the department's key of the entry: the record"),
        *DOCUMENT_COLUMNS,
        Column("letter_number", "协查函编号", "number of the letter"),
        Column("names", "协查类别", "what the letter says the person is", shape=Shape.CHOICE, words=LETTER_WORDS),
        Column("issued_at", "发函时间", "when the letter was issued", shape=Shape.INSTANT),
        Column("exposed_at", "暴露时间", "when the person was exposed, if known", required=False, shape=Shape.INSTANT),
        REPORTED_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_letter,
)
TELECOM_COMPANIONS: Final = Contract(
    feed="telecom_companions",
    zh="时空伴随人员名单",
    en="companions in space and time, as a list; never raw signalling",
    source="telecom",
    kind="contact",
    record="the entry",
    every_hours=None,
    second_person_over=LIST_ROWS_ALONE_MAX,
    columns=(
        Column("record_id", "记录编号", "the department's key of the entry: the record"),
        *DOCUMENT_COLUMNS,
        _EXPOSED_COLUMN,
        _DESIGNATED_COLUMN,
        Column("case_id", "病例编号", "the health department's key of the index case"),
        PLACE_COLUMN,
    ),
    read=_read_companion,
)
