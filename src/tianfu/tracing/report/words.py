"""What the report says, in both languages. Pure."""

from __future__ import annotations

from typing import Final

_PAIRS: Final[dict[str, tuple[str, str]]] = {
    "title": ("疫情事件追踪报告", "Report of an incident"),
    "internal": (
        "内部资料：仅供授权人员使用。人员以编号表示，不含姓名、证件和电话。",
        "Internal: for authorised staff only. People are references; no name, document or phone is in here.",
    ),
    "as_of": ("数据截至", "As of"),
    "never": ("尚未追踪", "not traced yet"),
    "opened": ("建立时间", "Opened"),
    "closed": ("结束时间", "Closed"),
    "place": ("区县", "County"),
    "rules": ("追踪规则", "Tracing rules"),
    "made": ("报告生成时间", "Report made"),
    "cases": ("病例", "Cases"),
    "listed": ("名单人数", "People listed"),
    "confirmed": ("已核定", "Confirmed"),
    "dropped": ("已排除", "Dropped"),
    "proposed": ("待核定", "Proposed"),
    "known_before": ("转阳前已列为接触者的病例", "Cases known as contacts before"),
    "announced": ("公告场所", "Places announced"),
    "withheld": ("未列名的扫码", "Scans withheld"),
    "scanned": ("查阅的到访记录", "Visits looked at"),
    "close": ("密切接触者", "Close contacts"),
    "secondary": ("次密切接触者", "Contacts of contacts"),
    "copresent": ("时空伴随者", "Co-present"),
    "general": ("一般接触者", "General contacts"),
    "chain": ("传播链", "Chain of cases"),
    "chain_note": (
        "箭头由一名病例指向其转阳前被列为接触者的病例；拖动下方滑块选择时段。",
        "An arrow leads from a case to one that was listed as a contact of theirs before. Slide to choose days.",
    ),
    "cut": ("仅列出前 {count} 名病例。", "Only the first {count} cases are shown."),
    "timeline": ("时间线", "Time line"),
    "timeline_note": (
        "折线为每日新增病例，柱为名单上人员的首次暴露日。",
        "The line is new cases a day; bars are first exposures of people on the list.",
    ),
    "map": ("区县分布", "Counties"),
    "map_note": (
        "圆点为县级政府所在地的位置，大小为名单人数，橙色为有病例的区县。非行政区划界线图。",
        "A point is a county's seat, its size the people listed, orange where there are cases. No borders are drawn.",
    ),
    "funnel": ("排查漏斗", "Funnel"),
    "funnel_note": ("每一步之后仍在名单上的人数。", "People still on the list after each step."),
    "table": ("以表格查看", "As a table"),
    "nothing": ("没有可显示的内容。", "There is nothing to show."),
    "case": ("病例", "Case"),
    "through": ("接触自", "a contact of"),
    "traced": ("追踪到的人数：", "people traced:"),
    "people_traced": ("追踪到的人数", "People traced"),
    "day": ("日期", "Day"),
    "exposed": ("首次暴露人数", "First exposures"),
    "unknown": ("不详", "unknown"),
    "step": ("步骤", "Step"),
    "added": ("增加", "Added"),
    "removed": ("移出", "Removed"),
    "left": ("剩余", "Left"),
    "infectious_from": ("传染期起", "Infectious from"),
}


def words(language: str) -> dict[str, str]:
    """Every text of the report in `zh` or `en`."""
    return {name: pair[0] if language == "zh" else pair[1] for name, pair in _PAIRS.items()}
