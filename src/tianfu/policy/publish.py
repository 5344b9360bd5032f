"""Putting a policy in force, and finding the one that is.

Two people publish: one states the rule set, another approves it. A publication is never changed or removed; what was
wrong is mended by publishing again, an earlier body if need be.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Final

import msgspec

from tianfu.access.two_people import are_two
from tianfu.audit import trail
from tianfu.clock import require_aware
from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.evidence import changes
from tianfu.platform.database import Read, Write
from tianfu.policy import store
from tianfu.policy.affected import Affected, affected
from tianfu.policy.compile import Policy
from tianfu.policy.load import load
from tianfu.policy.model import Decision
from tianfu.policy.store import Publication

# The names of accounts, as the trail keeps them.
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_.:@+/-]{1,64}", re.ASCII)

# One policy is in force, one or two are waiting, and a replay looks back over a few more.
POLICIES_KEPT_MAX: Final = 16


class PublicationNeedsTwoError(TianfuError):
    """The same person published and approved."""

    code = "publication_needs_two"
    status = 422
    zh = "发布规则须由两名不同的人员分别提交和批准。"
    en = "Publishing a policy needs two different people: one to publish, another to approve."


class PublicationTooEarlyError(TianfuError):
    """The policy would take effect before the instant its own file names."""

    code = "publication_too_early"
    status = 422
    zh = "生效时间早于规则文件所载的最早生效时间。"
    en = "The policy may not take effect before the instant its own file names."


class PublicationBackdatedError(TianfuError):
    """The publication would change what was in force in the past."""

    code = "publication_backdated"
    status = 422
    zh = "不得更改过去已生效的规则，请填写当前或以后的生效时间。"
    en = "What was in force in the past cannot be changed; state the present or a later instant."


class PolicyNumberTakenError(TianfuError):
    """Another rule set was published under this number; gates tell rule sets apart by it."""

    code = "policy_number_taken"
    status = 409
    zh = "此规则编号已用于另一份已发布的规则，请换一个编号。"
    en = "This number already stands for another published rule set; give the new one a number of its own."


class NoPolicyInForceError(TianfuError):
    """No policy governs the instant asked about."""

    code = "no_policy_in_force"
    status = 503
    zh = "目前没有生效的赋码规则。"
    en = "No policy is in force at this time."


class PolicyAlteredError(TianfuError):
    """The stored text of a policy no longer has the hash it was published under."""

    code = "policy_altered"
    status = 500
    zh = "已发布的规则内容与其摘要不符，已停止使用。"
    en = "The stored policy is not the one that was published; it is not used."


def publish(
    write: Write, *, body: bytes, published_by: str, approved_by: str, effective_from: datetime, at: datetime
) -> Publication:
    """Publish the rule set in `body` from `effective_from` on, record it in the trail, and wake the worker.

    `at` is the present. Only the very first policy may reach back, to times that none governed. A number stands for
    one body for ever; the same body may be published again, which is how a change is rolled back. Nothing is written
    on `PolicyInvalidError`, `PublicationNeedsTwoError`, `PublicationTooEarlyError`, `PublicationBackdatedError`,
    `PolicyNumberTakenError` or `InputInvalidError`. A retry publishes once more, to the same effect.
    """
    require_aware(effective_from)
    policy = load(body)
    require_two(published_by, approved_by)
    store.lock(write)
    require_publishable(write, policy, effective_from=effective_from, at=at)
    publication = Publication(
        publication_id=0,
        policy_hash=policy.hash,
        name=policy.name,
        number=policy.number,
        effective_from=effective_from,
        published_at=at,
        published_by=published_by,
        approved_by=approved_by,
    )
    number = store.insert(write, publication, body.decode())
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=published_by,
            action="policy.publish",
            purpose="policy",
            subject=policy.hash,
            detail={
                "name": policy.name,
                "number": policy.number,
                "approved_by": approved_by,
                "effective_from": effective_from.isoformat(),
                "publication": number,
            },
        ),
    )
    changes.wake(write)
    return msgspec.structs.replace(publication, publication_id=number)


def require_publishable(read: Read, policy: Policy, *, effective_from: datetime, at: datetime) -> None:
    """Raise what would keep `policy` from being published by two people; so a dry run says it too."""
    if effective_from < policy.rule_set.set.effective_from:
        raise PublicationTooEarlyError
    if effective_from < at and store.in_force(read, effective_from) is not None:
        raise PublicationBackdatedError
    if store.number_stands_for(read, policy.number) not in {None, policy.hash}:
        raise PolicyNumberTakenError


def any_in_force(read: Read, at: datetime) -> bool:
    """Whether a policy governs `at`."""
    return store.in_force(read, at) is not None


def in_force(read: Read, at: datetime) -> Policy:
    """The policy that governs `at`. For repeated use keep a `Policies`, which compiles each policy once.

    Raises `NoPolicyInForceError` or `PolicyAlteredError`.
    """
    return Policies().in_force(read, at)


class Policies:
    """Published policies, compiled once and kept by hash. A hash stands for one body for ever, so nothing goes stale.

    Threads may share one: the worst that can happen is that a policy is compiled twice.
    """

    def __init__(self) -> None:
        self._by_hash: dict[str, Policy] = {}
        self._scopes: dict[tuple[str, str], Affected] = {}

    def in_force(self, read: Read, at: datetime) -> Policy:
        """The policy that governs `at`. Raises `NoPolicyInForceError` or `PolicyAlteredError`."""
        publication = store.in_force(read, at)
        if publication is None:
            raise NoPolicyInForceError
        return self.by_hash(read, publication.policy_hash)

    def by_hash(self, read: Read, policy_hash: str) -> Policy:
        """A policy that was published at some time. Raises `NoPolicyInForceError` or `PolicyAlteredError`."""
        policy = self._by_hash.get(policy_hash)
        if policy is None:
            policy = _stored(read, policy_hash)
            if len(self._by_hash) >= POLICIES_KEPT_MAX:
                self._by_hash.clear()
            self._by_hash[policy_hash] = policy
        return policy

    def as_told(self, read: Read, decision: Decision, at: datetime) -> tuple[Policy, Decision]:
        """The policy whose words to read a stored decision in at `at`, and the decision under that policy's name.

        That is the policy in force when it differs in words only, so that a corrected text is read at once though
        nobody was decided again; else the one that the decision names. Raises `NoPolicyInForceError` when that was
        never published, or `PolicyAlteredError`.
        """
        decided = self.by_hash(read, decision.policy_hash)
        publication = store.in_force(read, at)
        if publication is None or publication.policy_hash == decided.hash:
            return decided, decision
        current = self.by_hash(read, publication.policy_hash)
        key = (decided.hash, current.hash)
        if (scope := self._scopes.get(key)) is None:
            scope = affected(decided.rule_set, current.rule_set)
            if len(self._scopes) >= POLICIES_KEPT_MAX:
                self._scopes.clear()
            self._scopes[key] = scope
        if not scope.nobody:
            return decided, decision
        named = msgspec.structs.replace(
            decision, policy=current.name, policy_number=current.number, policy_hash=current.hash
        )
        return current, named


def _stored(read: Read, policy_hash: str) -> Policy:
    text = store.body(read, policy_hash)
    if text is None:
        raise NoPolicyInForceError
    body = text.encode()
    if hashlib.sha256(body).hexdigest() != policy_hash:
        raise PolicyAlteredError
    return load(body)


def require_two(published_by: str, approved_by: str) -> None:
    """Raise `InputInvalidError` or `PublicationNeedsTwoError` unless these are accounts' names of two people."""
    faults = tuple(
        Fault(
            field=field,
            code="account",
            zh="应为账号名：1 至 64 个字母、数字或 _ . : @ + / -",
            en="must be an account's name: 1 to 64 letters, digits or _ . : @ + / -",
        )
        for field, name in (("published_by", published_by), ("approved_by", approved_by))
        if _ACCOUNT.fullmatch(name) is None
    )
    if faults:
        raise InputInvalidError(faults=faults)
    if not are_two(published_by, approved_by):
        raise PublicationNeedsTwoError
