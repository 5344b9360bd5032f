"""What screening sends and gets, as JSON shapes. A person's number travels with its check digits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tianfu.clock import Instant
from tianfu.console.purposes import StatedForm
from tianfu.ids import PersonRef, format_person_ref
from tianfu.tracing.screening.confirm import Confirmation
from tianfu.tracing.screening.judge import Judgement
from tianfu.tracing.screening.screenings import Run, Standing, StepRemark
from tianfu.tracing.screening.summary import FunnelSummary


class FunnelForm(StatedForm, frozen=True, kw_only=True):
    """Which funnel to screen with; the default one when left out."""

    funnel: str | None = None


class ThresholdsForm(StatedForm, frozen=True, kw_only=True):
    """Other thresholds for a step, by name."""

    thresholds: dict[str, Any]


class PageForm(StatedForm, frozen=True, kw_only=True):
    """Which people of the newest run to list, and why they are read.

    `after` is the last reference of the page before. `county` is a division code or its prefix.
    """

    listed: bool | None = None
    reason: str | None = None
    step: str | None = None
    county: str | None = None
    after: str | None = None
    limit: int = 100


class PersonForm(StatedForm, frozen=True, kw_only=True):
    """Whose standing is read, and why."""

    person: str


class JudgementForm(StatedForm, frozen=True, kw_only=True):
    """What the field found: `tier` null is no contact; `reason` in one of the fixed words.

    `setting` and `exposed_at`, the last exposure, go before what the traces say.
    """

    person: str
    tier: str | None
    reason: str
    setting: str | None = None
    exposed_at: Instant | None = None


class ConfirmationForm(StatedForm, frozen=True, kw_only=True):
    """Whose results become evidence: of these tiers; only who is on the list of the newest screening; only one."""

    tiers: tuple[str, ...]
    screened: bool = False
    person: str | None = None


class WithdrawalForm(StatedForm, frozen=True, kw_only=True):
    """Why a confirmation is taken back, in one word for the trail."""

    reason: str


class ScreeningRunAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a screening: its funnel step by step."""

    screening: int
    run: int
    action: str
    step: str | None
    at: datetime
    made_by: str
    as_of: datetime
    people: int
    listed: int
    undone: tuple[str, ...]
    thresholds: list[Any]
    summary: FunnelSummary

    @classmethod
    def of(cls, run: Run) -> ScreeningRunAnswer:
        """The answer for `run`."""
        return cls(
            screening=run.screening_ref,
            run=run.run_ref,
            action=run.action,
            step=run.step,
            at=run.at,
            made_by=run.made_by,
            as_of=run.as_of,
            people=run.people,
            listed=run.listed,
            undone=run.undone,
            thresholds=msgspec.to_builtins(run.definition.step),
            summary=run.summary,
        )


class StandingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one person, with the latest judgement of the field where it was asked for."""

    person: str
    listed: bool
    reason: str
    zh: str
    en: str
    step: str
    grounds: tuple[str, ...]
    county: str | None
    history: tuple[StepRemark, ...]
    judgement: Judgement | None = None

    @classmethod
    def of(cls, standing: Standing, judgement: Judgement | None = None) -> StandingAnswer:
        """The answer for `standing`."""
        return cls(
            person=format_person_ref(PersonRef(standing.person)),
            listed=standing.listed,
            reason=standing.reason,
            zh=standing.zh,
            en=standing.en,
            step=standing.step,
            grounds=standing.grounds,
            county=standing.county,
            history=standing.history,
            judgement=judgement,
        )


class StandingPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of people; `next` is where the next one begins, null after the last."""

    people: tuple[StandingAnswer, ...]
    next: str | None


class JudgementAnswer(msgspec.Struct, frozen=True):
    """The number under which a judgement is kept."""

    judgement: int


class ConfirmationAnswer(msgspec.Struct, frozen=True):
    """A confirmation; one that waits needs another account's approval."""

    confirmation: Confirmation
    needs_second_person: bool

    @classmethod
    def of(cls, confirmation: Confirmation) -> ConfirmationAnswer:
        """The answer for `confirmation`."""
        asked_back = confirmation.state == "done" and confirmation.asked_back_by is not None
        return cls(confirmation, confirmation.state == "waiting" or asked_back)
