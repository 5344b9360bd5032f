"""What a decision is. Pure facts: no I/O, no clock."""

from __future__ import annotations

import msgspec

from tianfu.clock import Instant
from tianfu.colour import Colour
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.ids import EvidenceId


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that one piece of evidence sets off.

    `reason_class` is the coarse word that may leave the system (`case`, `contact`, `test`, `declaration`); `rule`
    names the rule in the set. The reason holds in [since, until) unless a release ends it earlier; `until` None means
    that only a release or new evidence ends it. `releases` are the ids of the releases that are still open.
    """

    rule: str
    reason_class: str
    colour: Colour
    evidence: EvidenceId
    kind: str
    source: str
    place: str | None
    since: Instant
    until: Instant | None
    releases: tuple[str, ...] = ()
    measure: str | None = None


class ActivePopup(msgspec.Struct, frozen=True, kw_only=True):
    """A popup that a rule shows beside the colour in [since, until), and what it blocks.

    `popup` names it in the set, `popup_class` is the coarse word that may leave the system.
    """

    popup: str
    popup_class: str
    blocks: tuple[str, ...]
    rule: str
    evidence: EvidenceId
    since: Instant
    until: Instant | None


class TestSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The person's latest nucleic-acid or antigen result, for the tile beside the code."""

    result: TestResult
    method: TestMethod
    sampled_at: Instant


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy in force says of one person at one instant, and why.

    `reasons` are the active ones in the order they are shown: worst colour first, then the set's own order.
    `popup` is the state shown beside the colour: the first of `popups`, which rules give in the order of the file, or
    `declare` when there is none and no health declaration is valid though the set asks for one. `next_change_at` is
    exact:
    without new evidence or policy nothing in the decision changes before it and something does at it; None means
    never.
    """

    policy: str
    policy_number: int
    policy_hash: str
    at: Instant
    colour: Colour
    popup: str | None
    reasons: tuple[Reason, ...]
    test: TestSummary | None
    declared_until: Instant | None
    popups: tuple[ActivePopup, ...] = ()
    next_change_at: Instant | None
