"""What a column of an exported list is called and who gets it. Pure.

The table is the one answer to "which role sees what in a file". An epidemiologist gets the chain and, when asked for,
who the people are; a field worker gets whom to visit and nothing of where they were or through whom.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tianfu.access.roles import Role


class Column(enum.Enum):
    """A column of any list."""

    REFERENCE = "reference"
    TIER = "tier"
    HOP = "hop"
    SETTING = "setting"
    STRENGTH = "strength"
    EXPOSED_AT = "exposed_at"
    THROUGH = "through"
    VENUE = "venue"
    CASES = "cases"
    COUNTY = "county"
    STATE = "state"
    NAME = "name"
    DOCUMENT = "document"
    PHONE = "phone"
    ONSET_AT = "onset_at"
    DIAGNOSED_AT = "diagnosed_at"
    CASE_STATUS = "case_status"
    INFECTIOUS_FROM = "infectious_from"
    INFECTIOUS_TO = "infectious_to"
    KNOWN_AS = "known_as"
    CONTACTS = "contacts"
    ADDED_AT = "added_at"
    WITHDRAWN_AT = "withdrawn_at"
    BEGINS_AT = "begins_at"
    ENDS_AT = "ends_at"
    SCANS = "scans"


class Heading(msgspec.Struct, frozen=True):
    """What stands above a column."""

    zh: str
    en: str


HEADINGS: Final[dict[Column, Heading]] = {
    Column.REFERENCE: Heading("人员编号", "reference"),
    Column.TIER: Heading("类别", "tier"),
    Column.HOP: Heading("层级", "hop"),
    Column.SETTING: Heading("接触情形", "setting"),
    Column.STRENGTH: Heading("证据强度", "strength"),
    Column.EXPOSED_AT: Heading("首次暴露（北京时间）", "first exposed (Beijing time)"),
    Column.THROUGH: Heading("经由", "through"),
    Column.VENUE: Heading("场所", "venue"),
    Column.CASES: Heading("涉及病例数", "supporting cases"),
    Column.COUNTY: Heading("所在区县", "county"),
    Column.STATE: Heading("核定情况", "state"),
    Column.NAME: Heading("姓名", "name"),
    Column.DOCUMENT: Heading("证件号码", "document number"),
    Column.PHONE: Heading("手机号码", "phone"),
    Column.ONSET_AT: Heading("发病时间（北京时间）", "onset (Beijing time)"),
    Column.DIAGNOSED_AT: Heading("诊断时间（北京时间）", "diagnosed (Beijing time)"),
    Column.CASE_STATUS: Heading("病例状态", "status"),
    Column.INFECTIOUS_FROM: Heading("传染期起（北京时间）", "infectious from (Beijing time)"),
    Column.INFECTIOUS_TO: Heading("传染期止（北京时间）", "infectious to (Beijing time)"),
    Column.KNOWN_AS: Heading("转阳前身份", "known before as"),
    Column.CONTACTS: Heading("追踪到的人数", "people traced from this case"),
    Column.ADDED_AT: Heading("纳入时间（北京时间）", "added (Beijing time)"),
    Column.WITHDRAWN_AT: Heading("撤销时间（北京时间）", "withdrawn (Beijing time)"),
    Column.BEGINS_AT: Heading("起（北京时间）", "from (Beijing time)"),
    Column.ENDS_AT: Heading("止（北京时间）", "to (Beijing time)"),
    Column.SCANS: Heading("未列名的扫码数", "scans withheld"),
}

IDENTITY: Final = frozenset({Column.NAME, Column.DOCUMENT, Column.PHONE})


class Kind(enum.Enum):
    """The lists there are: people traced, the line list of cases, and announced places."""

    CONTACTS = "contacts"
    LINE_LIST = "line-list"
    PLACES = "places"


_CONTACTS: Final = (
    Column.REFERENCE,
    Column.NAME,
    Column.DOCUMENT,
    Column.PHONE,
    Column.TIER,
    Column.HOP,
    Column.SETTING,
    Column.STRENGTH,
    Column.EXPOSED_AT,
    Column.THROUGH,
    Column.VENUE,
    Column.CASES,
    Column.COUNTY,
    Column.STATE,
)
_LINE_LIST: Final = (
    Column.REFERENCE,
    Column.NAME,
    Column.DOCUMENT,
    Column.PHONE,
    Column.COUNTY,
    Column.CASE_STATUS,
    Column.ONSET_AT,
    Column.DIAGNOSED_AT,
    Column.INFECTIOUS_FROM,
    Column.INFECTIOUS_TO,
    Column.KNOWN_AS,
    Column.THROUGH,
    Column.CONTACTS,
    Column.ADDED_AT,
    Column.WITHDRAWN_AT,
)
_PLACES: Final = (Column.VENUE, Column.COUNTY, Column.BEGINS_AT, Column.ENDS_AT, Column.SCANS)

BY_ROLE: Final[dict[tuple[Role, Kind], tuple[Column, ...]]] = {
    (Role.EPIDEMIOLOGIST, Kind.CONTACTS): _CONTACTS,
    (Role.EPIDEMIOLOGIST, Kind.LINE_LIST): _LINE_LIST,
    (Role.EPIDEMIOLOGIST, Kind.PLACES): _PLACES,
    (Role.FIELD_WORKER, Kind.CONTACTS): (
        Column.REFERENCE,
        Column.NAME,
        Column.PHONE,
        Column.TIER,
        Column.EXPOSED_AT,
        Column.COUNTY,
        Column.STATE,
    ),
}


def columns(role: Role, kind: Kind, *, identities: bool) -> tuple[Column, ...] | None:
    """The columns of that list for that role, without who the people are unless asked; None: not for this role."""
    wanted = BY_ROLE.get((role, kind))
    return None if wanted is None else tuple(column for column in wanted if identities or column not in IDENTITY)


WORDS: Final[dict[str, dict[str, Heading]]] = {
    "tier": {
        "close": Heading("密切接触者", "close contact"),
        "secondary": Heading("次密切接触者", "contact of contact"),
        "copresent": Heading("时空伴随者", "co-present"),
        "general": Heading("一般接触者", "general contact"),
    },
    "setting": {
        "household": Heading("同住", "household"),
        "care": Heading("照护诊疗", "care"),
        "work": Heading("同工作场所", "work"),
        "school": Heading("同班同校", "school"),
        "meal": Heading("同餐", "shared meal"),
        "venue": Heading("同场所", "venue"),
        "flight": Heading("同航班", "flight"),
        "train": Heading("同列车", "train"),
        "coach": Heading("同客车", "coach"),
        "ship": Heading("同船", "ship"),
        "vehicle": Heading("同车", "vehicle"),
        "telecom": Heading("通信时空伴随", "telecom"),
        "contaminated": Heading("污染物品或环境", "contaminated place"),
        "other": Heading("其他", "other"),
    },
    "state": {
        "proposed": Heading("待核定", "proposed"),
        "confirmed": Heading("已核定", "confirmed"),
        "dropped": Heading("已排除", "dropped"),
    },
    "strength": {"strong": Heading("强", "strong"), "weak": Heading("弱", "weak")},
    "status": {
        "confirmed": Heading("确诊", "confirmed"),
        "asymptomatic": Heading("无症状感染", "asymptomatic"),
        "suspected": Heading("疑似", "suspected"),
        "excluded": Heading("已排除", "excluded"),
        "discharged": Heading("已出院", "discharged"),
    },
}


def word(group: str, value: str, language: str) -> str:
    """A stored word in the reader's language; an unknown one as it is."""
    found = WORDS[group].get(value)
    return value if found is None else found.zh if language == "zh" else found.en
