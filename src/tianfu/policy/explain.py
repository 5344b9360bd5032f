"""A decision in words, for the person it is about and for those who answer for it.

Pure. Every sentence comes from the rule set, in the language asked for; only instants are filled in, as wall-clock
time of Asia/Shanghai. The same structs serve the phone, the console and the command line.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tianfu.clock import SHANGHAI, Instant
from tianfu.errors import TianfuError
from tianfu.evidence.sources import SOURCES
from tianfu.ids import EvidenceId
from tianfu.policy.compile import Policy
from tianfu.policy.model import ActivePopup, Decision, Reason
from tianfu.policy.rules import POPUP_DECLARE, Header, Overlay, Popup, Rule, RuleSet

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


class ReasonText(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for a person: what it is, what it means, when it began, what ends it, who answers for it.

    `how_it_ends` is whole sentences; `since_text` and `until_text` are the instants as people read them. `cites` is
    where the rule comes from; `source_name` is the department that stated the evidence. `measure` is what is asked of
    people meanwhile (集中隔离 and the like), with its words. `rule_set` and `authority` are whose rule it is: a city's
    own rules have their own.
    """

    rule: str
    colour: str
    title: str
    text: str
    since: Instant
    since_text: str
    until: Instant | None
    until_text: str | None
    how_it_ends: str
    office: str
    cites: str
    evidence: EvidenceId
    kind: str
    source: str
    source_name: str
    place: str | None
    measure: str | None = None
    measure_title: str | None = None
    measure_text: str | None = None
    rule_set: str = ""
    authority: str = ""


class PopupText(msgspec.Struct, frozen=True, kw_only=True):
    """A popup and its words. `popup_class` is the coarse word for it, `blocks` what it keeps its holder from.

    What follows is absent for `declare`, which no rule shows: since when and until when, by which rule and evidence,
    and who answers for it.
    """

    id: str
    title: str
    text: str
    popup_class: str = POPUP_DECLARE
    blocks: tuple[str, ...] = ()
    rule: str | None = None
    evidence: EvidenceId | None = None
    since: Instant | None = None
    since_text: str | None = None
    until: Instant | None = None
    until_text: str | None = None
    office: str | None = None
    cites: str | None = None
    rule_set: str = ""
    authority: str = ""


class PolicyText(msgspec.Struct, frozen=True, kw_only=True):
    """Which rule set the decision comes from."""

    name: str
    number: int
    hash: str
    title: str
    authority: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A decision in one language. `colour` and `popup.id` are the stable words; everything else is for reading.

    `popup` is the one shown beside the colour, `popups` are all that are active, that one first.
    """

    language: str
    colour: str
    colour_title: str
    colour_text: str
    popup: PopupText | None
    reasons: tuple[ReasonText, ...]
    policy: PolicyText
    at: Instant
    at_text: str
    next_change_at: Instant | None
    next_change_text: str | None
    declared_until: Instant | None
    popups: tuple[PopupText, ...] = ()


class PolicyMismatchError(TianfuError):
    """A decision was to be explained with another policy than the one it came from."""

    code = "policy_mismatch"
    status = 500
    zh = "该结果出自另一版规则，无法说明。"
    en = "This decision comes from another rule set and cannot be explained with this one."


def explain(policy: Policy, decision: Decision, language: str) -> Explanation:
    """The words for `decision`; `language` is `zh` or `en`, anything else reads as `zh`.

    Raises `PolicyMismatchError` when `policy` is not the one that `decision` names by hash.
    """
    if decision.policy_hash != policy.hash:
        raise PolicyMismatchError
    language = "en" if language == "en" else "zh"
    rules = policy.rule_set
    colour = rules.colour.of(decision.colour)
    popups = _popups(rules, policy, decision, language)
    return Explanation(
        language=language,
        colour=decision.colour.value,
        colour_title=colour.title.in_language(language),
        colour_text=colour.text.in_language(language),
        popup=popups[0] if popups else None,
        reasons=tuple(_reason(rules, policy.by_id[reason.rule], reason, language) for reason in decision.reasons),
        policy=PolicyText(
            name=policy.name,
            number=policy.number,
            hash=policy.hash,
            title=rules.set.title.in_language(language),
            authority=rules.set.authority.in_language(language),
        ),
        at=decision.at,
        at_text=instant_text(decision.at, language),
        next_change_at=decision.next_change_at,
        next_change_text=_maybe_text(decision.next_change_at, language),
        declared_until=decision.declared_until,
        popups=popups,
    )


def instant_text(at: datetime, language: str) -> str:
    """`2022年3月1日 10:05` or `1 March 2022, 10:05`: Asia/Shanghai, whole minutes, seconds dropped."""
    try:
        local = at.astimezone(SHANGHAI)
    except OverflowError:
        # The last hours of the calendar have no wall-clock time in Shanghai; such an instant only means "never".
        local = at
    if language == "en":
        return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M}"
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _popups(rules: RuleSet, policy: Policy, decision: Decision, language: str) -> tuple[PopupText, ...]:
    """The words of every active popup, or of the missing declaration."""
    words = {popup.id: popup for popup in rules.popup}
    if decision.popups:
        return tuple(
            _popup(rules, words[popup.popup], policy.by_id[popup.rule], popup, language) for popup in decision.popups
        )
    if decision.popup is None or rules.declaration is None:
        return ()
    return (
        PopupText(
            id=decision.popup,
            title=rules.declaration.title.in_language(language),
            text=rules.declaration.text.in_language(language),
            rule_set=rules.set.title.in_language(language),
            authority=rules.set.authority.in_language(language),
        ),
    )


def _popup(rules: RuleSet, words: Popup, rule: Rule, popup: ActivePopup, language: str) -> PopupText:
    whose = _whose(rules, rule)
    return PopupText(
        id=popup.popup,
        title=words.title.in_language(language),
        text=words.text.in_language(language),
        popup_class=popup.popup_class,
        blocks=popup.blocks,
        rule=rule.id,
        evidence=popup.evidence,
        since=popup.since,
        since_text=instant_text(popup.since, language),
        until=popup.until,
        until_text=_maybe_text(popup.until, language),
        office=rule.office.in_language(language),
        cites=rule.cites.in_language(language),
        rule_set=whose.title.in_language(language),
        authority=whose.authority.in_language(language),
    )


def _whose(rules: RuleSet, rule: Rule) -> Header | Overlay:
    """The rule book that a rule is part of: its city's, or the set itself."""
    return next((overlay for overlay in rules.overlay if overlay.id == rule.overlay), rules.set)


def _reason(rules: RuleSet, rule: Rule, reason: Reason, language: str) -> ReasonText:
    measure = next((measure for measure in rules.measure if measure.id == reason.measure), None)
    whose = _whose(rules, rule)
    until_text = _maybe_text(reason.until, language)
    since_text = instant_text(reason.since, language)
    return ReasonText(
        rule=rule.id,
        colour=reason.colour.value,
        title=rule.text.title.in_language(language),
        text=rule.text.meaning.in_language(language),
        since=reason.since,
        since_text=since_text,
        until=reason.until,
        until_text=until_text,
        how_it_ends=_how_it_ends(rule, reason, since_text, until_text, language),
        office=rule.office.in_language(language),
        cites=rule.cites.in_language(language),
        evidence=reason.evidence,
        kind=reason.kind,
        source=reason.source,
        source_name=_source_name(reason.source, language),
        place=reason.place,
        measure=reason.measure,
        measure_title=None if measure is None else measure.title.in_language(language),
        measure_text=None if measure is None else measure.text.in_language(language),
        rule_set=whose.title.in_language(language),
        authority=whose.authority.in_language(language),
    )


def _how_it_ends(rule: Rule, reason: Reason, since: str, until: str | None, language: str) -> str:
    """The rule's own sentence, then each release that is still open."""
    words = rule.text.ends if until is not None else rule.text.ends_open
    if words is not None:
        sentence = words.in_language(language).format(since=since, until=until)
    elif until is not None:
        # The rule itself has no end, but the statement's validity does.
        sentence = f"Ends by itself on {until}." if language == "en" else f"{until}自动解除。"
    else:
        sentence = "No end is known yet." if language == "en" else "目前尚无解除时间。"
    earlier = [release.text.in_language(language) for release in rule.release if release.id in reason.releases]
    if not earlier:
        return sentence
    if language == "en":
        return f"{sentence} It ends at once with: {'; '.join(earlier)}."
    return f"{sentence}符合下列任一条件即时解除：{'；'.join(earlier)}。"


def _source_name(code: str, language: str) -> str:
    """The department's name; a code that is no longer registered stands for itself."""
    source = SOURCES.get(code)
    if source is None:
        return code
    return source.en if language == "en" else source.zh


def _maybe_text(at: datetime | None, language: str) -> str | None:
    return None if at is None else instant_text(at, language)
