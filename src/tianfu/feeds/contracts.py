"""What each department's file must look like, and what a row of it states. Pure: text in, evidence or faults out.

A contract is a list of columns and a function; intake, quarantine, the command and the data dictionary (docs/feeds.md)
read it from here. A new feed is a new contract in `CONTRACTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from tianfu.errors import Fault
from tianfu.evidence.kinds import Attributes, Case, CaseStatus, Contact, ContactTier, Test
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.feeds.cells import Cells
from tianfu.interval import Interval
from tianfu.residents import documents
from tianfu.residents.documents import Document, DocumentType


class Column(msgspec.Struct, frozen=True):
    """One column: its name in the header, what it means, and whether a file must have it and each row fill it."""

    name: str
    zh: str
    en: str
    required: bool = True


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one row states about the holder of one document; the fields are those of `NewEvidence`."""

    document: Document
    source_record: str
    attributes: Attributes
    occurred_at: datetime
    valid: Interval
    place: str | None


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One feed. `source` is the department that sends it unless the operator names another."""

    feed: str
    zh: str
    en: str
    source: str
    columns: tuple[Column, ...]
    read: Callable[[Cells, Document], Row | None]

    def parse(self, cells: Mapping[str, str], received_at: datetime) -> Row | tuple[Fault, ...]:
        """The row, or everything that is wrong with it."""
        reading = Cells(cells, received_at)
        document = _document(reading, received_at)
        row = self.read(reading, document or _NO_DOCUMENT)
        if reading.faults or row is None:
            return tuple(reading.faults)
        return row


RESULT_WORDS: Final = {
    "positive": TestResult.POSITIVE,
    "negative": TestResult.NEGATIVE,
    "indeterminate": TestResult.INDETERMINATE,
    "阳性": TestResult.POSITIVE,
    "阴性": TestResult.NEGATIVE,
    "不确定": TestResult.INDETERMINATE,
}
METHOD_WORDS: Final = {
    "nucleic_acid": TestMethod.NUCLEIC_ACID,
    "antigen": TestMethod.ANTIGEN,
    "antibody": TestMethod.ANTIBODY,
    "核酸": TestMethod.NUCLEIC_ACID,
    "抗原": TestMethod.ANTIGEN,
    "抗体": TestMethod.ANTIBODY,
}
STATUS_WORDS: Final = {
    "confirmed": CaseStatus.CONFIRMED,
    "asymptomatic": CaseStatus.ASYMPTOMATIC,
    "suspected": CaseStatus.SUSPECTED,
    "excluded": CaseStatus.EXCLUDED,
    "discharged": CaseStatus.DISCHARGED,
    "确诊": CaseStatus.CONFIRMED,
    "无症状": CaseStatus.ASYMPTOMATIC,
    "疑似": CaseStatus.SUSPECTED,
    "排除": CaseStatus.EXCLUDED,
    "出院": CaseStatus.DISCHARGED,
}
TIER_WORDS: Final = {
    "close": ContactTier.CLOSE,
    "secondary": ContactTier.SECONDARY,
    "copresent": ContactTier.COPRESENT,
    "密接": ContactTier.CLOSE,
    "次密接": ContactTier.SECONDARY,
    "时空伴随": ContactTier.COPRESENT,
}

# Stands in for a document with faults while the rest of the row is still read for its own; never leaves this module.
_NO_DOCUMENT: Final = Document(DocumentType.RESIDENT_ID, "")
_DOCUMENT_COLUMNS: Final = (
    Column(
        "document_type",
        "证件类型",
        "resident_id, passport, hk_macau_permit, taiwan_permit or foreign_permanent_resident",
    ),
    Column("document_number", "证件号码", "number of the document; the check digit must fit"),
)
_PLACE_COLUMN: Final = Column("place", "行政区划代码", "six-digit division code of GB/T 2260", required=False)


def _document(cells: Cells, received_at: datetime) -> Document | None:
    kind, number = cells.text("document_type").lower(), cells.number("document_number")
    if not kind:
        cells.fault("document_type", "missing", "不能为空。", "must not be empty")
    if not kind or not number:
        return None
    document, faults = documents.inspect(kind, number, at=received_at)
    for fault in faults:
        cells.fault(fault.field.replace(".", "_"), fault.code, fault.zh, fault.en)
    return document


def _read_lab(cells: Cells, document: Document) -> Row | None:
    record = cells.key("sample_id")
    result, method = cells.choice("result", RESULT_WORDS), cells.choice("method", METHOD_WORDS)
    sampled_at, resulted_at = cells.instant("sampled_at"), cells.instant("resulted_at")
    cells.ordered(("sampled_at", sampled_at), ("resulted_at", resulted_at))
    laboratory, place = cells.key("laboratory"), cells.place("place")
    if result is None or method is None or sampled_at is None or resulted_at is None:
        return None
    return Row(
        document=document,
        source_record=f"{laboratory}/{record}",
        attributes=Test(
            result=result, method=method, sampled_at=sampled_at, resulted_at=resulted_at, laboratory=laboratory
        ),
        occurred_at=resulted_at,
        valid=Interval(sampled_at),
        place=place,
    )


def _read_case(cells: Cells, document: Document) -> Row | None:
    record = cells.key("case_id")
    status = cells.choice("status", STATUS_WORDS)
    diagnosed_at, reported_at = cells.instant("diagnosed_at"), cells.instant("reported_at")
    onset_at = cells.instant("onset_at", required=False)
    discharged_at = cells.instant("discharged_at", required=False)
    cells.ordered(("diagnosed_at", diagnosed_at), ("reported_at", reported_at))
    cells.ordered(("diagnosed_at", diagnosed_at), ("discharged_at", discharged_at))
    cells.ordered(("onset_at", onset_at), ("reported_at", reported_at))
    if (status is CaseStatus.DISCHARGED) != bool(cells.text("discharged_at")):
        cells.fault(
            "discharged_at",
            "discharge",
            "出院时间应在且仅在状态为出院时填写。",
            "must be there when, and only when, the status is discharged",
        )
    place = cells.place("place")
    if status is None or diagnosed_at is None or reported_at is None:
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
    record = cells.key("record_id")
    tier, case = cells.choice("tier", TIER_WORDS), cells.key("case_id")
    last_exposure_at, designated_at = cells.instant("last_exposure_at"), cells.instant("designated_at")
    place = cells.place("place")
    if tier is None or last_exposure_at is None or designated_at is None:
        return None
    return Row(
        document=document,
        source_record=record,
        attributes=Contact(tier=tier, last_exposure_at=last_exposure_at, designated_at=designated_at, case=case),
        occurred_at=designated_at,
        valid=Interval(min(last_exposure_at, designated_at)),
        place=place,
    )


LAB: Final = Contract(
    feed="lab",
    zh="核酸、抗原、抗体检测结果",
    en="laboratory results",
    source="laboratory",
    columns=(
        *_DOCUMENT_COLUMNS,
        Column("sample_id", "样本编号", "the laboratory's key of the sample; with the laboratory it is the record"),
        Column("sampled_at", "采样时间", "when the sample was taken"),
        Column("resulted_at", "出结果时间", "when the result was known; a later one revises the record"),
        Column("result", "结果", "positive, negative or indeterminate (阳性, 阴性, 不确定)"),
        Column("method", "方法", "nucleic_acid, antigen or antibody (核酸, 抗原, 抗体)"),
        Column("laboratory", "检测机构代码", "code of the institution"),
        _PLACE_COLUMN,
    ),
    read=_read_lab,
)
CASES: Final = Contract(
    feed="cases",
    zh="病例报告",
    en="case reports",
    source="health",
    columns=(
        Column("case_id", "病例编号", "the department's key of the case: the record"),
        *_DOCUMENT_COLUMNS,
        Column(
            "status",
            "状态",
            "confirmed, asymptomatic, suspected, excluded or discharged (确诊, 无症状, 疑似, 排除, 出院)",
        ),
        Column("diagnosed_at", "诊断时间", "when the diagnosis, or the suspicion, was made"),
        Column("onset_at", "发病时间", "when symptoms began", required=False),
        Column("discharged_at", "出院时间", "when the person left hospital; for discharged only", required=False),
        Column("reported_at", "报告时间", "when the department made this report; a later one revises the record"),
        _PLACE_COLUMN,
    ),
    read=_read_case,
)
CONTACTS: Final = Contract(
    feed="contacts",
    zh="密切接触者名单",
    en="contacts",
    source="cdc",
    columns=(
        Column("record_id", "记录编号", "the department's key of the entry: the record"),
        *_DOCUMENT_COLUMNS,
        Column("tier", "类别", "close, secondary or copresent (密接, 次密接, 时空伴随)"),
        Column("last_exposure_at", "末次暴露时间", "when the person was last exposed"),
        Column("designated_at", "判定时间", "when the person was named a contact; a later one revises the record"),
        Column("case_id", "病例编号", "the department's key of the index case"),
        _PLACE_COLUMN,
    ),
    read=_read_contact,
)
CONTRACTS: Final[Mapping[str, Contract]] = {contract.feed: contract for contract in (LAB, CASES, CONTACTS)}
