"""Contracts with laboratories: samples taken and results, single or pooled. Pure."""

from __future__ import annotations

from typing import Final

from tianfu.evidence.care_kinds import Sampling
from tianfu.evidence.kinds import Test
from tianfu.feeds.cells import Cells
from tianfu.feeds.contract import DOCUMENT_COLUMNS, PLACE_COLUMN, Column, Contract, Row, Shape
from tianfu.feeds.words import METHOD_WORDS, RESULT_WORDS
from tianfu.interval import Interval
from tianfu.residents.documents import Document

_SAMPLE_COLUMN: Final = Column(
    "sample_id", "样本编号", "the laboratory's key of the sample; with the laboratory it is the record"
)
_SAMPLED_COLUMN: Final = Column("sampled_at", "采样时间", "when the sample was taken", shape=Shape.INSTANT)
_METHOD_COLUMN: Final = Column("method", "方法", "how it is tested", shape=Shape.CHOICE, words=METHOD_WORDS)
_LABORATORY_COLUMN: Final = Column("laboratory", "检测机构代码", "code of the institution, at most 32 characters")
_TUBE_COLUMNS: Final = (
    Column("pooled", "是否混管", "whether others' samples are in the same tube", required=False, shape=Shape.YES_NO),
    Column("tube", "采样管编号", "the laboratory's key of the tube; must be there when pooled", required=False),
)


def _tube(cells: Cells) -> tuple[bool, str | None]:
    if not cells.text("pooled") and not cells.text("tube"):
        return False, None
    pooled, tube = cells.yes("pooled"), cells.key_or_none("tube")
    if pooled and tube is None:
        cells.fault("tube", "tube", "混管样本必须填写采样管编号。", "must be there for a pooled sample")
    return pooled, tube


def _read_lab(cells: Cells, document: Document) -> Row | None:
    sample, laboratory = cells.key("sample_id"), cells.code("laboratory")
    result, method = cells.choice("result", RESULT_WORDS), cells.choice("method", METHOD_WORDS)
    sampled_at, resulted_at = cells.instant("sampled_at"), cells.instant("resulted_at")
    cells.ordered("sampled_at", sampled_at, "resulted_at", resulted_at)
    pooled, tube = _tube(cells)
    place = cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"{laboratory}/{sample}",
        attributes=Test(
            result=result,
            method=method,
            sampled_at=sampled_at,
            resulted_at=resulted_at,
            laboratory=laboratory,
            pooled=pooled,
            tube=tube,
        ),
        occurred_at=resulted_at,
        valid=Interval(sampled_at),
        place=place,
    )


def _read_sampling(cells: Cells, document: Document) -> Row | None:
    sample, laboratory = cells.key("sample_id"), cells.code("laboratory")
    method, sampled_at = cells.choice("method", METHOD_WORDS), cells.instant("sampled_at")
    pooled, tube = _tube(cells)
    place = cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        # The record of the result: once that is there it takes the place of the sampling, which so counts once.
        source_record=f"{laboratory}/{sample}",
        attributes=Sampling(sampled_at=sampled_at, method=method, laboratory=laboratory, pooled=pooled, tube=tube),
        occurred_at=sampled_at,
        valid=Interval(sampled_at),
        place=place,
    )


LAB: Final = Contract(
    feed="lab",
    zh="核酸、抗原、抗体检测结果",
    en="laboratory results",
    source="laboratory",
    kind="test",
    record="the laboratory and the sample together",
    # Results are promised within 12 hours and come all day (24 hours pooled, 6 single); an hour without any is odd.
    every_hours=1,
    # A file of mass testing has 200,000 rows, and a second look would hold up the negatives that let people out.
    second_person_over=None,
    interface="健康信息查询",
    columns=(
        *DOCUMENT_COLUMNS,
        _SAMPLE_COLUMN,
        _SAMPLED_COLUMN,
        Column(
            "resulted_at",
            "出结果时间",
            "when the result was known; a later one revises the record",
            shape=Shape.INSTANT,
        ),
        Column("result", "结果", "what was found", shape=Shape.CHOICE, words=RESULT_WORDS),
        _METHOD_COLUMN,
        _LABORATORY_COLUMN,
        *_TUBE_COLUMNS,
        PLACE_COLUMN,
    ),
    read=_read_lab,
)
SAMPLING: Final = Contract(
    feed="sampling",
    zh="采样登记",
    en="samples taken, results to follow",
    source="laboratory",
    kind="sampling",
    record="the laboratory and the sample together, as in `lab`: the result takes the place of the sampling",
    every_hours=1,
    # It only ever eases what is asked of a person.
    second_person_over=None,
    columns=(
        *DOCUMENT_COLUMNS,
        _SAMPLE_COLUMN,
        _SAMPLED_COLUMN,
        _METHOD_COLUMN,
        _LABORATORY_COLUMN,
        *_TUBE_COLUMNS,
        PLACE_COLUMN,
    ),
    read=_read_sampling,
)
