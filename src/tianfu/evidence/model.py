"""What evidence is: one statement by one source about one person, never changed once written.

A correction is a new statement that `supersedes` the old one; a withdrawal is a new statement that `withdraws` it.
Both leave the old one in place, so that any past decision can be replayed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from tianfu.clock import Instant
from tianfu.evidence.kinds import Attributes
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval


class Grade(enum.Enum):
    """How far a statement can be trusted. Weak evidence (a poster scan) never changes a colour by itself."""

    WEAK = "weak"
    STRONG = "strong"


class NewEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A statement about to be appended; the ledger gives it its number and the instant of receipt.

    `source` is the department that states it (a key of `tianfu.evidence.sources`), `source_record` that department's
    own key for the record: the same key with other content supersedes what came before. `place` is a six-digit
    GB/T 2260 division code. `occurred_at` is the source's own instant of the statement (a test's result, a case's
    report, a contact's designation, a declaration) and orders the statements of one record; `valid` is when the
    statement counts.
    """

    person: PersonRef
    source: str
    source_record: str
    attributes: Attributes
    occurred_at: Instant
    valid: Interval
    grade: Grade = Grade.STRONG
    place: str | None = None
    withdraws: EvidenceId | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A statement as the ledger holds it."""

    evidence_id: EvidenceId
    person: PersonRef
    source: str
    source_record: str
    attributes: Attributes
    occurred_at: Instant
    received_at: Instant
    valid: Interval
    grade: Grade = Grade.STRONG
    place: str | None = None
    supersedes: EvidenceId | None = None
    withdraws: EvidenceId | None = None

    @property
    def kind(self) -> str:
        """The name of the kind, as in rule files: `test`, `case`, `contact`, `declaration` and so on."""
        return self.attributes.__struct_config__.tag  # type: ignore[return-value]  # every kind has a text tag


def standing(evidence: Iterable[Evidence]) -> list[Evidence]:
    """The statements that still stand, ordered by evidence number; the order of the input does not matter.

    A withdrawn statement counts as never made. Of the others with one source and record the one that happened last
    stands (for one instant, the one with the highest number), and so nothing that it or an earlier one supersedes.
    """
    statements = list(evidence)
    withdrawn = {statement.withdraws for statement in statements}
    live = [item for item in statements if item.withdraws is None and item.evidence_id not in withdrawn]
    gone = {statement.supersedes for statement in live}
    latest: dict[tuple[str, str], Evidence] = {}
    for item in live:
        key = (item.source, item.source_record)
        held = latest.get(key)
        if held is None or (item.occurred_at, item.evidence_id) > (held.occurred_at, held.evidence_id):
            latest[key] = item
    return sorted((item for item in latest.values() if item.evidence_id not in gone), key=lambda item: item.evidence_id)
