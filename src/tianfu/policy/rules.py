"""The rule-set file as typed facts: what docs/policy-format.md describes, field by field.

Only shapes and bounds are stated here; what needs the whole file (names that must exist, order of phases, texts) is
checked by `tianfu.policy.check`. Unknown fields are refused by the reader. A new capability is a new optional field,
a new release kind or a new table, so a file written today stays valid.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

import msgspec

from tianfu.clock import Instant
from tianfu.colour import Colour
from tianfu.evidence.kinds import TestMethod

# What may be said of a reason outside the system; the board record stores the same words.
REASON_CLASSES: Final = ("case", "test", "contact", "declaration", "zone", "entry", "emergency")
POPUP_DECLARE: Final = "declare"

# No published rule of the field runs longer than 35 days (14 + 21); ten years leaves room and still catches a slip.
DAYS_MAX: Final = 3650
RELEASE_COUNT_MAX: Final = 10
RELEASE_GAP_HOURS_MAX: Final = 30 * 24
# The largest known table has 18 rows; overlays for 21 cities with 20 rows each make 438.
RULES_MAX: Final = 500
PHASES_MAX: Final = 10
TEXT_CHARACTERS_MAX: Final = 600

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
Days = Annotated[int, msgspec.Meta(ge=0, le=DAYS_MAX)]


class Bilingual(msgspec.Struct, frozen=True):
    """The same words in simplified Chinese and in English."""

    zh: Sentence
    en: Sentence

    def in_language(self, language: str) -> str:
        """English for `en`, Chinese for anything else."""
        return self.en if language == "en" else self.zh


class Header(msgspec.Struct, frozen=True):
    """`[set]`: which rule book this is. `effective_from` is the earliest instant it may take effect."""

    format: Annotated[int, msgspec.Meta(ge=1, le=1)]
    name: Name
    number: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    authority: Bilingual
    effective_from: Instant
    title: Bilingual


class DeclarationTerms(msgspec.Struct, frozen=True):
    """`[declaration]`: a declaration counts `valid_days` from its instant; without one the popup is shown."""

    valid_days: Annotated[int, msgspec.Meta(ge=1, le=DAYS_MAX)]
    title: Bilingual
    text: Bilingual


class ColourText(msgspec.Struct, frozen=True):
    """What a colour is called and what it means for its holder."""

    title: Bilingual
    text: Bilingual


class ColourTexts(msgspec.Struct, frozen=True):
    """`[colour]`: the words of each colour."""

    green: ColourText
    yellow: ColourText
    red: ColourText

    def of(self, colour: Colour) -> ColourText:
        """The words of `colour`."""
        return {Colour.GREEN: self.green, Colour.YELLOW: self.yellow, Colour.RED: self.red}[colour]


class Range(msgspec.Struct, frozen=True):
    """A condition on a number, bounds included."""

    at_least: int | None = None
    at_most: int | None = None


# Attribute name -> the values that fit (any of them), or a range. Every entry of a `where` must fit.
Where = dict[str, tuple[str | int | bool, ...] | Range]


class Anchored(msgspec.Struct, frozen=True):
    """An instant: `days` times 24 h after an anchor (see docs/policy-format.md for the names of anchors)."""

    anchor: str
    days: Days = 0


class Phase(msgspec.Struct, frozen=True):
    """`[[rule.phase]]`: one colour in [from, until); without `until` it is open."""

    colour: Colour
    start: Anchored = msgspec.field(name="from")
    until: Anchored | None = None


class SampledAfter(enum.Enum):
    """From which instant on a sample counts: the reason's own start, or the first phase's anchor."""

    COLOURED = "coloured"
    ANCHOR = "anchor"


class NegativeTests(msgspec.Struct, frozen=True, tag="negative_test", tag_field="kind"):
    """Released by `count` negatives, each at least `min_gap_hours` after the one before, sampled strictly after."""

    id: Name
    count: Annotated[int, msgspec.Meta(ge=1, le=RELEASE_COUNT_MAX)]
    sampled_after: SampledAfter
    methods: Annotated[tuple[TestMethod, ...], msgspec.Meta(min_length=1)]
    text: Bilingual
    min_gap_hours: Annotated[int, msgspec.Meta(ge=0, le=RELEASE_GAP_HOURS_MAX)] = 0


class LaterStatement(msgspec.Struct, frozen=True, tag="statement", tag_field="kind"):
    """Released by a later statement of kind `evidence` that fits `where`, of the same department if `same_source`."""

    id: Name
    evidence: str
    where: Where
    text: Bilingual
    same_source: bool = True


Release = NegativeTests | LaterStatement


class RuleText(msgspec.Struct, frozen=True):
    """What people read. `ends` may hold `{since}` and `{until}`; `ends_open` is used while no end is known."""

    title: Bilingual
    meaning: Bilingual
    ends: Bilingual | None = None
    ends_open: Bilingual | None = None


class Rule(msgspec.Struct, frozen=True):
    """`[[rule]]`: what one kind of evidence does.

    `latest_only`: only the newest statement of that kind and source counts. `cites` is where the rule comes from and
    `choices` lists what the source leaves open and we chose.
    """

    id: Name
    evidence: str
    reason_class: str
    cites: Bilingual
    office: Bilingual
    text: RuleText
    phase: Annotated[tuple[Phase, ...], msgspec.Meta(min_length=1, max_length=PHASES_MAX)]
    where: Where = {}
    latest_only: bool = False
    choices: tuple[Sentence, ...] = ()
    release: tuple[Release, ...] = ()


class RuleSet(msgspec.Struct, frozen=True):
    """A whole file, in the order written."""

    set: Header
    declaration: DeclarationTerms
    colour: ColourTexts
    rule: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1, max_length=RULES_MAX)]
