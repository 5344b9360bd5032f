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
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.evidence.travel_kinds import ZoneLevel

# What may be said of a reason outside the system; the board record stores the same words.
REASON_CLASSES: Final = (
    *("case", "test", "contact", "declaration", "zone", "entry", "emergency"),
    *("care", "elsewhere", "letter", "duty"),
)
# The popup of a person without a health declaration; every other popup is described by the set itself.
POPUP_DECLARE: Final = "declare"
# What may be said of a popup outside the system.
POPUP_CLASSES: Final = (POPUP_DECLARE, "entry", "test", "report", "zone", "notice")

# No published rule of the field runs longer than 35 days (14 + 21); ten years leaves room and still catches a slip.
DAYS_MAX: Final = 3650
RELEASE_COUNT_MAX: Final = 10
RELEASE_GAP_HOURS_MAX: Final = 30 * 24
HOURS_MAX: Final = 24 * DAYS_MAX
LABORATORIES_MAX: Final = 3
# The largest known table has 18 rows; overlays for 21 cities with 20 rows each make 438.
RULES_MAX: Final = 500
PHASES_MAX: Final = 10
COUNTERS_MAX: Final = 10
ANCHORS_MAX: Final = 4
TEXT_CHARACTERS_MAX: Final = 600

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
# A province (2 digits), a prefecture (4) or a county (6) of GB/T 2260.
Division = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{2}){1,3}$")]
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
    """A condition on a number (bounds included) or on an instant (`since` included, `before` not)."""

    at_least: int | None = None
    at_most: int | None = None
    since: Instant | None = None
    before: Instant | None = None


# Attribute name -> the values that fit (any of them), or a range. Every entry of a `where` must fit.
Where = dict[str, tuple[str | int | bool, ...] | Range]


class Anchored(msgspec.Struct, frozen=True):
    """An instant: `days` times 24 h and `hours` after an anchor (docs/policy-format.md names the anchors).

    `midnight`: counted from 00:00 (Asia/Shanghai) of the anchor's day, for rules in calendar days.
    """

    anchor: str
    days: Days = 0
    hours: Annotated[int, msgspec.Meta(ge=0, le=HOURS_MAX)] = 0
    midnight: bool = False


# One instant, or several: of a `from` the latest that is there counts, of an `until` the earliest.
Anchors = Anchored | Annotated[tuple[Anchored, ...], msgspec.Meta(min_length=1, max_length=ANCHORS_MAX)]


class Phase(msgspec.Struct, frozen=True):
    """`[[rule.phase]]`: a colour, a popup or both in [from, until); without `until` it is open.

    `popup` and `measure` name tables of the set. A phase with a popup alone gives no reason for a colour.
    """

    start: Anchors = msgspec.field(name="from")
    colour: Colour | None = None
    popup: Name | None = None
    measure: Name | None = None
    until: Anchors | None = None


class SampledAfter(enum.Enum):
    """From which instant on a sample counts: the reason's own start, or the first phase's anchor."""

    COLOURED = "coloured"
    ANCHOR = "anchor"


class CountOf(enum.Enum):
    """Whose tests a counter counts: the person's own, or those of the contact through whom they are one."""

    OWN = "test"
    PARENT = "parent_test"


Methods = Annotated[tuple[TestMethod, ...], msgspec.Meta(min_length=1)]
Gap = Annotated[int, msgspec.Meta(ge=0, le=RELEASE_GAP_HOURS_MAX)]


class Counter(msgspec.Struct, frozen=True):
    """`[[rule.counter]]`: tests counted in order of sampling; its anchors are `ID.1`, `ID.2` … and `ID.last`.

    A sample counts when it was taken strictly after `sampled_after` (or, with an anchor written out, at or after it),
    at least `min_gap_hours` after the one counted before. `pending` also counts samples without a result yet,
    whatever comes of them; `single` leaves out pooled samples. With `laboratories` over 1 a count is complete when so
    many different laboratories agree within `round_hours` of the first of them.
    """

    id: Name
    sampled_after: SampledAfter | Anchored
    methods: Methods
    of: CountOf = CountOf.OWN
    results: Annotated[tuple[TestResult, ...], msgspec.Meta(min_length=1)] = (TestResult.NEGATIVE,)
    min_gap_hours: Gap = 0
    pending: bool = False
    single: bool = False
    laboratories: Annotated[int, msgspec.Meta(ge=1, le=LABORATORIES_MAX)] = 1
    round_hours: Gap = 24


class NegativeTests(msgspec.Struct, frozen=True, tag="negative_test", tag_field="kind"):
    """Released by `count` negatives, each at least `min_gap_hours` after the one before, sampled strictly after."""

    id: Name
    count: Annotated[int, msgspec.Meta(ge=1, le=RELEASE_COUNT_MAX)]
    sampled_after: SampledAfter
    methods: Methods
    text: Bilingual
    min_gap_hours: Gap = 0


class Counted(msgspec.Struct, frozen=True, tag="counted", tag_field="kind"):
    """Released once every one of `needs` (counter anchors such as `own.2`) is there, and not before `not_before`."""

    id: Name
    needs: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=ANCHORS_MAX)]
    text: Bilingual
    not_before: Anchored | None = None


class LaterStatement(msgspec.Struct, frozen=True, tag="statement", tag_field="kind"):
    """Released by a later statement of kind `evidence` that fits `where`, of the same department if `same_source`.

    `about_this`: only a statement whose attribute `record` names this very statement (a clearance) releases it; one
    without a `record` does too.
    """

    id: Name
    evidence: str
    where: Where
    text: Bilingual
    same_source: bool = True
    about_this: bool = False
    not_before: Anchored | None = None


Release = NegativeTests | Counted | LaterStatement


class RuleText(msgspec.Struct, frozen=True):
    """What people read. `ends` may hold `{since}` and `{until}`; `ends_open` is used while no end is known."""

    title: Bilingual
    meaning: Bilingual
    ends: Bilingual | None = None
    ends_open: Bilingual | None = None


class Rule(msgspec.Struct, frozen=True):
    """`[[rule]]`: what one kind of evidence does.

    `latest_only`: only the newest statement of that kind and source counts. `cites` is where the rule comes from and
    `choices` lists what the source leaves open and we chose. `places`: only statements whose place lies in one of
    these divisions (a prefix of the code). `overlay`: the rule belongs to that city. `applies_from`, `applies_until`:
    outside this period the rule gives nothing. `preempts`: while this rule gives a colour, the rules named here give
    none.
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
    counter: Annotated[tuple[Counter, ...], msgspec.Meta(max_length=COUNTERS_MAX)] = ()
    places: tuple[Division, ...] = ()
    overlay: Name | None = None
    applies_from: Instant | None = None
    applies_until: Instant | None = None
    preempts: tuple[Name, ...] = ()


class Block(enum.Enum):
    """What a popup keeps its holder from: the code itself, scanning, crowded or closed venues, public transport."""

    CODE = "code"
    SCAN = "scan"
    CROWDED = "crowded"
    TRANSPORT = "transport"


class Popup(msgspec.Struct, frozen=True):
    """`[[popup]]`: a state beside the colour (弹窗). `popup_class` is what may leave the system.

    `preempted_by`: while the colour is one of these, the popup is not shown.
    """

    id: Name
    popup_class: str
    text: Bilingual
    title: Bilingual
    blocks: tuple[Block, ...] = ()
    preempted_by: tuple[Colour, ...] = ()


class Measure(msgspec.Struct, frozen=True):
    """`[[measure]]`: what is asked of people in a phase (集中隔离, 居家隔离, 健康监测)."""

    id: Name
    title: Bilingual
    text: Bilingual


class ZoneStep(msgspec.Struct, frozen=True):
    """`[[zone]]`: after `clean_days` without a new infection an area of `level` may become `becomes`."""

    level: ZoneLevel
    clean_days: Days
    becomes: ZoneLevel


class Overlay(msgspec.Struct, frozen=True):
    """`[[overlay]]`: a city's own rules on top of the province's.

    Its rules (`overlay = ID`) apply to statements whose place lies in `places`; for those, the province's rules named
    in `suspends` give nothing.
    """

    id: Name
    places: Annotated[tuple[Division, ...], msgspec.Meta(min_length=1)]
    title: Bilingual
    authority: Bilingual
    suspends: tuple[Name, ...] = ()
    applies_from: Instant | None = None
    applies_until: Instant | None = None


class RuleSet(msgspec.Struct, frozen=True):
    """A whole file, in the order written."""

    set: Header
    colour: ColourTexts
    rule: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1, max_length=RULES_MAX)]
    declaration: DeclarationTerms | None = None
    popup: tuple[Popup, ...] = ()
    measure: tuple[Measure, ...] = ()
    zone: tuple[ZoneStep, ...] = ()
    overlay: tuple[Overlay, ...] = ()
