"""A funnel as data: its steps in order, each with its thresholds. Pure.

A step takes somebody off only by what its source positively says, or by a criterion written in it: what happens to
people the source does not know is the step's `unknown`.
"""

from __future__ import annotations

import enum
from datetime import date
from typing import Annotated, Any, Final

import msgspec

from tianfu.errors import Fault, InputInvalidError, NotFoundError
from tianfu.tracing.screening.model import Ground

STEPS_MAX: Final = 16
_Minutes = Annotated[int, msgspec.Meta(ge=0, le=60 * 24 * 60)]
_Hours = Annotated[int, msgspec.Meta(ge=0, le=60 * 24)]
_RowCount = Annotated[int, msgspec.Meta(ge=0, le=120)]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]


class StepUnknownError(NotFoundError):
    """The funnel has no step of that name."""

    code = "funnel_step_unknown"
    zh = "该筛查方案中没有这个步骤。"
    en = "This funnel has no step of that name."


class Unknown(enum.Enum):
    """What becomes of people on the list whom a step's source does not know.

    `EVIDENCE` keeps those whom another source places with a case (see `despite` and `despite_minutes` of the step).
    """

    KEEP = "keep"
    DROP = "drop"
    EVIDENCE = "evidence"


class GroundWord(enum.Enum):
    """The grounds as a funnel writes them."""

    ROAMING = "roaming"
    TELECOM = "telecom"
    SCAN = "scan"
    SEAT = "seat"
    HOUSEHOLD = "household"
    SCHOOL = "school"
    WORK = "work"


_WITH_A_CASE: Final = (GroundWord.SEAT, GroundWord.HOUSEHOLD, GroundWord.SCHOOL, GroundWord.WORK)


def bits_of(grounds: tuple[GroundWord, ...]) -> int:
    """The grounds as bits of `evidence`."""
    return sum({Ground[ground.name].value for ground in grounds})


class _Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every step has: the name by which it is undone or re-run."""

    name: _Name


class RoamingStep(_Step, frozen=True, kw_only=True, tag="roaming"):
    """Puts on the list who was in the place for at least `minutes` in all (an unsaid time counts as long enough)."""

    minutes: _Minutes = 0


class TelecomStep(_Step, frozen=True, kw_only=True, tag="telecom"):
    """Keeps companions: together for more than `together_minutes`, `both` or either with a stay over `stay_hours`.

    A list that tells no minutes is taken at its word. Whom the carriers see, but not with a case, goes, unless placed
    by one of `despite`.
    """

    together_minutes: _Minutes = 10
    stay_hours: _Hours = 30
    both: bool = True
    unknown: Unknown = Unknown.KEEP
    despite: tuple[GroundWord, ...] = (GroundWord.SCAN, *_WITH_A_CASE)


class ScansStep(_Step, frozen=True, kw_only=True, tag="scans"):
    """Keeps, or puts back, who scanned within `apart_minutes` of a case at its venue.

    Who scanned, but never near a case, goes, unless placed by one of `despite` or together with a case for at least
    `despite_minutes` by the carriers (0: that does not count). `unknown = "evidence"` asks the same of those who
    have no scans, with `unknown_minutes` together.
    """

    apart_minutes: _Minutes = 30
    unknown: Unknown = Unknown.KEEP
    unknown_minutes: _Minutes = 0
    despite: tuple[GroundWord, ...] = _WITH_A_CASE
    despite_minutes: _Minutes = 0


class SeatsStep(_Step, frozen=True, kw_only=True, tag="seats"):
    """Keeps, or puts back, who sat near a case; who sat known to be elsewhere aboard goes, unless placed by `despite`.

    Aircraft: within `air_rows`. Trains: the whole carriage when sealed or unsaid, within `rail_open_rows` otherwise.
    Coaches: everybody when sealed or unsaid, within `coach_open_rows` otherwise. Ships: the same cabin. Crew count
    as near. A seat that is not known counts as near when `unseated_near`: passengers without a seat move about.
    """

    air_rows: _RowCount = 3
    rail_open_rows: _RowCount = 1
    coach_open_rows: _RowCount = 3
    unseated_near: bool = True
    despite: tuple[GroundWord, ...] = (
        GroundWord.SCAN,
        GroundWord.TELECOM,
        GroundWord.HOUSEHOLD,
        GroundWord.SCHOOL,
        GroundWord.WORK,
    )


class GroupsStep(_Step, frozen=True, kw_only=True, tag="groups"):
    """Puts on the list, or back, who shares a group of `grounds` within `hops` of a case. Takes nobody off."""

    grounds: tuple[GroundWord, ...] = (GroundWord.HOUSEHOLD, GroundWord.SCHOOL, GroundWord.WORK)
    hops: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1


class TestsStep(_Step, frozen=True, kw_only=True, tag="tests"):
    """Takes off who has `negatives` negative tests, each `apart_hours` after the one before.

    They count when sampled at least `after_hours` after the last exposure. Who is on the list by one of `spared` stays
    whatever the tests say; a positive test since the exposure puts, or keeps, anybody on it. `doses` of vaccine take
    off as well (0: vaccination does not).
    """

    negatives: Annotated[int, msgspec.Meta(ge=1, le=9)] = 2
    apart_hours: _Hours = 24
    after_hours: _Hours = 0
    spared: tuple[GroundWord, ...] = (GroundWord.SCAN, *_WITH_A_CASE)
    doses: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0


class WhereaboutsStep(_Step, frozen=True, kw_only=True, tag="whereabouts"):
    """Hands over who is known to be outside `within`, a prefix of a division code; others stay."""

    within: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}([0-9]{2}){0,2}$")]


class FieldStep(_Step, frozen=True, kw_only=True, tag="field"):
    """What the field check judged: a tier keeps, or puts on the list; no contact takes off; the rest wait."""


Step = RoamingStep | TelecomStep | ScansStep | SeatsStep | GroupsStep | TestsStep | WhereaboutsStep | FieldStep


class Funnel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A funnel: `since` is from when on it is meant, `cites` where its thresholds come from."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    zh: str
    en: str
    since: date
    cites: tuple[str, ...]
    step: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1, max_length=STEPS_MAX)]


def kind_of(step: Step) -> str:
    """The kind of a step as its file writes it."""
    return str(step.__struct_config__.tag)


def position_of(funnel: Funnel, name: str) -> int:
    """Where the step of that name stands, from 0. Raises `StepUnknownError`."""
    for position, step in enumerate(funnel.step):
        if step.name == name:
            return position
    raise StepUnknownError


def with_thresholds(funnel: Funnel, name: str, values: dict[str, Any]) -> Funnel:
    """The funnel with other thresholds at one step; `values` are plain values by name, as TOML reads them.

    Raises `StepUnknownError`, or `InputInvalidError` for a threshold that the step does not have or allow.
    """
    position = position_of(funnel, name)
    step = funnel.step[position]
    for field in values:
        if field in ("name", "kind") or field not in step.__struct_fields__:
            fault = Fault(field, "threshold", "该步骤没有这个阈值", "this step has no such threshold")
            raise InputInvalidError(faults=(fault,))
    told: dict[str, Any] = msgspec.to_builtins(step) | values
    try:
        changed = msgspec.convert(told, type(step))
    except msgspec.ValidationError as error:
        fault = Fault(name, "threshold", f"阈值有误：{error}", f"not a usable threshold: {error}")
        raise InputInvalidError(faults=(fault,)) from error
    return msgspec.structs.replace(funnel, step=(*funnel.step[:position], changed, *funnel.step[position + 1 :]))
