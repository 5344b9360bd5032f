"""A screening of an incident: begun on what the sources say now, undone and run again as often as it takes.

The facts are kept with the screening, so a run depends on its funnel, its steps left out, and the judgements of the
field it knew, whenever it is made. Each run is written whole in the caller's transaction or not at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from tianfu.access.two_people import require_word
from tianfu.clock import monotonic_seconds
from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.platform.database import Read, Write
from tianfu.tracing.incidents import Incident
from tianfu.tracing.screening import funnel as funnels
from tianfu.tracing.screening import gather, model, packed, store, words
from tianfu.tracing.screening.definition import Funnel, position_of, with_thresholds
from tianfu.tracing.screening.funnel_files import LoadedFunnel
from tianfu.tracing.screening.lake_scans import Scanned
from tianfu.tracing.screening.model import Said
from tianfu.tracing.screening.steps import places
from tianfu.tracing.screening.store import NewRun, PersonRow, ScreeningRow
from tianfu.tracing.screening.summary import FunnelSummary, summary

RUNS_SHOWN_MAX: Final = 100
_DIVISION_DIGITS: Final = 6
_PREFIX_DIGITS: Final = (2, 4, 6)


class ScreeningNotFoundError(NotFoundError):
    """The incident has not been screened."""

    code = "screening_not_found"
    zh = "该疫情事件尚未进行筛查。"
    en = "This incident has not been screened."


class ScreeningStepStateError(TianfuError):
    """A step that is undone already, or one to be done again that was not undone."""

    code = "screening_step_state"
    status = 409
    zh = "该步骤已处于所要求的状态。"
    en = "This step is already as you ask for it."


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a screening, with what it did; `definition` is the funnel with the thresholds then in force."""

    screening_ref: int
    run_ref: int
    action: str
    step: str | None
    at: datetime
    made_by: str
    as_of: datetime
    people: int
    listed: int
    undone: tuple[str, ...]
    definition: Funnel
    summary: FunnelSummary


class StepRemark(msgspec.Struct, frozen=True):
    """What a step said of a person: the step, and the reason by name and in words."""

    step: str
    reason: str
    zh: str
    en: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one person in a run: the one reason, the step that gave it, the grounds, and every step's word."""

    person: int
    listed: bool
    reason: str
    zh: str
    en: str
    step: str
    grounds: tuple[str, ...]
    county: str | None
    history: tuple[StepRemark, ...]


def begin(
    write: Write, incident: Incident, loaded: LoadedFunnel, *, by: str, at: datetime, scanned: Scanned | None = None
) -> Run:
    """Gather what the sources say of `incident` as of `at` and run the funnel on it. Raises `InputInvalidError`."""
    require_word("by", by)
    facts = gather.gather(write, incident.incident_ref, incident.place, as_of=at, scanned=scanned)
    screening_ref = store.insert(
        write,
        incident_ref=incident.incident_ref,
        funnel=loaded.funnel.name,
        funnel_hash=loaded.digest,
        as_of=at,
        created_by=by,
    )
    store.insert_facts(write, screening_ref, packed.pack(facts))
    return _run(write, incident, screening_ref, facts, NewRun("run", None, loaded.funnel, (), by, at))


def undo(write: Write, incident: Incident, step: str, *, by: str, at: datetime) -> Run:
    """Run again without `step`. Raises `ScreeningNotFoundError`, `StepUnknownError`, `ScreeningStepStateError`."""
    row = _locked(write, incident)
    funnel = _definition(row)
    position_of(funnel, step)
    if step in row.undone:
        raise ScreeningStepStateError
    return _again(write, incident, row, NewRun("undo", step, funnel, [*row.undone, step], by, at))


def redo(write: Write, incident: Incident, step: str, *, by: str, at: datetime) -> Run:
    """Run again with a step that was undone. Raises as `undo`."""
    row = _locked(write, incident)
    funnel = _definition(row)
    position_of(funnel, step)
    if step not in row.undone:
        raise ScreeningStepStateError
    left = [name for name in row.undone if name != step]
    return _again(write, incident, row, NewRun("redo", step, funnel, left, by, at))


def rerun(write: Write, incident: Incident, step: str, values: dict[str, Any], *, by: str, at: datetime) -> Run:
    """Run again with other thresholds at `step`, and with what the field has judged since.

    Raises as `undo`, and `InputInvalidError`.
    """
    row = _locked(write, incident)
    funnel = with_thresholds(_definition(row), step, values)
    return _again(write, incident, row, NewRun("rerun", step, funnel, row.undone, by, at))


def current(read: Read, incident: Incident) -> Run:
    """The newest run of the newest screening. Raises `ScreeningNotFoundError`."""
    return _told(read, _latest(read, incident))


def history(read: Read, incident: Incident) -> list[Run]:
    """Up to `RUNS_SHOWN_MAX` runs of the newest screening, newest first. Raises `ScreeningNotFoundError`."""
    row = _latest(read, incident)
    return [_told(read, each) for each in store.runs(read, row.screening_ref, RUNS_SHOWN_MAX)]


def person(read: Read, incident: Incident, person_ref: int) -> Standing:
    """What became of a person in the newest run. Raises `ScreeningNotFoundError`, `NotFoundError`."""
    row = _latest(read, incident)
    found = store.person(read, row.run_ref, person_ref)
    if found is None:
        raise NotFoundError(zh="各数据来源均未涉及此人。", en="No source of this screening names this person.")
    return standing(_definition(row), found)


def standing(funnel: Funnel, row: PersonRow) -> Standing:
    """A stored row in words."""
    reason = Said(row.reason)
    return Standing(
        person=row.person_ref,
        listed=row.listed,
        reason=reason.name.lower(),
        zh=words.reason(reason, "zh"),
        en=words.reason(reason, "en"),
        step=funnel.step[row.step].name,
        grounds=tuple((ground.name or "").lower() for ground in model.Ground if row.evidence & ground),
        county=f"{row.county:06d}" if row.county else None,
        history=tuple(
            StepRemark(step.name, Said(said).name.lower(), words.reason(said, "zh"), words.reason(said, "en"))
            for step, said in zip(funnel.step, row.history, strict=True)
            if said
        ),
    )


def reason_code(name: str | None) -> int | None:
    """The code of a reason by its name. Raises `InputInvalidError`."""
    if name is None:
        return None
    if name.upper() not in Said.__members__:
        raise InputInvalidError(faults=(Fault("reason", "reason", "没有这个原因", "there is no such reason"),))
    return Said[name.upper()].value


def step_position(funnel: Funnel, name: str | None) -> int | None:
    """Where a step stands, None for none. Raises `StepUnknownError`."""
    return None if name is None else position_of(funnel, name)


def county_range(prefix: str) -> tuple[int, int]:
    """The division codes of six digits that begin with `prefix`, half-open. Raises `InputInvalidError`."""
    if not (prefix == "" or (prefix.isdecimal() and prefix.isascii() and len(prefix) in _PREFIX_DIGITS)):
        fault = Fault("county", "county", "应为 2、4 或 6 位区划代码", "must be a division code of 2, 4 or 6 digits")
        raise InputInvalidError(faults=(fault,))
    width = 10 ** (_DIVISION_DIGITS - len(prefix))
    first = int(prefix or "0") * width
    return first, first + width


def _latest(read: Read, incident: Incident) -> ScreeningRow:
    row = store.latest(read, incident.incident_ref)
    if row is None:
        raise ScreeningNotFoundError
    return row


def _locked(write: Write, incident: Incident) -> ScreeningRow:
    """The newest run, once nobody else is about to make another from it."""
    store.lock(write, _latest(write, incident).screening_ref)
    return _latest(write, incident)


def _again(write: Write, incident: Incident, row: ScreeningRow, new: NewRun) -> Run:
    require_word("by", new.made_by)
    facts = packed.unpack(store.facts(write, row.screening_ref), model.no_facts())
    return _run(write, incident, row.screening_ref, facts, new)


def _run(write: Write, incident: Incident, screening_ref: int, facts: model.Facts, new: NewRun) -> Run:
    judged_until = store.last_judgement(write, incident.incident_ref)
    facts = facts._replace(judged=gather.judged(write, incident.incident_ref, judged_until))
    screening = funnels.run(new.funnel, facts, undone=new.undone, seconds=monotonic_seconds)
    store.insert_run(
        write,
        screening_ref,
        new,
        judged_until=judged_until,
        screening=screening,
        counties=places(screening.person, facts),
    )
    return current(write, incident)


def _definition(row: ScreeningRow) -> Funnel:
    return msgspec.convert(row.definition, Funnel)


def _told(read: Read, row: ScreeningRow) -> Run:
    definition = _definition(row)
    return Run(
        screening_ref=row.screening_ref,
        run_ref=row.run_ref,
        action=row.action,
        step=row.step,
        at=row.at,
        made_by=row.made_by,
        as_of=row.as_of,
        people=row.people,
        listed=row.listed,
        undone=tuple(row.undone),
        definition=definition,
        summary=summary(definition, store.results(read, row.run_ref)),
    )
