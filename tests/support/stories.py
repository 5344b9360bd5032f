"""Golden cases: stories in TOML beside a rule set (their shape is described in docs/policy-format.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from tianfu.clock import Instant
from tianfu.evidence.kinds import KINDS, Attributes
from tianfu.evidence.model import Evidence, Grade
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.policy.model import Decision


class Usual(NamedTuple):
    """Who usually states a kind, which of its instants is the statement's own, and what may be left untold."""

    source: str
    occurred: str
    untold: Mapping[str, str] = {}


# One line for each kind of evidence.
USUAL: Final[dict[str, Usual]] = {
    "test": Usual("laboratory", "resulted_at", {"laboratory": "51-1"}),
    "sampling": Usual("laboratory", "sampled_at", {"laboratory": "51-1"}),
    "case": Usual("health", "diagnosed_at"),
    "contact": Usual("tracing", "designated_at", {"case": "C-0"}),
    "parent_test": Usual("derived", "sampled_at", {"contact": "contact-1", "laboratory": "51-1"}),
    "declaration": Usual("self", "declared_at"),
    "isolation": Usual("health", "began_at"),
    "fever_visit": Usual("health", "visited_at", {"institution": "H-1"}),
    "medicine": Usual("pharmacy", "bought_at", {"pharmacy": "P-1"}),
    "vaccination": Usual("immunisation", "vaccinated_at", {"product": "V-1"}),
    "test_duty": Usual("headquarters", "starts_at"),
    "arrival": Usual("community", "arrived_at"),
    "border_entry": Usual("border", "entered_at", {"port": "CTU"}),
    "journey": Usual("railway", "departed_at", {"service": "K1"}),
    "stay": Usual("telecom", "began_at", {"division": "510104"}),
    "zone_stay": Usual("derived", "level_since", {"zone": "Z-1"}),
    "letter": Usual("cdc", "issued_at", {"number": "L-1"}),
    "emergency": Usual("headquarters", "ordered_at", {"order": "O-1"}),
    "colour_elsewhere": Usual("elsewhere", "stated_at", {"authority": "110000"}),
    "membership": Usual("education", "began_at", {"institution": "S-1"}),
    "identity_check": Usual("police", "checked_at"),
    "clearance": Usual("desk", "judged_at"),
}


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said of any statement; what is left out is what the department would usually say."""

    id: int
    source: str | None = None
    record: str | None = None
    occurred_at: Instant | None = None
    received_at: Instant | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    grade: Grade = Grade.STRONG
    place: str | None = None
    supersedes: int | None = None
    withdraws: int | None = None


def told_statement(raw: Mapping[str, Any]) -> Evidence:
    """The statement that a story tells as `{ id = 1, KIND = { … } }`: the fields of the kind and those of `_Told`."""
    kinds = [name for name in raw if name in KINDS]
    assert len(kinds) == 1, f"a statement is of one kind: {raw}"
    kind = kinds[0]
    told = msgspec.convert({name: value for name, value in raw.items() if name != kind}, _Told)
    attributes, occurred_at = _fact(kind, raw[kind])
    occurred_at = told.occurred_at or occurred_at
    return Evidence(
        evidence_id=EvidenceId(told.id),
        person=PersonRef(1),
        source=told.source or USUAL[kind].source,
        source_record=told.record or f"{kind}-{told.id}",
        attributes=attributes,
        occurred_at=occurred_at,
        received_at=told.received_at or occurred_at,
        valid=Interval(told.valid_from or occurred_at, told.valid_until),
        grade=told.grade,
        place=told.place,
        supersedes=None if told.supersedes is None else EvidenceId(told.supersedes),
        withdraws=None if told.withdraws is None else EvidenceId(told.withdraws),
    )


def _fact(kind: str, said: Mapping[str, Any]) -> tuple[Attributes, datetime]:
    usual = USUAL[kind]
    unknown = set(said) - {field.encode_name for field in msgspec.structs.fields(KINDS[kind])}
    assert not unknown, f"{kind} has no {sorted(unknown)}"
    whole = {**usual.untold, **said}
    if kind == "test":
        whole.setdefault("resulted_at", said["sampled_at"])
    attributes: Attributes = msgspec.convert({"type": kind, **whole}, KINDS[kind])  # type: ignore[assignment]
    return attributes, getattr(attributes, usual.occurred)


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the decision at `at` must say; an absent popup, test or next change must be absent.

    `popup` is the one shown. `popups` (all that are active) and `measure` (of the first reason) are compared when told.
    """

    at: Instant
    colour: str
    rules: tuple[str, ...] = ()
    popup: str | None = None
    test: str | None = None
    next: Instant | None = None
    popups: tuple[str, ...] | None = None
    measure: str | None = None

    def said_by(self, decision: Decision) -> Expectation:
        """The same told of `decision`; equal to this when the story goes as it is told."""
        measure = decision.reasons[0].measure if decision.reasons else None
        return Expectation(
            at=self.at,
            colour=decision.colour.value,
            rules=tuple(reason.rule for reason in decision.reasons),
            popup=decision.popup,
            test=None if decision.test is None else decision.test.result.value,
            next=decision.next_change_at,
            popups=None if self.popups is None else tuple(popup.popup for popup in decision.popups),
            measure=None if self.measure is None else measure,
        )


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    expect: tuple[Expectation, ...]
    evidence: tuple[dict[str, Any], ...] = ()

    def statements(self) -> list[Evidence]:
        """What is known of the person of the story."""
        return [told_statement(raw) for raw in self.evidence]


class _Stories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    story: tuple[Story, ...]


def stories_in(folder: Path) -> list[Story]:
    """Every story of every file in the folder; none when there is no such folder."""
    files = sorted(folder.glob("*.toml"))
    return [
        story for file in files for story in msgspec.convert(tomllib.loads(file.read_text("utf-8")), _Stories).story
    ]
