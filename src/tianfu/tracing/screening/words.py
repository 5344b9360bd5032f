"""What each reason and each kind of step is called, in Chinese and English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tianfu.tracing.screening.model import Said

REASONS: Final[Mapping[Said, tuple[str, str]]] = {
    Said.ROAMED: ("漫游名单显示曾在该地", "was in the place, by the carriers' list"),
    Said.TOGETHER: ("与病例时空伴随", "was in one cell with a case long enough"),
    Said.SCANNED_NEAR: ("与病例同场所同时段扫码", "scanned at a venue near a case in time"),
    Said.SEATED_NEAR: ("与病例同乘且座位相近", "travelled near a case"),
    Said.HOUSEHOLD: ("与病例同住", "lives with a case"),
    Said.SCHOOL: ("与病例同班", "is in one class with a case"),
    Said.WORK: ("与病例同一工作场所", "works in one closed place with a case"),
    Said.TESTED_POSITIVE: ("暴露后检测阳性", "tested positive since the exposure"),
    Said.JUDGED_CLOSE: ("现场核查判定为密接", "judged a close contact in the field"),
    Said.JUDGED_SECONDARY: ("现场核查判定为次密接", "judged a contact of a contact in the field"),
    Said.JUDGED_COPRESENT: ("现场核查判定为时空伴随", "judged a companion in the field"),
    Said.JUDGED_GENERAL: ("现场核查判定为一般接触", "judged a general contact in the field"),
    Said.TELECOM_SILENT: ("运营商无此人数据，予以保留", "unknown to the carriers, which proves nothing"),
    Said.NO_SCANS: ("无扫码记录，不能据此排除", "has no scans, which proves nothing"),
    Said.KEPT_DESPITE: ("本步骤未印证，其他来源支持保留", "not borne out here, but placed with a case by others"),
    Said.NOT_CLEARED: ("检测结果尚不足以排除", "not cleared by tests yet"),
    Said.HERE: ("目前在辖区内", "is within the area now"),
    Said.WHEREABOUTS_UNKNOWN: ("目前所在地不明", "is nobody knows where"),
    Said.NOT_JUDGED: ("待现场核查", "waits for the field check"),
    Said.SPARED: ("检测阴性，但依据较强，不予排除", "tested negative, but the ground is too strong to clear"),
    Said.SHORT_STAY: ("在该地停留时间不足", "was in the place too short a time"),
    Said.NOT_TOGETHER: ("未与病例时空伴随", "was not in one cell with a case"),
    Said.SHORT_TOGETHER: ("与病例伴随时间不足", "was with a case too short a time"),
    Said.TELECOM_SILENT_OUT: ("运营商无此人数据，按方案排除", "unknown to the carriers, taken off as the funnel says"),
    Said.SCANS_APART: ("有扫码记录，均不与病例相近", "scanned, but never near a case"),
    Said.NO_SCANS_OUT: ("无扫码记录，按方案排除", "has no scans, taken off as the funnel says"),
    Said.SEATED_APART: ("同乘但不在同车厢或邻近座位", "aboard with a case, but seated elsewhere"),
    Said.CLEARED: ("暴露后检测多次阴性", "tested negative often enough since the exposure"),
    Said.VACCINATED: ("已完成接种，按方案排除", "vaccinated, taken off as the funnel says"),
    Said.JUDGED_NO_CONTACT: ("现场核查判定不属接触者", "judged no contact in the field"),
    Said.HANDED_OVER: ("已离开辖区，移交所在地", "has left the area, handed over to where they are"),
}
NEVER_LISTED: Final = ("从未列入名单", "never on the list")

STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "roaming": ("漫游名单", "roaming list of the place"),
    "telecom": ("时空伴随", "telecom companions"),
    "scans": ("场所扫码", "venue scans"),
    "seats": ("同乘座位", "seats"),
    "groups": ("家庭、学校、单位", "household, school, work"),
    "tests": ("检测与接种", "tests and vaccination"),
    "whereabouts": ("目前所在", "where they are now"),
    "field": ("现场核查", "field check"),
}


def reason(code: int, language: str) -> str:
    """What the reason is called; `language` is `zh` or `en`. Raises `ValueError` for a code that is none."""
    said = Said(code)
    return (NEVER_LISTED if said is Said.NOTHING else REASONS[said])[language == "en"]


def reason_named(name: str, language: str) -> str:
    """`reason` by the name that results count it under, such as `scanned_near`. Raises `KeyError` for no such name."""
    return reason(Said[name.upper()], language)


def step(kind: str, language: str) -> str:
    """What a kind of step is called. Raises `KeyError` for a kind that is none."""
    return STEPS[kind][language == "en"]
