"""Proof that no status was set by hand: every one is decided again from the ledger and compared.

A chunk is read in one snapshot. People who are queued, due, or about to be taken over by the policy in force are not
compared but counted as behind: their stored status is about to change and nobody claims otherwise. People whom a
change of policy could not concern keep a status that names the earlier policy; they are decided by the policy in force
too, and must come out the same but for its name, number and hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.evidence import changes, ledger
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose, Read
from tianfu.policy.affected import Affected
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.model import Decision
from tianfu.policy.publish import Policies
from tianfu.status import store, takeover_store
from tianfu.status.add_ons import add_ons
from tianfu.status.store import Status
from tianfu.status.takeover import governing, scope_of

CHUNK_PEOPLE: Final = 5_000

_NEVER_COMPARED: Final = frozenset({"at"})
_OF_THE_POLICY: Final = frozenset({"at", "policy", "policy_number", "policy_hash"})
# Of a status, what is not part of the decision.
_BESIDE: Final = ("add_ons", "due_at")


class Difference(msgspec.Struct, frozen=True):
    """A stored decision that the ledger does not bear out. `fields` names what differs."""

    person: PersonRef
    fields: tuple[str, ...]
    stored: Decision
    decided: Decision


class Chunk(msgspec.Struct, frozen=True):
    """What was compared in one step: people compared, people behind, and differences.

    `under_earlier` counts those of the compared whose status names an earlier policy.
    """

    compared: int
    behind: int
    differences: tuple[Difference, ...]
    under_earlier: int = 0


def replay(database: Database, policy: Policy, at: datetime) -> Iterator[Chunk]:
    """Compare every status with the decision at `at`, in order of person; reads only.

    Since a status holds until its `due_at`, deciding at `at` must say what was stored, whenever that was.
    """
    after = PersonRef(0)
    earlier = _Earlier(policy, at)
    while True:
        with database.read(Purpose.BATCH) as read:
            statuses = store.page(read, after=after, limit=CHUNK_PEOPLE)
            persons = [status.person for status in statuses]
            waiting = changes.waiting(read, persons)
            evidence = ledger.about_many(read, persons)
            earlier.learn(read, {status.decision.policy_hash for status in statuses})
        if not statuses:
            return
        after = statuses[-1].person
        settled = [
            status
            for status in statuses
            if status.person not in waiting
            and _holds(status, at)
            and not earlier.replaces(status.decision, evidence[status.person])
        ]
        differences = tuple(
            Difference(status.person, fields, status.decision, again.decision)
            for status in settled
            if (fields := _differing(status, again := _decided_again(policy, status.person, evidence, at)))
        )
        under_earlier = sum(1 for status in settled if status.decision.policy_hash != policy.hash)
        yield Chunk(len(settled), len(statuses) - len(settled), differences, under_earlier)


class _Earlier:
    """The policies that statuses still name: whom each must be replaced for, and whether that is over."""

    def __init__(self, policy: Policy, at: datetime) -> None:
        self._policy = policy
        self._at = at
        self._policies = Policies()
        self._scopes: dict[str, Affected] = {policy.hash: Affected()}
        self._finished: set[str] = set()

    def learn(self, read: Read, hashes: set[str]) -> None:
        """Look up what this snapshot says."""
        for old_hash in hashes - self._scopes.keys():
            self._scopes[old_hash] = scope_of(read, self._policies, old_hash, self._policy)
        if hashes != {self._policy.hash}:
            known = takeover_store.stretches(read, self._policy.hash, governing(read, self._policy, self._at))
            self._finished = {stretch.old_hash for stretch in known if stretch.finished_at is not None}

    def replaces(self, decision: Decision, evidence: Sequence[Evidence]) -> bool:
        """Whether the policy in force is still to reach this person. Once it is said to be done, nobody is excused."""
        old_hash = decision.policy_hash
        return old_hash not in self._finished and self._scopes[old_hash].concerns(item.kind for item in evidence)


def _holds(status: Status, at: datetime) -> bool:
    return status.decision.at <= at and (status.due_at is None or at < status.due_at)


def _decided_again(
    policy: Policy, person: PersonRef, evidence: Mapping[PersonRef, Sequence[Evidence]], at: datetime
) -> Status:
    about = evidence[person]
    return store.together(person, decide(policy, about, at), add_ons(about, at))


def _differing(stored: Status, again: Status) -> tuple[str, ...]:
    same_policy = stored.decision.policy_hash == again.decision.policy_hash
    passed_over = _NEVER_COMPARED if same_policy else _OF_THE_POLICY
    names = [name for name in stored.decision.__struct_fields__ if name not in passed_over]
    differing = [name for name in names if getattr(stored.decision, name) != getattr(again.decision, name)]
    return (*differing, *(name for name in _BESIDE if getattr(stored, name) != getattr(again, name)))
