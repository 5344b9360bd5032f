"""A funnel and a person's way through it as lines of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from tianfu.cli.instant import local_text
from tianfu.ids import PersonRef, format_person_ref
from tianfu.tracing.screening.judge import Judgement
from tianfu.tracing.screening.screenings import Run, Standing
from tianfu.tracing.screening.summary import Count, bar

_NAME_COLUMNS: Final = 26
_BAR_COLUMNS: Final = 24
_NUMBER_COLUMNS: Final = 11
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "step": "step",
        "before": "in",
        "added": "added",
        "removed": "removed",
        "after": "out",
        "time": "time",
        "undone": "undone",
        "on": "on the list",
        "off": "off the list",
        "by": "by step",
        "county": "county",
        "unknown": "unknown",
        "judged": "judged",
        "no_contact": "no contact",
        "people": "people named by a source",
        "grounds": "grounds",
    },
    "zh": {
        "step": "步骤",
        "before": "进入",
        "added": "增加",
        "removed": "排除",
        "after": "保留",
        "time": "用时",
        "undone": "已撤销",
        "on": "在名单上",
        "off": "不在名单上",
        "by": "步骤",
        "county": "区县",
        "unknown": "不明",
        "judged": "现场判定",
        "no_contact": "非接触者",
        "people": "人被各来源提及",
        "grounds": "依据",
    },
}


def funnel_lines(made: Run, language: str) -> Iterator[str]:
    """The run as a table with a bar for each step, and below each step who came and went for which reason."""
    words, told = _WORDS[language], made.summary
    title = told.en if language == "en" else told.zh
    yield f"{told.funnel} — {title}"
    yield f"  {made.action} {made.run_ref}, {made.made_by}, {local_text(made.at)}; {made.people:,} {words['people']}"
    yield ""
    heads = [_right(words[key], _NUMBER_COLUMNS) for key in ("before", "added", "removed", "after")]
    yield f"  {_left(words['step'], _NAME_COLUMNS)}{''.join(heads)}{_right(words['time'], 9)}"
    for step in told.steps:
        name = _left(step.en if language == "en" else step.zh, _NAME_COLUMNS)
        if step.undone:
            yield f"  {name}{_right(words['undone'], _NUMBER_COLUMNS)}"
            continue
        counts = "".join(
            f"{number:>{_NUMBER_COLUMNS},}" for number in (step.before, step.added, step.removed, step.after)
        )
        yield f"  {name}{counts}{step.milliseconds:>6} ms  {bar(step.after, told.largest, _BAR_COLUMNS)}"
        yield from (_count("+", count, language) for count in step.added_by)
        yield from (_count("-", count, language) for count in step.removed_by)


def person_lines(told: Standing, judgement: Judgement | None, language: str) -> Iterator[str]:
    """One person's standing: the reason, the grounds, what each step said, what the field judged."""
    words = _WORDS[language]
    state = words["on"] if told.listed else words["off"]
    yield f"{format_person_ref(PersonRef(told.person))}  {state}: {told.en if language == 'en' else told.zh}"
    yield f"  {words['by']}: {told.step}; {words['county']}: {told.county or words['unknown']}"
    yield f"  {words['grounds']}: {', '.join(told.grounds) or '-'}"
    for remark in told.history:
        yield f"    {remark.step:<14}{remark.en if language == 'en' else remark.zh}"
    if judgement is not None:
        tier = judgement.tier or words["no_contact"]
        yield f"  {words['judged']}: {tier}, {judgement.reason}, {judgement.judged_by}, {local_text(judgement.at)}"


def _count(sign: str, count: Count, language: str) -> str:
    return f"      {sign} {count.people:>10,}  {count.en if language == 'en' else count.zh}"


def _left(text: str, columns: int) -> str:
    return text + " " * max(1, columns - _width(text))


def _right(text: str, columns: int) -> str:
    return " " * max(1, columns - _width(text)) + text


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
