"""What contacts, and visitors of a place, are told: texts from a file, filled in. Pure but for `load`.

Nothing about the case is among what can be filled in, and a place only when the caller says that it was announced.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec

from tianfu.clock import SHANGHAI
from tianfu.errors import Fault, InputInvalidError
from tianfu.evidence.kinds import ContactSetting
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.tracing.followup.schedule import Schedule
from tianfu.tracing.model import Tier

FILE: Final = PROJECT_ROOT / "policies" / "tracing" / "texts" / "notices.toml"
FORMAT: Final = 1
# Two messages: 67 characters each with Chinese in them, 153 each without.
SHORT_CHARACTERS_MAX: Final = {"zh": 2 * 67, "en": 2 * 153}
LONG_CHARACTERS_MAX: Final = 2_000
PLACE_CHARACTERS_MAX: Final = 40
LANGUAGES: Final = ("zh", "en")
_PLACEHOLDER: Final = re.compile(r"\{([a-z]*)\}")
_ALLOWED: Final = frozenset(
    {
        *("subject", "be", "have", "day", "hours", "days", "tests", "setting", "place", "from", "to"),
        *("tier", "measure", "where", "guardian", "hotline"),
    }
)


class Audience(enum.Enum):
    """To whom it is said: the contact, the guardian of a child, who cares for an old person."""

    SELF = "self"
    CHILD = "child"
    ELDER = "elder"


class Form(enum.Enum):
    """A message of at most two SMS, or a page."""

    SHORT = "short"
    LONG = "long"


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    zh: str
    en: str

    def said(self, language: str) -> str:
        """The text in `zh` or `en`."""
        return self.en if language == "en" else self.zh


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked, briefly and at length."""

    short: Words
    zh: str
    en: str


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who it is about, and the verbs that go with it."""

    zh: dict[str, str]
    en: dict[str, str]


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How somebody was exposed, without and with an announced place."""

    withheld: Words
    announced: Words


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text as a message and as a page."""

    short: Words
    long: Words


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    format: int
    hotline: str
    audience: dict[str, Subject]
    guardian: dict[str, Words]
    tier: dict[str, Words]
    measure: dict[str, Measure]
    tests: Words
    setting: dict[str, Words]
    where: Where
    form: Forms
    place: Forms


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a contact is told of. `announced` is the name of the place if it was announced, None withholds it."""

    tier: Tier
    setting: str
    schedule: Schedule
    last_exposure: date
    tests: tuple[date, ...] = ()
    announced: str | None = None
    audience: Audience = Audience.SELF


def load(path: Path) -> Texts:
    """The texts of a file. Raises `InputInvalidError` saying what is missing, unknown, or must not be filled in."""
    try:
        body = path.read_text(encoding="utf-8")
        texts = msgspec.convert(tomllib.loads(body), Texts)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise _broken(path, str(error)) from error
    missing = [
        *({audience.value for audience in Audience} - texts.audience.keys()),
        *({tier.value for tier in Tier} - texts.tier.keys()),
        *({setting.value for setting in ContactSetting} - texts.setting.keys()),
        *({"central", "home", "none"} - texts.measure.keys()),
        *({"child", "elder"} - texts.guardian.keys()),
    ]
    unknown = sorted(set(_PLACEHOLDER.findall(body)) - _ALLOWED - {""})
    if missing or unknown or texts.format != FORMAT:
        raise _broken(path, f"missing {sorted(missing)}, not to be filled in {unknown}, format {texts.format}")
    return texts


def contact_text(texts: Texts, told: Told, *, form: Form, language: str) -> str:
    """The message to one contact, or their guardian.

    A short one that does not fit raises `ValueError`: a fault of the file, which a test finds over all combinations.
    """
    subject = texts.audience[told.audience.value]
    values = dict(subject.en if language == "en" else subject.zh)
    values |= {
        "day": _day(told.last_exposure, language),
        "hotline": texts.hotline,
        "setting": texts.setting.get(told.setting, texts.setting["other"]).said(language),
        "place": (told.announced or "")[:PLACE_CHARACTERS_MAX],
        "hours": str(told.schedule.move_hours),
        "days": str(told.schedule.stages[0].days) if told.schedule.stages else "0",
        "tests": ("、" if language == "zh" else ", ").join(_day(day, language) for day in told.tests),
    }
    measure = texts.measure[_measure(told.schedule)]
    where = texts.where.announced if told.announced else texts.where.withheld
    guardian = texts.guardian.get(told.audience.value)
    values |= {
        "tier": _fill(texts.tier[told.tier.value].said(language), values),
        "measure": _fill(_said(measure, form, language), values),
        "where": _fill(where.said(language), values),
        "tests": _fill(texts.tests.said(language), values) if told.tests else "",
        "guardian": "" if guardian is None else guardian.said(language),
    }
    return _fitting(_fill(_form(texts.form, form).said(language), values), form, language)


def place_text(texts: Texts, *, place: str, begins: datetime, ends: datetime, form: Form, language: str) -> str:
    """The announcement of a place: [`begins`, `ends`) in hours of Shanghai, cut to whole minutes."""
    first, last = begins.astimezone(SHANGHAI), ends.astimezone(SHANGHAI)
    until = f"{last:%H:%M}" if first.date() == last.date() else f"{_day(last.date(), language)} {last:%H:%M}"
    values = {
        "place": place[:PLACE_CHARACTERS_MAX],
        "day": _day(first.date(), language),
        "from": f"{first:%H:%M}",
        "to": until,
        "hotline": texts.hotline,
    }
    return _fitting(_fill(_form(texts.place, form).said(language), values), form, language)


def _measure(schedule: Schedule) -> str:
    if not schedule.stages:
        return "none"
    return "central" if schedule.stages[0].stage.value == "central" else "home"


def _said(measure: Measure, form: Form, language: str) -> str:
    if form is Form.SHORT:
        return measure.short.said(language)
    return measure.en if language == "en" else measure.zh


def _form(forms: Forms, form: Form) -> Words:
    return forms.short if form is Form.SHORT else forms.long


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def _fitting(text: str, form: Form, language: str) -> str:
    """The text without empty lines. Raises `ValueError` when it is too long for its form."""
    tidy = "\n".join(line.strip() for line in text.splitlines() if line.strip())
    most = SHORT_CHARACTERS_MAX[language] if form is Form.SHORT else LONG_CHARACTERS_MAX
    if len(tidy) > most:
        message = f"a {form.value} text of {len(tidy)} characters"
        raise ValueError(message)
    return tidy


def _day(day: date, language: str) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}" if language == "en" else f"{day.month}月{day.day}日"


_MONTHS: Final[Sequence[str]] = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _broken(path: Path, why: str) -> InputInvalidError:
    return InputInvalidError(
        faults=(Fault(path.name, "texts", f"文本有误：{why}", f"the texts cannot be used: {why}"),)
    )
