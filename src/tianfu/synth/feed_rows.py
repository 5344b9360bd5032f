"""Rows that departments would send about synthetic people: valid ones of every feed, from a seed. Pure.

The columns are those of `tianfu.feeds.contracts`; a test loads every feed's rows through the intake. Keys are made of
the feed and a number, so that the same arguments give the same rows and other seeds other ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from tianfu.clock import SHANGHAI
from tianfu.synth.county import HOME_DIVISION, SyntheticPerson

Row = Mapping[str, str]

CARRIAGES: Final = 8
ROWS: Final = 30
SEATS: Final = "ABCDF"
TUBE_SAMPLES: Final = 10


def rows(feed: str, people: Sequence[SyntheticPerson], seed: int, at: datetime) -> list[Row]:
    """One row about each of `people`, as known at `at`. Raises `KeyError` for a feed that is none."""
    # When things happened does not depend on the feed, so that a sample and its result fit.
    when, dice, make = random.Random(seed), random.Random(f"{feed}/{seed}"), _MAKERS[feed]
    made: list[Row] = []
    for number, person in enumerate(people, start=1):
        # Within the last six days and over since an hour, so that whatever follows lies before `at` too.
        happened = at - timedelta(minutes=when.randint(26 * 60, 6 * 24 * 60))
        key = f"{feed.upper().replace('_', '-')}-{seed}-{number:06d}"
        document = {"document_type": "resident_id", "document_number": person.number}
        made.append({**document, **make(dice, key, number, happened)})
    return made


def _text(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _after(at: datetime, hours: float) -> str:
    return _text(at + timedelta(hours=hours))


def _lab(dice: random.Random, key: str, number: int, at: datetime) -> Row:
    result = "阳性" if dice.random() < 0.01 else "阴性"  # noqa: PLR2004 - one of a hundred
    return {**_sampling(dice, key, number, at), "resulted_at": _after(at, 6), "result": result}


def _sampling(_: random.Random, key: str, number: int, at: datetime) -> Row:
    pooled = number // TUBE_SAMPLES % 2 == 0
    return {
        # A sample has one key in both feeds.
        "sample_id": key.replace("SAMPLING", "LAB"),
        "sampled_at": _text(at),
        "method": "核酸",
        "laboratory": "SYN-LAB-1",
        "pooled": "是" if pooled else "",
        "tube": f"T-{number // TUBE_SAMPLES}" if pooled else "",
        "place": HOME_DIVISION,
    }


def _case(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    status = dice.choice(("确诊", "无症状", "疑似", "excluded", "discharged"))
    return {
        "case_id": key,
        "status": status,
        "diagnosed_at": _text(at),
        "onset_at": _after(at, -20),
        "discharged_at": _after(at, 20) if status == "discharged" else "",
        "reported_at": _after(at, 22),
        "place": HOME_DIVISION,
    }


def _contact(dice: random.Random, key: str, number: int, at: datetime) -> Row:
    secondary = number % 3 == 0
    return {
        "record_id": key,
        "tier": "次密接" if secondary else "密接",
        "last_exposure_at": _after(at, -24),
        "designated_at": _text(at),
        "case_id": "CASES-1-000001",
        "setting": dice.choice(("同住", "聚餐", "flight", "同工作")),
        # The entry before, which is a close contact's.
        "parent": f"{key[:-6]}{number - 1:06d}" if secondary else "",
        "place": HOME_DIVISION,
    }


def _letter(dice: random.Random, key: str, number: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "letter_number": f"协查〔2022〕{number:03d}号",
        "names": dice.choice(("密接", "次密接", "时空伴随", "涉疫暴露", "风险区")),
        "issued_at": _text(at),
        "exposed_at": _after(at, -48),
        "reported_at": _after(at, 1),
        "place": HOME_DIVISION,
    }


def _companion(_: random.Random, key: str, __: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "last_exposure_at": _after(at, -24),
        "designated_at": _text(at),
        "case_id": "CASES-1-000001",
        "place": HOME_DIVISION,
    }


def _isolation(dice: random.Random, key: str, number: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "stage": dice.choice(("集中隔离", "居家隔离", "居家健康监测")),
        "began_at": _after(at, -240),
        "ended_at": _text(at) if number % 2 else "",
        "site": "SYN-SITE-1",
        "reported_at": _after(at, 1),
        "place": HOME_DIVISION,
    }


def _fever_visit(_: random.Random, key: str, number: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "visited_at": _text(at),
        "institution": "SYN-HOSPITAL-1",
        "excluded_at": _after(at, 5) if number % 2 else "",
        "reported_at": _after(at, 6),
        "place": HOME_DIVISION,
    }


def _medicine(_: random.Random, key: str, __: int, at: datetime) -> Row:
    return {"record_id": key, "bought_at": _text(at), "pharmacy": "SYN-PHARMACY-1", "place": HOME_DIVISION}


def _vaccination(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "dose": str(dice.randint(1, 4)),
        "vaccinated_at": at.astimezone(SHANGHAI).strftime("%Y-%m-%d"),
        "product": "SYN-VACCINE-1",
        "reported_at": _after(at, 20),
        "place": HOME_DIVISION,
    }


def _border_entry(_: random.Random, key: str, number: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "entered_at": _after(at, -240),
        "port": "SYN-PORT-CTU",
        "destination": "省内" if number % 2 else "省外",
        "isolation_ended_at": _text(at) if number % 3 == 0 else "",
        "left_province_at": _after(at, 3) if number % 6 == 0 else "",
        "reported_at": _after(at, 4),
        "place": HOME_DIVISION,
    }


def _arrival(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "origin": dice.choice(("310115", "610102", "500112003")),
        "arrived_at": _text(at),
        "left_origin_at": _after(at, -8),
        "origin_level": dice.choice(("高风险", "中风险", "低风险", "")),
        "reported_at": _after(at, 2),
        "place": HOME_DIVISION,
    }


def _stay(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "division": dice.choice(("310115", "510112", "510112003")),
        "began_at": _after(at, -9),
        "ended_at": _text(at),
        "cell": f"30.{dice.randint(50, 60)},104.{dice.randint(20, 30)}",
        "reported_at": _after(at, 12),
    }


def _zone(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "zone": "SYN-ZONE-1",
        "level": dice.choice(("高风险", "中风险", "低风险", "解除")),
        "relation": dice.choice(("到过", "周边", "居住")),
        "designated_at": _after(at, -72),
        "level_since": _text(at),
        "left_at": "",
        "last_infection_at": _after(at, -80),
        "reported_at": _after(at, 1),
        "place": HOME_DIVISION,
    }


def _journey(dice: random.Random, key: str, at: datetime) -> dict[str, str]:
    return {
        "record_id": key,
        "departed_at": _text(at),
        "arrived_at": _after(at, 3),
        "origin": "310115",
        "destination": HOME_DIVISION,
        "row": str(dice.randint(1, ROWS)),
        "seat": dice.choice(SEATS),
        "crew": "是" if dice.randint(1, ROWS) == 1 else "否",
        "reported_at": _after(at, 4),
        "place": HOME_DIVISION,
    }


def _aviation(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {**_journey(dice, key, at), "flight": "SY8633"}


def _railway(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    own = {"train": "G8707", "carriage": f"{dice.randint(1, CARRIAGES):02d}", "ventilation": "封闭"}
    return {**_journey(dice, key, at), **own}


def _coach(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {**_journey(dice, key, at), "coach": "川A00000", "ventilation": dice.choice(("封闭", "通风"))}


def _identity(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {"record_id": key, "checked_at": _text(at), "outcome": dice.choice(("一致", "不一致", "查无此人"))}


def _member(group: str) -> Callable[[random.Random, str, int, datetime], Row]:
    def make(dice: random.Random, key: str, _: int, at: datetime) -> Row:
        return {
            "record_id": key,
            "group": group,
            "institution": "SYN-INSTITUTION-1",
            "unit": f"UNIT-{dice.randint(1, 12)}",
            "began_at": "2021-09-01",
            "ended_at": "",
            "reported_at": _text(at),
            "place": HOME_DIVISION,
        }

    return make


def _duty(dice: random.Random, key: str, _: int, at: datetime) -> Row:
    return {
        "record_id": key,
        "group": dice.choice(("医务人员", "冷链从业人员", "农贸市场从业人员", "学校")),
        "every_days": str(dice.choice((1, 2, 7))),
        "starts_at": _text(at),
        "ends_at": _after(at, 24 * 60),
        "reported_at": _text(at),
        "place": HOME_DIVISION,
    }


def _emergency(_: random.Random, key: str, number: int, at: datetime) -> Row:
    return {
        "record_id": key,
        # An order for each, so that its level and period can be registered from the row.
        "order": f"SYN-{key}",
        "level": "应急红码" if number % 2 else "应急黄码",
        "ordered_at": _text(at),
        "ends_at": _after(at, 24 * 14),
        "reported_at": _after(at, 1),
        "place": HOME_DIVISION,
    }


def _colour(dice: random.Random, key: str, _: int, at: datetime) -> dict[str, str]:
    return {
        "record_id": key,
        "colour": dice.choice(("绿码", "黄码", "红码")),
        "stated_at": _text(at),
        "ends_at": _after(at, 24 * 14),
    }


def _elsewhere(dice: random.Random, key: str, number: int, at: datetime) -> Row:
    return {**_colour(dice, key, number, at), "authority": "500000"}


_MAKERS: Final[Mapping[str, Callable[[random.Random, str, int, datetime], Row]]] = {
    "lab": _lab,
    "sampling": _sampling,
    "cases": _case,
    "contacts": _contact,
    "letters": _letter,
    "telecom_companions": _companion,
    "isolation": _isolation,
    "fever_clinic": _fever_visit,
    "medicine": _medicine,
    "vaccination": _vaccination,
    "border_entry": _border_entry,
    "entry_points": _arrival,
    "telecom_arrivals": _arrival,
    "community_reports": _arrival,
    "telecom_stays": _stay,
    "zones": _zone,
    "aviation": _aviation,
    "railway": _railway,
    "coach": _coach,
    "identity": _identity,
    "education": _member("学生"),
    "civil_affairs": _member("在院老人"),
    "test_duties": _duty,
    "emergency": _emergency,
    "colours_elsewhere": _elsewhere,
    "colours_national": _colour,
}
