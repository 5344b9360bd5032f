"""What the rules that fit somebody's statements show at one instant: reasons for a colour, and popups. Pure.

A rule that is silenced (`preempts`) shows neither. The rules with an active reason silence others in the order of the
file; one that is silenced before its turn silences nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from tianfu.colour import Colour
from tianfu.evidence.model import Evidence
from tianfu.policy.compile import ReadyPhase, ReadyPopup, ReadyRule
from tianfu.policy.model import ActivePopup, Reason
from tianfu.policy.moment import Moment


class Shown(NamedTuple):
    """The active reasons and popups as a decision lists them.

    `sure` is the earliest instant at which one of them ends by itself, `maybe` the earliest of the others at which
    something may change.
    """

    reasons: tuple[Reason, ...]
    popups: tuple[ActivePopup, ...]
    sure: datetime | None
    maybe: datetime | None


class _Found:
    """What is active before one rule silences another. Entries begin with what orders them."""

    def __init__(self) -> None:
        self.reasons: list[tuple[int, int, int, Reason]] = []
        self.popups: list[tuple[int, int, int, ActivePopup, ReadyPopup]] = []
        self.silencing: dict[int, frozenset[int]] = {}
        self.maybe: datetime | None = None


def shown_of(fitting: Iterable[tuple[ReadyRule, Evidence]], moment: Moment, at: datetime) -> Shown:
    """What shows at `at`, of rules whose `where` fits the statements beside them."""
    found = _Found()
    for rule, item in fitting:
        if (rule.within or rule.suspended) and not _applies_there(rule, item.place, at, found):
            continue
        if rule.latest_only and not moment.is_newest(item):
            continue
        open_releases = moment.open_releases(rule, item)
        if open_releases is not None:
            _find(rule, item, open_releases, moment, at, found)
    maybe = earlier(found.maybe, moment.may_change)
    if found.silencing:
        maybe = earlier(maybe, _silence(found))
    # (severity, rule, statement) is unique for a person, so the reasons themselves are never compared.
    found.reasons.sort(key=_order)
    reasons = tuple([entry[3] for entry in found.reasons])
    popups = _listed(found, reasons[0].colour if reasons else Colour.GREEN) if found.popups else ()
    sure: datetime | None = None
    for reason in reasons:
        sure = earlier(sure, reason.until)
    for popup in popups:
        sure = earlier(sure, popup.until)
    return Shown(reasons, popups, sure, maybe)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two instants, either of which may be absent."""
    if one is None or (other is not None and other < one):
        return other
    return one


def _applies_there(rule: ReadyRule, place: str | None, at: datetime, found: _Found) -> bool:
    """Whether the rule is for statements about `place` and no city's rules stand in for it now."""
    if not rule.lies_within(place):
        return False
    free = True
    for suspension in rule.suspended:
        if place is None or not place.startswith(suspension.places):
            continue
        if suspension.since is not None and at < suspension.since:
            found.maybe = earlier(found.maybe, suspension.since)
        elif suspension.until is None or at < suspension.until:
            free = False
            found.maybe = earlier(found.maybe, suspension.until)
    return free


def _find(
    rule: ReadyRule, item: Evidence, open_releases: tuple[str, ...], moment: Moment, at: datetime, found: _Found
) -> None:
    """Add what the rule's phases show for this statement."""
    best: tuple[ReadyPhase, Colour, datetime, datetime | None] | None = None
    for place, phase in enumerate(rule.phases):
        since = moment.begins(rule, phase, item)
        if since is None:
            continue
        until = moment.ends(rule, phase, item)
        if until is not None and until <= since:
            continue
        if at < since:
            found.maybe = earlier(found.maybe, since)
        elif until is None or at < until:
            # The end of a phase that a worse one hides is no change: only the end of the worse one is.
            if phase.colour is not None and (best is None or phase.colour.severity > best[1].severity):
                best = phase, phase.colour, since, until
            if phase.popup is not None:
                active = _active_popup(phase.popup, rule, item, since, until)
                found.popups.append((rule.order, item.evidence_id, place, active, phase.popup))
    if best is None:
        return
    phase, colour, since, until = best
    reason = Reason(
        rule=rule.id,
        reason_class=rule.reason_class,
        colour=colour,
        evidence=item.evidence_id,
        kind=rule.evidence,
        source=item.source,
        place=item.place,
        since=since,
        until=until,
        releases=open_releases,
        measure=phase.measure,
    )
    found.reasons.append((-colour.severity, rule.order, item.evidence_id, reason))
    if rule.preempts:
        found.silencing[rule.order] = rule.preempts


def _active_popup(
    popup: ReadyPopup, rule: ReadyRule, item: Evidence, since: datetime, until: datetime | None
) -> ActivePopup:
    return ActivePopup(
        popup=popup.id,
        popup_class=popup.popup_class,
        blocks=popup.blocks,
        rule=rule.id,
        evidence=item.evidence_id,
        since=since,
        until=until,
    )


def _silence(found: _Found) -> datetime | None:
    """Take out what silenced rules show; the earliest end of a silenced reason, by which others may show again."""
    silent: set[int] = set()
    for order in sorted(found.silencing):
        if order not in silent:
            silent |= found.silencing[order]
    ends: datetime | None = None
    for entry in found.reasons:
        if entry[1] in silent:
            ends = earlier(ends, entry[3].until)
    found.reasons = [entry for entry in found.reasons if entry[1] not in silent]
    found.popups = [entry for entry in found.popups if entry[0] not in silent]
    return ends


def _listed(found: _Found, colour: Colour) -> tuple[ActivePopup, ...]:
    """Each popup once, in the order of the file, without those that the colour hides."""
    found.popups.sort(key=_order)
    listed: dict[str, ActivePopup] = {}
    for _, _, _, active, popup in found.popups:
        if active.popup not in listed and colour not in popup.hidden_by:
            listed[active.popup] = active
    return tuple(listed.values())


def _order(entry: tuple[int, int, int, *tuple[object, ...]]) -> tuple[int, int, int]:
    return entry[:3]
