"""What is sent to and told by the incidents' API, as JSON shapes. People travel as `P-000000012-62`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from tianfu.clock import Instant
from tianfu.console.purposes import StatedForm
from tianfu.ids import format_person_ref
from tianfu.tracing.cases import Entered
from tianfu.tracing.incidents import Incident
from tianfu.tracing.pages import Listed, Page
from tianfu.tracing.why import Step, Why

# Incidents are counted in 32 bits.
KEY_MAX: Final = 2**31 - 1
TierWord = Literal["close", "secondary", "copresent", "general"]
"""A tier as it is asked for. Another word is refused: it would find nobody, which reads as if there were nobody."""


class OpenForm(StatedForm, frozen=True, kw_only=True):
    """A new incident: its county, and a rule set by name (null: the one in force)."""

    place: str
    rules: str | None = None


class ListForm(StatedForm, frozen=True, kw_only=True):
    """Which incidents to list; `before` is the `key` of the last one seen."""

    with_closed: bool = False
    before: Annotated[int, msgspec.Meta(ge=1, le=KEY_MAX)] | None = None


class CaseForm(StatedForm, frozen=True, kw_only=True):
    """A new case. Without a period it is worked out from what the ledger says of the person.

    `infectious_to` alone is isolation.
    """

    person: str
    infectious_from: Instant | None = None
    infectious_to: Instant | None = None


class PersonForm(StatedForm, frozen=True, kw_only=True):
    """Somebody in the incident."""

    person: str


class PeriodForm(StatedForm, frozen=True, kw_only=True):
    """Until when a case could infect others (null: not isolated), and since when (left out: as it was)."""

    person: str
    infectious_to: Instant | None
    infectious_from: Instant | None = None


class RunForm(StatedForm, frozen=True, kw_only=True):
    """A run. `rules` and `hops` are kept for later runs of the incident; `everything` expands every case again."""

    as_of: Instant | None = None
    hops: int | None = None
    rules: str | None = None
    everything: bool = False


class PageForm(StatedForm, frozen=True, kw_only=True):
    """Which rows of the list, and after which page."""

    tier: TierWord | None = None
    hop: Annotated[int, msgspec.Meta(ge=1)] | None = None
    state: Literal["proposed", "confirmed", "dropped"] | None = None
    place: str | None = None
    after: str | None = None
    limit: int | None = None


class ChildrenForm(StatedForm, frozen=True, kw_only=True):
    """Whose contacts, and after which page."""

    person: str
    after: str | None = None
    limit: int | None = None


class IncidentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An incident. `is_waiting`: its cases changed since the list was made."""

    key: int
    number: str
    place: str
    rules: str | None
    hops: int | None
    opened_at: datetime
    opened_by: str
    automatic: bool
    closed_at: datetime | None
    traced_at: datetime | None
    is_waiting: bool

    @classmethod
    def of(cls, incident: Incident) -> IncidentAnswer:
        """The answer for `incident`."""
        return cls(
            key=incident.incident_ref,
            number=incident.number,
            place=incident.place,
            rules=incident.rules,
            hops=incident.hops,
            opened_at=incident.opened_at,
            opened_by=incident.opened_by,
            automatic=incident.automatic,
            closed_at=incident.closed_at,
            traced_at=incident.traced_at,
            is_waiting=incident.touches > incident.traced_touches,
        )


class CaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A case."""

    person: str
    infectious_from: datetime
    infectious_to: datetime | None
    stated: bool
    evidence: int | None
    added_at: datetime
    added_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None

    @classmethod
    def of(cls, case: Entered) -> CaseAnswer:
        """The answer for `case`."""
        return cls(
            person=format_person_ref(case.person),
            infectious_from=case.infectious_from,
            infectious_to=case.infectious_to,
            stated=case.stated,
            evidence=case.evidence_id,
            added_at=case.added_at,
            added_by=case.added_by,
            withdrawn_at=case.withdrawn_at,
            withdrawn_by=case.withdrawn_by,
        )


class AskedAnswer(msgspec.Struct, frozen=True):
    """The number under which a run can be followed."""

    run: int


class TraceRunAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands: waiting, running, done or failed; what it did, or the code of why not."""

    state: str
    error: str | None
    report: dict[str, Any] | None


class ListedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on the list; fields as in `tianfu.tracing.pages.Listed`."""

    person: str
    hop: int
    tier: str
    setting: str
    strong: bool
    exposed_at: datetime
    parent: str
    venue: int | None
    cases: int
    place: str | None
    state: str

    @classmethod
    def of(cls, listed: Listed) -> ListedAnswer:
        """The answer for one row."""
        return cls(
            person=listed.reference,
            hop=listed.hop,
            tier=listed.tier,
            setting=listed.setting,
            strong=listed.strong,
            exposed_at=listed.exposed_at,
            parent=format_person_ref(listed.parent),
            venue=listed.venue,
            cases=listed.cases,
            place=listed.place,
            state=listed.state,
        )


class ContactPage(msgspec.Struct, frozen=True):
    """Rows; `next` is the `after` of the next page, null on the last one."""

    rows: tuple[ListedAnswer, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page) -> ContactPage:
        """The answer for a page."""
        return cls(tuple(ListedAnswer.of(row) for row in page.rows), page.after)


class StepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain; meetings as in `tianfu.tracing.why.Together`."""

    hop: int
    source: str
    person: str
    tier: str
    exposed_at: datetime
    meetings: list[dict[str, Any]]
    more: bool

    @classmethod
    def of(cls, step: Step) -> StepAnswer:
        """The answer for one link."""
        return cls(
            hop=step.hop,
            source=format_person_ref(step.source),
            person=format_person_ref(step.person),
            tier=step.tier,
            exposed_at=step.exposed_at,
            meetings=[msgspec.to_builtins(meeting) for meeting in step.meetings],
            more=step.more,
        )


class SupportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A case that supports the row by itself."""

    case: str
    hop: int
    tier: str
    exposed_at: datetime
    parent: str


class WhyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody is listed: from the case through the chain, and which other cases say so too."""

    person: str
    case: str
    rules: str
    as_of: datetime
    chain: tuple[StepAnswer, ...]
    cases: tuple[SupportAnswer, ...]

    @classmethod
    def of(cls, why: Why) -> WhyAnswer:
        """The answer for an explanation."""
        return cls(
            person=format_person_ref(why.person),
            case=format_person_ref(why.case),
            rules=why.rules,
            as_of=why.as_of,
            chain=tuple(StepAnswer.of(step) for step in why.chain),
            cases=tuple(
                SupportAnswer(
                    case=format_person_ref(one.case),
                    hop=one.hop,
                    tier=one.tier,
                    exposed_at=one.exposed_at,
                    parent=format_person_ref(one.parent),
                )
                for one in why.cases
            ),
        )
