"""Contracts about care: isolation, fever clinics, medicines, vaccination. Pure."""

from __future__ import annotations

from typing import Final

from tianfu.evidence.care_kinds import FeverVisit, Isolation, Medicine, Vaccination
from tianfu.feeds.cells import Cells
from tianfu.feeds.contract import DOCUMENT_COLUMNS, PLACE_COLUMN, REPORTED_COLUMN, Column, Contract, Row, Shape
from tianfu.feeds.words import STAGE_WORDS
from tianfu.interval import Interval
from tianfu.residents.documents import Document

# No schedule has come near this many doses of one vaccine.
DOSES_MAX: Final = 20

_RECORD_COLUMN: Final = Column("record_id", "记录编号", "the department's key of the entry: the record")


def _read_isolation(cells: Cells, document: Document) -> Row | None:
    record, stage = cells.key("record_id"), cells.choice("stage", STAGE_WORDS)
    began_at, ended_at = cells.instant("began_at"), cells.instant_or_none("ended_at")
    cells.ordered("began_at", began_at, "ended_at", ended_at)
    site, reported_at, place = cells.key_or_none("site"), cells.instant("reported_at"), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"isolation/{record}",
        attributes=Isolation(stage=stage, began_at=began_at, ended_at=ended_at, site=site),
        occurred_at=reported_at,
        # Counts on after its end: what follows isolation is reckoned from there.
        valid=Interval(began_at),
        place=place,
    )


def _read_fever_visit(cells: Cells, document: Document) -> Row | None:
    record, institution = cells.key("record_id"), cells.key("institution")
    visited_at, excluded_at = cells.instant("visited_at"), cells.instant_or_none("excluded_at")
    cells.ordered("visited_at", visited_at, "excluded_at", excluded_at)
    reported_at, place = cells.instant("reported_at"), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"fever/{record}",
        attributes=FeverVisit(visited_at=visited_at, institution=institution, excluded_at=excluded_at),
        occurred_at=reported_at,
        valid=Interval(visited_at),
        place=place,
    )


def _read_medicine(cells: Cells, document: Document) -> Row | None:
    record, pharmacy = cells.key("record_id"), cells.code("pharmacy")
    bought_at, place = cells.instant("bought_at"), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"{pharmacy}/{record}",
        attributes=Medicine(bought_at=bought_at, pharmacy=pharmacy),
        occurred_at=bought_at,
        valid=Interval(bought_at),
        place=place,
    )


def _read_vaccination(cells: Cells, document: Document) -> Row | None:
    record, dose = cells.key("record_id"), cells.integer("dose", 1, DOSES_MAX)
    vaccinated_at, product = cells.instant("vaccinated_at", day=True), cells.key("product")
    reported_at, place = cells.instant("reported_at", day=True), cells.place("place")
    cells.ordered("vaccinated_at", vaccinated_at, "reported_at", reported_at)
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"vaccination/{record}",
        attributes=Vaccination(dose=dose, vaccinated_at=vaccinated_at, product=product),
        occurred_at=reported_at,
        valid=Interval(vaccinated_at),
        place=place,
    )


ISOLATION: Final = Contract(
    feed="isolation",
    zh="隔离与健康监测名单",
    en="stages of isolation and monitoring",
    source="health",
    kind="isolation",
    record="the entry: one stage of one person, revised when it ends",
    every_hours=24,
    # Restricts people, as lists of contacts do: the same threshold.
    second_person_over=500,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("stage", "管理方式", "where the person stays", shape=Shape.CHOICE, words=STAGE_WORDS),
        Column("began_at", "开始时间", "when the stage began", shape=Shape.INSTANT),
        Column("ended_at", "结束时间", "when it ended; empty while it lasts", required=False, shape=Shape.INSTANT),
        Column("site", "场所代码", "code of the institution", required=False),
        REPORTED_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_isolation,
)
FEVER_CLINIC: Final = Contract(
    feed="fever_clinic",
    zh="发热门诊就诊",
    en="visits to fever clinics",
    source="health",
    kind="fever_visit",
    record="the visit",
    every_hours=24,
    # A clinic states what happened there; a large city has thousands of visits a day.
    second_person_over=None,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("visited_at", "就诊时间", "when the person was seen", shape=Shape.INSTANT),
        Column("institution", "医疗机构代码", "code of the institution"),
        Column("excluded_at", "排除时间", "when the clinic ruled the disease out", required=False, shape=Shape.INSTANT),
        REPORTED_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_fever_visit,
)
MEDICINE: Final = Contract(
    feed="medicine",
    zh="购药登记",
    en="purchases of medicines that must be reported",
    source="pharmacy",
    kind="medicine",
    record="the pharmacy and the sale together",
    every_hours=24,
    # At worst a pop-up until a test; thousands a day.
    second_person_over=None,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("bought_at", "购买时间", "when it was bought", shape=Shape.INSTANT),
        Column("pharmacy", "药店代码", "code of the pharmacy, at most 32 characters"),
        PLACE_COLUMN,
    ),
    read=_read_medicine,
)
VACCINATION: Final = Contract(
    feed="vaccination",
    zh="疫苗接种",
    en="vaccinations",
    source="immunisation",
    kind="vaccination",
    record="the entry: one dose of one person",
    every_hours=24,
    # Restricts nobody.
    second_person_over=None,
    interface="健康信息查询",
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("dose", "剂次", f"1 for the first dose, at most {DOSES_MAX}", shape=Shape.INTEGER),
        Column("vaccinated_at", "接种时间", "when it was given; a day alone is its first instant", shape=Shape.DAY),
        Column("product", "疫苗产品代码", "the maker's code of the vaccine"),
        Column(
            "reported_at",
            "报告时间",
            "when the department made this report; a later one revises the record",
            shape=Shape.DAY,
        ),
        PLACE_COLUMN,
    ),
    read=_read_vaccination,
)
