"""Whose decision a change of policy can change, told by kinds of evidence. Pure.

A rule says something only of people with a statement of its own kind; what else it reads (tests, discharges, later
reports) matters to them alone. So a rule that was added, taken away, moved or changed concerns people with statements
of its kind, before or after. Words (titles, texts, citations, offices, choices) and the set's own name and number are
no part of what is decided and concern nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

import msgspec

from tianfu.policy.rules import Bilingual, DeclarationTerms, Overlay, Popup, Release, Rule, RuleSet, RuleText

DECLARATION: Final = "declaration"
_NO_WORDS: Final = Bilingual(zh="-", en="-")
_NO_TEXT: Final = RuleText(title=_NO_WORDS, meaning=_NO_WORDS)


class Affected(msgspec.Struct, frozen=True):
    """Everybody, or people with a statement of one of `kinds` (in order of the alphabet), standing or not."""

    everybody: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def nobody(self) -> bool:
        """Whether every decision comes out the same, but for the policy's name, number and hash."""
        return not self.everybody and not self.kinds

    def concerns(self, kinds: Iterable[str]) -> bool:
        """Whether a person with statements of these kinds may come out differently."""
        return self.everybody or not set(self.kinds).isdisjoint(kinds)


EVERYBODY: Final = Affected(everybody=True)


def affected(old: RuleSet, new: RuleSet) -> Affected:
    """Whom replacing `old` by `new` can change. Never too few; at times more than it does change."""
    if (old.declaration is None) is not (new.declaration is None):
        # Whoever has declared nothing is asked to, or no longer.
        return EVERYBODY
    kinds: set[str] = set()
    if _days(old.declaration) != _days(new.declaration):
        kinds.add(DECLARATION)
    before, after = {rule.id: rule for rule in old.rule}, {rule.id: rule for rule in new.rule}
    changed = {rule for rule in {*before, *after} if _bare(before.get(rule)) != _bare(after.get(rule))}
    changed |= _moved([rule.id for rule in old.rule], [rule.id for rule in new.rule])
    changed |= _showing(old, new, _differing_popups(old.popup, new.popup))
    changed |= _under_overlays(old, new)
    for rules in (before, after):
        kinds.update(rules[rule].evidence for rule in changed if rule in rules)
    return Affected(kinds=tuple(sorted(kinds)))


def _days(terms: DeclarationTerms | None) -> int:
    return 0 if terms is None else terms.valid_days


def _bare(rule: Rule | None) -> Rule | None:
    """The rule without its words."""
    if rule is None:
        return None
    return msgspec.structs.replace(
        rule,
        cites=_NO_WORDS,
        office=_NO_WORDS,
        text=_NO_TEXT,
        choices=(),
        release=tuple(_bare_release(release) for release in rule.release),
    )


def _bare_release(release: Release) -> Release:
    return msgspec.structs.replace(release, text=_NO_WORDS)


def _moved(old: list[str], new: list[str]) -> set[str]:
    """Rules of both sets that are not in a run that kept its order: of two that changed places one at least is here."""
    both = set(old) & set(new)
    first, second = [rule for rule in old if rule in both], [rule for rule in new if rule in both]
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    kept = {rule for block in matcher.get_matching_blocks() for rule in first[block.a : block.a + block.size]}
    return both - kept


def _differing_popups(old: tuple[Popup, ...], new: tuple[Popup, ...]) -> set[str]:
    before, after = ({popup.id: _bare_popup(popup) for popup in popups} for popups in (old, new))
    return {popup for popup in {*before, *after} if before.get(popup) != after.get(popup)}


def _bare_popup(popup: Popup) -> Popup:
    return msgspec.structs.replace(popup, text=_NO_WORDS, title=_NO_WORDS)


def _showing(old: RuleSet, new: RuleSet, popups: set[str]) -> set[str]:
    return {
        rule.id for rules in (old, new) for rule in rules.rule if any(phase.popup in popups for phase in rule.phase)
    }


def _under_overlays(old: RuleSet, new: RuleSet) -> set[str]:
    """The rules that belong to a city whose overlay changed, and those it suspends."""
    before, after = ({overlay.id: _bare_overlay(overlay) for overlay in rules.overlay} for rules in (old, new))
    differing = {overlay for overlay in {*before, *after} if before.get(overlay) != after.get(overlay)}
    own = {rule.id for rules in (old, new) for rule in rules.rule if rule.overlay in differing}
    suspended = {
        rule for overlays in (before, after) for name in differing & set(overlays) for rule in overlays[name].suspends
    }
    return own | suspended


def _bare_overlay(overlay: Overlay) -> Overlay:
    return msgspec.structs.replace(overlay, title=_NO_WORDS, authority=_NO_WORDS)
