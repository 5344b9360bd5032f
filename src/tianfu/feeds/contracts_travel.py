"""Contracts with carriers: who sat where on which flight, train or coach. Pure.

A seat says nothing of a risk by itself, so no list needs a second person; lists may come before departure.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tianfu.evidence.travel_kinds import Journey, JourneyMode
from tianfu.feeds.cells import Cells
from tianfu.feeds.contract import DOCUMENT_COLUMNS, PLACE_COLUMN, REPORTED_COLUMN, Column, Contract, Row, Shape
from tianfu.feeds.words import VENTILATION_WORDS
from tianfu.interval import Interval
from tianfu.residents.documents import Document

# The longest train has 20 carriages of about 25 rows; no row of seats is beyond this.
ROW_MAX: Final = 120


class _Carrier(msgspec.Struct, frozen=True):
    """What is particular to one means of transport: the column and shape of a service's number, and of a seat."""

    mode: JourneyMode
    service: str
    shape: re.Pattern[str]
    zh: str
    en: str


_FLIGHT: Final = _Carrier(
    JourneyMode.AIR,
    "flight",
    re.compile(r"[A-Z0-9]{2}[A-Z]?[0-9]{1,4}[A-Z]?", re.ASCII),
    "应为航班号，如 3U8633。",
    "must be a flight number like 3U8633",
)
_TRAIN: Final = _Carrier(
    JourneyMode.RAIL,
    "train",
    re.compile(r"[A-Z]?[0-9]{1,4}", re.ASCII),
    "应为车次，如 G8707。",
    "must be a train number like G8707",
)
_COACH: Final = _Carrier(
    JourneyMode.COACH,
    "coach",
    re.compile(r"[0-9A-Z\u4e00-\u9fff\-]{2,20}"),
    "应为班次号或车牌号。",
    "must be the number of the run or of the coach",
)
_CARRIAGE: Final = re.compile(r"[0-9]{1,2}[A-Z]?", re.ASCII)
_SEAT: Final = re.compile(r"[0-9]{0,3}[A-Z]{0,2}", re.ASCII)


def _read_flight(cells: Cells, document: Document) -> Row | None:
    return _journey(cells, document, _FLIGHT)


def _read_train(cells: Cells, document: Document) -> Row | None:
    return _journey(cells, document, _TRAIN)


def _read_coach(cells: Cells, document: Document) -> Row | None:
    return _journey(cells, document, _COACH)


def _journey(cells: Cells, document: Document, carrier: _Carrier) -> Row | None:
    record = cells.key("record_id")
    service = cells.matching(carrier.service, carrier.shape, carrier.zh, carrier.en)
    departed_at, arrived_at = cells.instant("departed_at", ahead=True), cells.instant("arrived_at", ahead=True)
    cells.ordered("departed_at", departed_at, "arrived_at", arrived_at)
    origin, destination = cells.division_or_none("origin"), cells.division_or_none("destination")
    carriage = cells.matching_or_none("carriage", _CARRIAGE, "应为车厢号，如 05。", "must be a carriage like 05")
    row, crew = cells.integer_or_none("row", 1, ROW_MAX), cells.yes("crew")
    seat = cells.matching_or_none("seat", _SEAT, "应为座位号，如 F、12A。", "must be a seat like F or 12A")
    ventilation = cells.choice_or_none("ventilation", VENTILATION_WORDS)
    reported_at, place = cells.instant("reported_at"), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"journey/{record}",
        attributes=Journey(
            mode=carrier.mode,
            service=service,
            departed_at=departed_at,
            arrived_at=arrived_at,
            origin=origin,
            destination=destination,
            # 5 and 05 are one carriage: whoever compares two travellers must find it so.
            carriage=None if carriage is None else carriage.lstrip("0") or "0",
            row=row,
            seat=seat,
            ventilation=ventilation,
            crew=crew,
        ),
        occurred_at=reported_at,
        valid=Interval(departed_at),
        place=place,
    )


_RECORD_COLUMN: Final = Column("record_id", "记录编号", "the carrier's key of the booking and seat: the record")
_TIMES: Final = (
    Column("departed_at", "出发时间", "when the person boarded, or will; may lie ahead", shape=Shape.INSTANT),
    Column("arrived_at", "到达时间", "when the person got off, or will; may lie ahead", shape=Shape.INSTANT),
    Column("origin", "出发地行政区划代码", "where they boarded", required=False, shape=Shape.DIVISION),
    Column("destination", "到达地行政区划代码", "where they got off", required=False, shape=Shape.DIVISION),
)
_ROW_COLUMN: Final = Column("row", "排", f"row of seats, 1 to {ROW_MAX}", required=False, shape=Shape.INTEGER)
_SEAT_COLUMN: Final = Column("seat", "座位", "letter or number of the seat", required=False)
_CREW_COLUMN: Final = Column(
    "crew", "是否乘务人员", "whether the person worked aboard", required=False, shape=Shape.YES_NO
)
_VENTILATION_COLUMN: Final = Column(
    "ventilation",
    "通风情况",
    "sealed with air conditioning, or open to fresh air",
    required=False,
    shape=Shape.CHOICE,
    words=VENTILATION_WORDS,
)
_END: Final = (_CREW_COLUMN, REPORTED_COLUMN, PLACE_COLUMN)

AVIATION: Final = Contract(
    feed="aviation",
    zh="航班旅客",
    en="passengers of flights",
    source="aviation",
    kind="journey",
    record="the seat booked",
    every_hours=24,
    interface="行程申报",
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("flight", "航班号", "number of the flight, such as 3U8633"),
        *_TIMES,
        _ROW_COLUMN,
        _SEAT_COLUMN,
        *_END,
    ),
    read=_read_flight,
)
RAILWAY: Final = Contract(
    feed="railway",
    zh="列车旅客",
    en="passengers of trains",
    source="railway",
    kind="journey",
    record="the seat booked",
    every_hours=24,
    interface="行程申报",
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("train", "车次", "number of the train, such as G8707"),
        *_TIMES,
        Column("carriage", "车厢", "number of the carriage; 05 and 5 are the same", required=False),
        _ROW_COLUMN,
        _SEAT_COLUMN,
        _VENTILATION_COLUMN,
        *_END,
    ),
    read=_read_train,
)
COACH: Final = Contract(
    feed="coach",
    zh="客运班车旅客",
    en="passengers of coaches",
    source="transport",
    kind="journey",
    record="the seat booked",
    every_hours=24,
    interface="行程申报",
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("coach", "班次或车牌", "number of the run, or of the coach"),
        *_TIMES,
        _ROW_COLUMN,
        _SEAT_COLUMN,
        _VENTILATION_COLUMN,
        *_END,
    ),
    read=_read_coach,
)
