"""Contracts about where people come from and stay: border, arrivals, stays, risk areas. Pure."""

from __future__ import annotations

import re
from typing import Final

from tianfu.evidence.travel_kinds import Arrival, ArrivalChannel, BorderEntry, Stay, ZoneStay
from tianfu.feeds.cells import Cells
from tianfu.feeds.contract import DOCUMENT_COLUMNS, PLACE_COLUMN, REPORTED_COLUMN, Column, Contract, Row, Shape
from tianfu.feeds.words import DESTINATION_WORDS, LEVEL_WORDS, RELATION_WORDS
from tianfu.interval import Interval
from tianfu.residents.documents import Document

_CELL: Final = re.compile(r"[0-9]{1,2}\.[0-9]{2},[0-9]{2,3}\.[0-9]{2}", re.ASCII)
_CELL_SHAPE: Final = ("应为 0.01 度网格西南角，如 31.22,104.05。", "must be a square's corner like 31.22,104.05")
_RECORD_COLUMN: Final = Column("record_id", "记录编号", "the department's key of the entry: the record")


def _read_border_entry(cells: Cells, document: Document) -> Row | None:
    record, port = cells.key("record_id"), cells.key("port")
    entered_at, destination = cells.instant("entered_at"), cells.choice("destination", DESTINATION_WORDS)
    isolation_ended_at = cells.instant_or_none("isolation_ended_at")
    left_province_at = cells.instant_or_none("left_province_at")
    cells.ordered("entered_at", entered_at, "isolation_ended_at", isolation_ended_at)
    cells.ordered("entered_at", entered_at, "left_province_at", left_province_at)
    reported_at, place = cells.instant("reported_at"), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"entry/{record}",
        attributes=BorderEntry(
            entered_at=entered_at,
            port=port,
            destination=destination,
            isolation_ended_at=isolation_ended_at,
            left_province_at=left_province_at,
        ),
        occurred_at=reported_at,
        valid=Interval(entered_at),
        place=place,
    )


def _read_telecom_arrival(cells: Cells, document: Document) -> Row | None:
    return _arrival(cells, document, ArrivalChannel.TELECOM)


def _read_community_report(cells: Cells, document: Document) -> Row | None:
    return _arrival(cells, document, ArrivalChannel.REPORT)


def _read_entry_point(cells: Cells, document: Document) -> Row | None:
    return _arrival(cells, document, ArrivalChannel.ENTRY_POINT)


def _arrival(cells: Cells, document: Document, channel: ArrivalChannel) -> Row | None:
    reported = channel is ArrivalChannel.REPORT
    record, origin = cells.key("record_id"), cells.division("origin")
    # People report themselves before they arrive.
    arrived_at = cells.instant("arrived_at", ahead=reported)
    left_origin_at = cells.instant_or_none("left_origin_at")
    cells.ordered("left_origin_at", left_origin_at, "arrived_at", arrived_at)
    origin_level = cells.choice_or_none("origin_level", LEVEL_WORDS)
    reported_at, place = cells.instant("reported_at"), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"arrival/{record}",
        attributes=Arrival(
            arrived_at=arrived_at,
            channel=channel,
            origin=origin,
            origin_level=origin_level,
            left_origin_at=left_origin_at,
        ),
        occurred_at=reported_at,
        valid=Interval(arrived_at),
        place=place,
    )


def _read_stay(cells: Cells, document: Document) -> Row | None:
    record, division = cells.key("record_id"), cells.division("division")
    began_at, ended_at = cells.instant("began_at"), cells.instant_or_none("ended_at")
    cells.ordered("began_at", began_at, "ended_at", ended_at)
    cell = cells.matching_or_none("cell", _CELL, *_CELL_SHAPE)
    reported_at = cells.instant("reported_at")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"stay/{record}",
        attributes=Stay(division=division, began_at=began_at, ended_at=ended_at, cell=cell),
        occurred_at=reported_at,
        valid=Interval(began_at),
        place=division[:6],
    )


def _read_zone(cells: Cells, document: Document) -> Row | None:
    record, zone = cells.key("record_id"), cells.key("zone")
    level, relation = cells.choice("level", LEVEL_WORDS), cells.choice("relation", RELATION_WORDS)
    designated_at, level_since = cells.instant("designated_at"), cells.instant("level_since")
    cells.ordered("designated_at", designated_at, "level_since", level_since)
    left_at, last_infection_at = cells.instant_or_none("left_at"), cells.instant_or_none("last_infection_at")
    reported_at, place = cells.instant("reported_at"), cells.place("place")
    if cells.faults:
        return None
    return Row(
        document=document,
        source_record=f"zone/{record}",
        attributes=ZoneStay(
            zone=zone,
            level=level,
            relation=relation,
            designated_at=designated_at,
            level_since=level_since,
            left_at=left_at,
            last_infection_at=last_infection_at,
        ),
        occurred_at=reported_at,
        valid=Interval(designated_at),
        place=place,
    )


_ARRIVAL_COLUMNS: Final = (
    _RECORD_COLUMN,
    *DOCUMENT_COLUMNS,
    Column("origin", "来源地行政区划代码", "where the person came from", shape=Shape.DIVISION),
    Column("arrived_at", "到达时间", "when the person arrived in the province", shape=Shape.INSTANT),
    Column("left_origin_at", "离开来源地时间", "when the person left there", required=False, shape=Shape.INSTANT),
    Column(
        "origin_level",
        "来源地风险等级",
        "level of the risk area there at the time",
        required=False,
        shape=Shape.CHOICE,
        words=LEVEL_WORDS,
    ),
    REPORTED_COLUMN,
    PLACE_COLUMN,
)
BORDER_ENTRY: Final = Contract(
    feed="border_entry",
    zh="入境人员",
    en="entries into the country",
    source="border",
    kind="border_entry",
    record="the entry, revised when isolation ends or the person leaves the province",
    every_hours=24,
    # A fact of the border, not a judgement; a plane alone has 300 rows.
    second_person_over=None,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("entered_at", "入境时间", "when the person entered the country", shape=Shape.INSTANT),
        Column("port", "口岸代码", "code of the port of entry"),
        Column("destination", "目的地", "where the person is going", shape=Shape.CHOICE, words=DESTINATION_WORDS),
        Column("isolation_ended_at", "解除隔离时间", "when isolation ended", required=False, shape=Shape.INSTANT),
        Column("left_province_at", "离川时间", "when the person left", required=False, shape=Shape.INSTANT),
        REPORTED_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_border_entry,
)
TELECOM_ARRIVALS: Final = Contract(
    feed="telecom_arrivals",
    zh="来川返川人员（通信大数据）",
    en="arrivals that operators noticed, as a list; never raw signalling",
    source="telecom",
    kind="arrival",
    record="the entry",
    every_hours=24,
    # Hundreds of thousands in a night when a holiday ends; at worst a pop-up until a test.
    second_person_over=None,
    interface="行程申报",
    columns=_ARRIVAL_COLUMNS,
    read=_read_telecom_arrival,
)
COMMUNITY_REPORTS: Final = Contract(
    feed="community_reports",
    zh="来川报备",
    en="arrivals reported to communities, before or after",
    source="community",
    kind="arrival",
    record="the report; `arrived_at` may lie ahead",
    every_hours=24,
    # People report themselves.
    second_person_over=None,
    interface="行程申报",
    columns=_ARRIVAL_COLUMNS,
    read=_read_community_report,
)
ENTRY_POINTS: Final = Contract(
    feed="entry_points",
    zh="入川口岸登记",
    en="people registered on arrival at stations, airports and motorway exits",
    source="transport",
    kind="arrival",
    record="the registration",
    every_hours=1,
    # A holiday brings hundreds of thousands a day; at worst a pop-up until a test.
    second_person_over=None,
    interface="行程申报",
    columns=_ARRIVAL_COLUMNS,
    read=_read_entry_point,
)
TELECOM_STAYS: Final = Contract(
    feed="telecom_stays",
    zh="到访地（通信大数据）",
    en="divisions that a person stayed in, as a list; never raw signalling",
    source="telecom",
    kind="stay",
    record="the stay",
    every_hours=24,
    # Says nothing of a risk by itself.
    second_person_over=None,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("division", "到访地行政区划代码", "where the person was", shape=Shape.DIVISION),
        Column("began_at", "开始时间", "when the stay began", shape=Shape.INSTANT),
        Column("ended_at", "结束时间", "when it ended; empty while it lasts", required=False, shape=Shape.INSTANT),
        Column(
            "cell",
            "网格",
            "square of 0.01 degrees by its south-western corner, latitude first: 31.22,104.05",
            required=False,
            shape=Shape.TEXT,
        ),
        REPORTED_COLUMN,
    ),
    read=_read_stay,
)
ZONES: Final = Contract(
    feed="zones",
    zh="风险区人员名单",
    en="people of risk areas, as lists",
    source="headquarters",
    kind="zone_stay",
    record="the entry: one person and one area, revised when the area's level changes",
    # Areas come and go; no list is owed while there is none.
    every_hours=None,
    # Restricts people, as lists of contacts do: the same threshold.
    second_person_over=500,
    columns=(
        _RECORD_COLUMN,
        *DOCUMENT_COLUMNS,
        Column("zone", "风险区编号", "key of the area"),
        Column("level", "风险等级", "level of the area now", shape=Shape.CHOICE, words=LEVEL_WORDS),
        Column(
            "relation", "关系", "whether the person was there or lives there", shape=Shape.CHOICE, words=RELATION_WORDS
        ),
        Column("designated_at", "划定时间", "when the area got its first level", shape=Shape.INSTANT),
        Column("level_since", "等级生效时间", "since when it has this level", shape=Shape.INSTANT),
        Column("left_at", "离开时间", "when the person left the area", required=False, shape=Shape.INSTANT),
        Column("last_infection_at", "末例感染时间", "the area's last infection", required=False, shape=Shape.INSTANT),
        REPORTED_COLUMN,
        PLACE_COLUMN,
    ),
    read=_read_zone,
)
