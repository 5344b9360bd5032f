"""Emergency orders (应急红码、应急黄码): who may be covered by what, for how long, and why.

An order is registered by two people with its scope, reason and end before anybody can be named under it. Naming
people is evidence like any other; what becomes of it is up to the rule set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.access.two_people import are_two, require_word
from tianfu.audit import trail
from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.evidence import zone_store
from tianfu.evidence.circumstance_kinds import Emergency, EmergencyLevel
from tianfu.platform.database import Read, Write

# The published tables give emergencies 14 days; an order for longer than this is a rule and belongs into a set.
ORDER_LIFE_MAX: Final = timedelta(days=28)
TEXT_CHARACTERS_MAX: Final = 600
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class OrderExistsError(TianfuError):
    """An order was registered under this key before."""

    code = "order_exists"
    status = 409
    zh = "该指令编号已被使用。"
    en = "An order with this key exists already."


class OrderNeedsTwoError(TianfuError):
    """The same person stated and approved."""

    code = "order_needs_two"
    status = 422
    zh = "应急指令须由两名不同的人员分别提交和批准。"
    en = "An emergency order needs two different people: one to state it, another to approve."


class OrderUnknownError(TianfuError):
    """People are named under an order that is not registered, or otherwise than it says."""

    code = "order_unknown"
    status = 422
    zh = "名单所依据的应急指令未登记，或级别、起止时间与登记不符。"
    en = "The list names an emergency order that is not registered, or another level or period than it has."


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order: what it asks for, whom it is about, why, and from when until when."""

    key: str
    level: EmergencyLevel
    scope: str
    reason: str
    ordered_at: datetime
    ends_at: datetime


def register(write: Write, order: Order, *, stated_by: str, approved_by: str, at: datetime) -> None:
    """Register an order and leave an entry in the trail.

    Raises `InputInvalidError` with every fault, `OrderExistsError` or `OrderNeedsTwoError`; then nothing is written.
    """
    _check(order)
    require_word("stated_by", stated_by)
    require_word("approved_by", approved_by)
    if not are_two(stated_by, approved_by):
        raise OrderNeedsTwoError
    row = (order.key, order.level.value, order.scope, order.reason, order.ordered_at, order.ends_at)
    if not zone_store.insert_order(write, (*row, stated_by, approved_by, at)):
        raise OrderExistsError
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=stated_by,
            action="emergency.order",
            purpose="emergency",
            subject=f"order:{order.key}",
            detail={
                "level": order.level.value,
                "approved_by": approved_by,
                "ends_at": order.ends_at.isoformat(),
            },
        ),
    )


def registered(read: Read) -> list[Order]:
    """Every order, the newest first."""
    return [
        Order(key=row[0], level=EmergencyLevel(row[1]), scope=row[2], reason=row[3], ordered_at=row[4], ends_at=row[5])
        for row in zone_store.orders(read)
    ]


def require(read: Read, statements: Iterable[Emergency]) -> None:
    """Check that each statement says what its order says. Raises `OrderUnknownError` naming every order that is not."""
    said = {(item.order, item.level.value, item.ordered_at, item.ends_at) for item in statements}
    known = zone_store.known_orders(read, sorted({order for order, *_ in said}))
    wrong = sorted({order for order, *rest in said if known.get(order) != tuple(rest)})
    if wrong:
        raise OrderUnknownError(
            faults=tuple(
                Fault(order, "order", "未登记或与登记不符。", "is not registered so: see `tianfu emergency list`")
                for order in wrong
            )
        )


def _check(order: Order) -> None:
    faults = []
    if _KEY.fullmatch(order.key) is None:
        faults.append(Fault("key", "key", "编号应为字母、数字或 . _ -", "must be letters, digits, . _ or -"))
    faults += [
        Fault(
            field, "length", f"应为 1 至 {TEXT_CHARACTERS_MAX} 个字符。", f"needs 1 to {TEXT_CHARACTERS_MAX} characters"
        )
        for field, text in (("scope", order.scope), ("reason", order.reason))
        if not 1 <= len(text) <= TEXT_CHARACTERS_MAX or not text.isprintable()
    ]
    if not timedelta(0) < order.ends_at - order.ordered_at <= ORDER_LIFE_MAX:
        days = ORDER_LIFE_MAX.days
        faults.append(
            Fault(
                "ends_at",
                "order",
                f"应晚于起始时间且不超过 {days} 天。",
                f"must lie after the beginning, by at most {days} days",
            )
        )
    if faults:
        raise InputInvalidError(faults=tuple(faults))
