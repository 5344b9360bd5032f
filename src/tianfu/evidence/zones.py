"""Risk areas: where they are, and the levels they go through (风险区 的划定、降级与解除).

An area is a set of divisions, or of squares drawn on a map. Its levels are stated by two people and never changed; a
new level is a new row. Whoever has a stay there is queued in the same transaction, so a lifted area changes its people
within seconds. What becomes of a stay in an area is up to the rule set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from tianfu.access.places import divisions
from tianfu.access.two_people import are_two, require_word
from tianfu.audit import trail
from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.evidence import changes, zone_store
from tianfu.evidence.travel_kinds import ZoneLevel
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write

# A stay that ended so long before the area was designated is none of its business: the longest look-back of any
# protocol is 14 days before, and 14 more before a case is noticed.
LOOK_BACK: Final = timedelta(days=28)
NAME_CHARACTERS_MAX: Final = 120
# No area was named before the disease was known (December 2019); an earlier instant is a slip of the pen.
_EARLIEST: Final = datetime(2019, 12, 1, tzinfo=UTC)
# People queued in one statement.
_MARK_PEOPLE: Final = 10_000
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_COUNTY_DIGITS: Final = 6
_DIVISION: Final = re.compile(r"[0-9]{6}(?:[0-9]{3})?", re.ASCII)


class ZoneNotFoundError(NotFoundError):
    """No area is declared under this key."""

    code = "zone_not_found"
    zh = "没有这个风险区。"
    en = "There is no such risk area."


class ZoneExistsError(TianfuError):
    """An area was declared under this key before."""

    code = "zone_exists"
    status = 409
    zh = "该风险区编号已被使用；调整级别请用“zone level”。"
    en = "An area with this key exists already; to change its level use `zone level`."


class ZoneNeedsTwoError(TianfuError):
    """The same person stated and approved."""

    code = "zone_needs_two"
    status = 422
    zh = "划定或调整风险区须由两名不同的人员分别提交和批准。"
    en = "A risk area needs two different people: one to state it, another to approve."


class NewZone(msgspec.Struct, frozen=True, kw_only=True):
    """An area to declare: `divisions` (six or nine digits, everything below included), `cells` or both."""

    zone: str
    name_zh: str
    name_en: str
    level: ZoneLevel
    since: datetime
    divisions: tuple[str, ...] = ()
    cells: frozenset[str] = frozenset()
    polygon: str | None = None
    last_infection_at: datetime | None = None


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """An area with the level it has at some instant."""

    zone: str
    name_zh: str
    name_en: str
    divisions: tuple[str, ...]
    cells: frozenset[str]
    declared_at: datetime
    level: ZoneLevel
    since: datetime
    last_infection_at: datetime | None

    def holds(self, division: str, cell: str | None) -> bool:
        """Whether a stay in this division, or this square of it, was in the area."""
        return any(division.startswith(code) for code in self.divisions) or (cell is not None and cell in self.cells)

    def concerns(self, began_at: datetime, ended_at: datetime | None) -> bool:
        """Whether a stay of this time matters: it lasted into the look-back, and began before the area was lifted."""
        if ended_at is not None and ended_at < self.declared_at - LOOK_BACK:
            return False
        return self.level is not ZoneLevel.LIFTED or began_at < self.since


def declare(write: Write, new: NewZone, *, stated_by: str, approved_by: str, at: datetime) -> int:
    """Declare an area and queue everybody with a stay in it; how many those are. Leaves an entry in the trail.

    Raises `InputInvalidError` with every fault, `ZoneNeedsTwoError`, `ZoneExistsError`; then nothing is written.
    """
    _check(new, at)
    _require_two(stated_by, approved_by)
    row = (
        *(new.zone, new.name_zh, new.name_en),
        *(list(new.divisions), sorted(new.cells), new.polygon, new.since),
    )
    if not zone_store.insert_zone(write, row):
        raise ZoneExistsError
    return _state(write, new.zone, new.level, new.since, new.last_infection_at, stated_by, approved_by, at)


def change_level(
    write: Write,
    zone: str,
    level: ZoneLevel,
    *,
    since: datetime,
    stated_by: str,
    approved_by: str,
    at: datetime,
    last_infection_at: datetime | None = None,
) -> int:
    """Give an area a level from `since` on (not later than `at`) and queue its people; how many those are.

    `last_infection_at` is kept from the level before when left out. Raises `ZoneNotFoundError`, `ZoneNeedsTwoError`,
    `InputInvalidError`.
    """
    _require_two(stated_by, approved_by)
    current = next((item for item in in_force(write, at) if item.zone == zone), None)
    if current is None:
        raise ZoneNotFoundError
    if not current.since <= since <= at:
        fault = Fault(
            "since",
            "order",
            "应不早于现行级别的起始时间，且不晚于当前时间。",
            "must not lie before the level it replaces, nor in the future",
        )
        raise InputInvalidError(faults=(fault,))
    if last_infection_at is not None and last_infection_at > at:
        raise InputInvalidError(faults=(_future("last_infection_at"),))
    infected = last_infection_at or current.last_infection_at
    return _state(write, zone, level, since, infected, stated_by, approved_by, at)


def in_force(read: Read, at: datetime) -> list[Zone]:
    """Every area with the level it has at `at`, lifted ones included, by key."""
    return [
        Zone(
            zone=row.zone,
            name_zh=row.name_zh,
            name_en=row.name_en,
            divisions=tuple(row.divisions),
            cells=frozenset(row.cells),
            declared_at=row.declared_at,
            level=ZoneLevel(row.level),
            since=row.since,
            last_infection_at=row.last_infection_at,
        )
        for row in zone_store.levels(read, at)
    ]


def _state(
    write: Write,
    zone: str,
    level: ZoneLevel,
    since: datetime,
    last_infection_at: datetime | None,
    stated_by: str,
    approved_by: str,
    at: datetime,
) -> int:
    zone_store.insert_level(write, (zone, level.value, since, last_infection_at, stated_by, approved_by, at))
    found = next(item for item in in_force(write, at) if item.zone == zone)
    concerned = 0
    for persons in _people_in(write, found):
        changes.mark(write, persons, at)
        concerned += len(persons)
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=stated_by,
            action="zone.level",
            purpose="zone",
            subject=f"zone:{zone}",
            detail={
                "level": level.value,
                "since": since.isoformat(),
                "approved_by": approved_by,
                "people": concerned,
            },
        ),
    )
    return concerned


def _people_in(read: Read, zone: Zone) -> Iterator[Sequence[PersonRef]]:
    after = PersonRef(0)
    cells = sorted(zone.cells)
    while persons := zone_store.people_with_stays(read, zone.divisions, cells, after=after, limit=_MARK_PEOPLE):
        yield persons
        after = persons[-1]


def _require_two(stated_by: str, approved_by: str) -> None:
    require_word("stated_by", stated_by)
    require_word("approved_by", approved_by)
    if not are_two(stated_by, approved_by):
        raise ZoneNeedsTwoError


def _check(new: NewZone, at: datetime) -> None:
    faults = []
    if _KEY.fullmatch(new.zone) is None:
        faults.append(Fault("zone", "key", "编号应为字母、数字或 . _ -", "must be letters, digits, . _ or -"))
    faults += [
        Fault(field, "text", "应为 1 至 120 个可见字符。", "needs 1 to 120 characters that can be printed")
        for field, name in (("name.zh", new.name_zh), ("name.en", new.name_en))
        if not 1 <= len(name) <= NAME_CHARACTERS_MAX or not name.isprintable()
    ]
    if not new.divisions and not new.cells:
        faults.append(
            Fault("divisions", "missing", "须给出行政区划或多边形。", "name divisions or draw a polygon, or both")
        )
    faults += [
        Fault(f"divisions[{place}]", "place", "应为 6 或 9 位行政区划代码。", "must be a code of 6 or 9 digits")
        for place, code in enumerate(new.divisions)
        if _DIVISION.fullmatch(code) is None
    ]
    faults += [
        Fault(f"divisions[{place}]", "unknown", "没有这个行政区划。", "there is no such division")
        for place, code in enumerate(new.divisions)
        if _DIVISION.fullmatch(code) and code[:_COUNTY_DIGITS] not in divisions()
    ]
    if new.level is ZoneLevel.LIFTED:
        faults.append(Fault("level", "value", "新划定的风险区不能是已解除。", "a new area cannot be lifted already"))
    if new.since > at:
        faults.append(_future("since"))
    if new.since < _EARLIEST:
        faults.append(Fault("since", "too_old", "不得早于 2019 年 12 月。", "must not lie before December 2019"))
    if new.last_infection_at is not None and new.last_infection_at > at:
        faults.append(_future("last_infection_at"))
    if faults:
        raise InputInvalidError(faults=tuple(faults))


def _future(field: str) -> Fault:
    return Fault(field, "future", "不得晚于当前时间。", "must not lie in the future")
