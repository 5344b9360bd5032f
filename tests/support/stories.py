"""Golden cases: stories in TOML beside a rule set (their shape is described in docs/policy-format.md)."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

import msgspec

from tianfu.clock import Instant
from tianfu.evidence.kinds import Attributes, Case, Contact, Declaration, Test
from tianfu.evidence.model import Evidence, Grade
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval

_SOURCES = {"test": "laboratory", "case": "health", "contact": "tracing", "declaration": "self"}


class ToldTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    result: str
    method: str
    sampled_at: Instant


class ToldEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One statement; what is left out is what the department would usually say."""

    id: int
    test: ToldTest | None = None
    case: dict[str, object] | None = None
    contact: dict[str, object] | None = None
    declaration: dict[str, object] | None = None
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

    def statement(self) -> Evidence:
        kind, attributes, occurred_at = self._fact()
        occurred_at = self.occurred_at or occurred_at
        return Evidence(
            evidence_id=EvidenceId(self.id),
            person=PersonRef(1),
            source=self.source or _SOURCES[kind],
            source_record=self.record or f"{kind}-{self.id}",
            attributes=attributes,
            occurred_at=occurred_at,
            received_at=self.received_at or occurred_at,
            valid=Interval(self.valid_from or occurred_at, self.valid_until),
            grade=self.grade,
            place=self.place,
            supersedes=None if self.supersedes is None else EvidenceId(self.supersedes),
            withdraws=None if self.withdraws is None else EvidenceId(self.withdraws),
        )

    def _fact(self) -> tuple[str, Attributes, datetime]:
        if self.test is not None:
            told = {**msgspec.structs.asdict(self.test), "resulted_at": self.test.sampled_at, "laboratory": "51-1"}
            return "test", msgspec.convert({"type": "test", **told}, Test), self.test.sampled_at
        if self.case is not None:
            case = msgspec.convert({"type": "case", **self.case}, Case)
            return "case", case, case.diagnosed_at
        if self.contact is not None:
            contact = msgspec.convert({"type": "contact", "case": "C-0", **self.contact}, Contact)
            return "contact", contact, contact.designated_at
        assert self.declaration is not None
        declaration = msgspec.convert({"type": "declaration", **self.declaration}, Declaration)
        return "declaration", declaration, declaration.declared_at


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the decision at `at` must say; an absent popup, test or next change must be absent."""

    at: Instant
    colour: str
    rules: tuple[str, ...] = ()
    popup: str | None = None
    test: str | None = None
    next: Instant | None = None


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    expect: tuple[Expectation, ...]
    evidence: tuple[ToldEvidence, ...] = ()


class _Stories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    story: tuple[Story, ...]


def stories_in(folder: Path) -> list[Story]:
    """Every story of every file in the folder."""
    files = sorted(folder.glob("*.toml"))
    assert files, f"no stories in {folder}"
    return [
        story for file in files for story in msgspec.convert(tomllib.loads(file.read_text("utf-8")), _Stories).story
    ]
