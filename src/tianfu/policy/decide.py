"""The decision: what a policy says of one person at one instant, and until when that stays so.

Pure and total: no clock, no I/O, no error for well-typed evidence. What it says depends on the statements, never on
their order nor on when they were received (unless a rule's anchor says `received`).

- Only statements that stand count, only inside their `valid` period, and never weak ones.
- Every rule that fits gives a reason while one of its phases runs and no release has ended it; the worst colour wins.
- `latest_only` compares by (occurred, start of validity, number): from the moment a newer statement of the kind and
  source begins to count, the older one is replaced for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from tianfu.colour import Colour
from tianfu.evidence.kinds import Declaration, Test
from tianfu.evidence.model import Evidence, Grade, standing
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.policy.active import earlier, shown_of
from tianfu.policy.compile import END_OF_TIME, Policy, ReadyRule
from tianfu.policy.model import ActivePopup, Decision, Reason, TestSummary
from tianfu.policy.moment import Moment
from tianfu.policy.rules import POPUP_DECLARE

# Sight: the state (reasons, popups, test, declared_until), then the earliest instant at which it is sure to change by
# itself and the earliest at which it may.
_State = tuple[tuple[Reason, ...], tuple[ActivePopup, ...], TestSummary | None, datetime | None]
_Sight = tuple[_State, datetime | None, datetime | None]

_WEAK: Final = Grade.WEAK
_ANTIBODY: Final = TestMethod.ANTIBODY
_NO_REASONS: Final[tuple[Reason, ...]] = ()
_NO_POPUPS: Final[tuple[ActivePopup, ...]] = ()

# Of two tests sampled at the same instant the more worrying result is shown, and nucleic acid before antigen.
_RESULT_RANK: Final = {TestResult.NEGATIVE: 0, TestResult.INDETERMINATE: 1, TestResult.POSITIVE: 2}
_METHOD_RANK: Final = {TestMethod.ANTIBODY: 0, TestMethod.ANTIGEN: 1, TestMethod.NUCLEIC_ACID: 2}


def decide(policy: Policy, evidence: Sequence[Evidence], at: datetime) -> Decision:
    """The decision for the person whose whole evidence is `evidence`, at the aware instant `at`.

    `next_change_at` is exact: with the same evidence and policy the decision (apart from `at`) is the same at every
    instant before it and another at it; None means that it never changes again.
    """
    live = _live(evidence)
    sight = _look(policy, live, at)
    state, sure, maybe = sight
    reasons, popups, test, declared_until = state
    popup: str | None = None
    if popups:
        popup = popups[0].popup
    elif declared_until is None and policy.declaration_life is not None:
        popup = POPUP_DECLARE
    return Decision(
        policy=policy.name,
        policy_number=policy.number,
        policy_hash=policy.hash,
        at=at,
        colour=reasons[0].colour if reasons else Colour.GREEN,
        popup=popup,
        reasons=reasons,
        test=test,
        declared_until=declared_until,
        popups=popups,
        next_change_at=sure if maybe is None or (sure is not None and sure <= maybe) else _change(policy, live, sight),
    )


def _live(evidence: Sequence[Evidence]) -> Sequence[Evidence]:
    """The statements that stand; the common case, in which nothing was ever corrected, needs no sorting."""
    for item in evidence:
        if item.supersedes is not None or item.withdraws is not None:
            return standing(evidence)
    if len(evidence) > 1 and len({(item.source, item.source_record) for item in evidence}) < len(evidence):
        return standing(evidence)
    return evidence


def _change(policy: Policy, live: Sequence[Evidence], sight: _Sight) -> datetime | None:
    """The first instant at which the state differs. Steps from one possible change to the next until one is real.

    Between two possible changes nothing changes, because every instant on which the state depends is one of them.
    """
    state = sight[0]
    while True:
        _, sure, maybe = sight
        if maybe is None or (sure is not None and sure <= maybe):
            return sure
        sight = _look(policy, live, maybe)
        if sight[0] != state:
            return maybe


def _look(policy: Policy, live: Sequence[Evidence], at: datetime) -> _Sight:
    """The state at `at`, and when it will and when it may change next."""
    counting, maybe = _counting(live, at)
    shown: Test | None = None
    declared_until: datetime | None = None
    fitting: list[tuple[ReadyRule, Evidence]] = []
    by_kind, life = policy.by_kind, policy.declaration_life
    for item in counting:
        attributes = item.attributes
        if isinstance(attributes, Test):
            shown = _shown(attributes, shown)
        elif isinstance(attributes, Declaration) and life is not None:
            begins, lasts = attributes.declared_at, _lasts(attributes, life, item.valid.end)
            if at < begins:
                maybe = earlier(maybe, begins)
            elif at < lasts and (declared_until is None or declared_until < lasts):
                declared_until = lasts
        fitting += [(rule, item) for rule in by_kind.get(type(attributes), ()) if rule.fits(attributes)]
    if fitting:
        found = shown_of(fitting, Moment(live, counting, at), at)
        reasons, popups = found.reasons, found.popups
        sight_ends, maybe = earlier(declared_until, found.sure), earlier(maybe, found.maybe)
    else:
        reasons, popups, sight_ends = _NO_REASONS, _NO_POPUPS, declared_until
    summary = None
    if shown is not None:
        summary = TestSummary(result=shown.result, method=shown.method, sampled_at=shown.sampled_at)
    return (reasons, popups, summary, declared_until), sight_ends, maybe


def _counting(live: Sequence[Evidence], at: datetime) -> tuple[list[Evidence], datetime | None]:
    """The strong statements whose validity holds `at`; the next instant at which a validity begins or ends."""
    counting: list[Evidence] = []
    turn: datetime | None = None
    for item in live:
        if item.grade is _WEAK:
            continue
        start, end = item.valid.start, item.valid.end
        if at < start:
            if turn is None or start < turn:
                turn = start
        elif end is None:
            counting.append(item)
        elif at < end:
            counting.append(item)
            if turn is None or end < turn:
                turn = end
    return counting, turn


def _shown(test: Test, other: Test | None) -> Test | None:
    """Which of the two is for the tile: the later sample; an antibody result never."""
    if test.method is _ANTIBODY:
        return other
    if other is None or test.sampled_at > other.sampled_at:
        return test
    if test.sampled_at < other.sampled_at:
        return other
    return max(test, other, key=lambda one: (_RESULT_RANK[one.result], _METHOD_RANK[one.method]))


def _lasts(declaration: Declaration, life: timedelta, valid_until: datetime | None) -> datetime:
    """When a declaration stops counting: after its life, or with its validity when that is shorter."""
    try:
        lasts = declaration.declared_at + life
    except OverflowError:
        lasts = END_OF_TIME
    return lasts if valid_until is None or lasts < valid_until else valid_until
