"""`tianfu explain`: why a person has the colour they have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import click

from tianfu.access import roles
from tianfu.audit import trail
from tianfu.cli.instant import InstantParameter
from tianfu.cli.main import terminal_language
from tianfu.cli.operator import terminal_actor
from tianfu.clock import SystemClock
from tianfu.errors import NotFoundError
from tianfu.evidence import ledger
from tianfu.evidence.kinds import Contact
from tianfu.evidence.model import Evidence
from tianfu.evidence.sources import SOURCES
from tianfu.feeds.words import METHOD_WORDS, RESULT_WORDS
from tianfu.ids import EvidenceId, PersonRef, format_person_ref, parse_person_ref
from tianfu.platform import settings
from tianfu.platform.database import Purpose, Read
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.explain import ReasonText, explain, instant_text
from tianfu.policy.model import Decision
from tianfu.policy.publish import in_force
from tianfu.services.installation import installed_database
from tianfu.status import store
from tianfu.tracing.screening.confirm import case_of, incident_of

_LABEL_COLUMNS: Final = 12
_ENGLISH: Final[Mapping[str, str]] = {
    "policy": "policy",
    "at": "at",
    "popup": "popup",
    "test": "test",
    "changes": "changes",
    "never": "not by itself",
    "reason": "reason",
    "none": "none",
    "rule": "rule",
    "meaning": "meaning",
    "evidence": "evidence",
    "case": "case",
    "incident": "incident",
    "since": "since",
    "until": "until",
    "open": "no end is known yet",
    "ends": "ends",
    "office": "office",
    "trail": "audit trail: entry {number}, purpose {purpose}",
}
_CHINESE: Final[Mapping[str, str]] = {
    "policy": "规则",
    "at": "时间",
    "popup": "弹窗",
    "test": "检测",
    "changes": "下次变化",
    "never": "不会自动变化",
    "reason": "原因",
    "none": "无",
    "rule": "条款",
    "meaning": "含义",
    "evidence": "依据",
    "case": "病例",
    "incident": "疫情事件",
    "since": "开始",
    "until": "截至",
    "open": "尚无确定的结束时间",
    "ends": "解除条件",
    "office": "负责部门",
    "trail": "查询记录：第 {number} 条，目的 {purpose}",
}
# A laboratory may write these words in Chinese, so the contract of its file already has them.
_CHINESE_TESTS: Final[Mapping[str, str]] = {
    meant.value: word for word, meant in (*RESULT_WORDS.items(), *METHOD_WORDS.items()) if not word.isascii()
}

_EPILOG: Final = """\b
Examples:
  tianfu explain P-000000012-62
  tianfu explain P-000000012-62 --purpose appeal --language en
  tianfu explain P-000000012-62 --at 2022-03-05T09:00:00+08:00
  tianfu explain P-000000012-62 --at 2022-03-05T09:00:00+08:00 --known-at 2022-03-08T00:00:00+08:00

`tianfu person find` gives the reference of a document. The look goes into the trail, where the person can see it.
"""


@click.command(epilog=_EPILOG)
@click.argument("person_ref", metavar="PERSON-REF")
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in roles.Purpose]),
    default=roles.Purpose.CONSULTATION.value,
    show_default=True,
    help="Why the record is read; the person sees it.",
)
@click.option("--at", type=InstantParameter(), help="As it was, as then known, at this instant (now when left out).")
@click.option("--known-at", type=InstantParameter(), help="By what the ledger had received by this instant instead.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="The terminal's when left out.")
def command(
    person_ref: str, purpose: str, at: datetime | None, known_at: datetime | None, language: str | None
) -> None:
    """Print the decision about PERSON-REF: policy, reasons, evidence, and what ends each of them."""
    person = parse_person_ref(person_ref)
    now = SystemClock().now()
    with installed_database(settings.load()) as database:
        with database.write(Purpose.OPERATOR) as write:
            # The look counts whether or not there is such a person.
            number = trail.record(
                write,
                trail.Entry(
                    at=now,
                    actor_kind="operator",
                    actor=terminal_actor(),
                    action="explain",
                    purpose=purpose,
                    person=person,
                    detail={"channel": "terminal"},
                ),
            )
        with database.read(Purpose.OPERATOR) as read:
            moment = at or now
            policy, decision, evidence = _decide(read, person, moment, known_at or (moment if moment < now else None))
    language = language or terminal_language(os.environ)
    _print(policy, decision, person, language, {item.evidence_id: item for item in evidence})
    words = _ENGLISH if language == "en" else _CHINESE
    click.echo(f"\n  {words['trail'].format(number=number, purpose=purpose)}")


def _decide(
    read: Read, person: PersonRef, at: datetime, known_at: datetime | None
) -> tuple[Policy, Decision, list[Evidence]]:
    """The decision at `at`, from what the ledger knew at `known_at` (None: knows now), and what it rests on.

    Raises `NotFoundError` for a person never heard of.
    """
    policy = in_force(read, at)
    evidence = ledger.about(read, person, known_at=known_at)
    if not evidence and not store.read_many(read, [person]) and not ledger.about(read, person):
        raise NotFoundError(zh="没有此人的记录。", en="Nothing is known about this person.")
    return policy, decide(policy, evidence, at), evidence


def _print(
    policy: Policy, decision: Decision, person: PersonRef, language: str, evidence: Mapping[EvidenceId, Evidence]
) -> None:
    told = explain(policy, decision, language)
    words = _ENGLISH if language == "en" else _CHINESE
    click.echo(f"{format_person_ref(person)}  {told.colour.upper()}  {told.colour_title}")
    _line("", told.colour_text)
    _line(words["policy"], f"{told.policy.name} {told.policy.number}  {told.policy.title}")
    _line("", f"sha256 {told.policy.hash}")
    _line(words["at"], told.at_text)
    if told.popup is not None:
        _line(words["popup"], f"{told.popup.title} ({told.popup.id}): {told.popup.text}")
    if decision.test is not None:
        test = decision.test
        result, method = test.result.value, test.method.value
        if language == "zh":
            result, method = _CHINESE_TESTS[result], _CHINESE_TESTS[method]
        _line(words["test"], f"{result} ({method}), {instant_text(test.sampled_at, language)}")
    _line(words["changes"], told.next_change_text or words["never"])
    if not told.reasons:
        _line(words["reason"], words["none"])
    for number, reason in enumerate(told.reasons, start=1):
        click.echo()
        _line(f"{words['reason']} {number}", reason.title)
        _print_reason(reason, words, language, evidence.get(reason.evidence))


def _print_reason(reason: ReasonText, words: Mapping[str, str], language: str, evidence: Evidence | None) -> None:
    source = SOURCES.get(reason.source)
    department = "" if source is None else f" ({source.en if language == 'en' else source.zh})"
    place = f", {reason.place}" if reason.place else ""
    _line(words["rule"], f"{reason.rule} -> {reason.colour}; {reason.cites}")
    _line(words["meaning"], reason.text)
    _line(words["evidence"], f"{reason.evidence} ({reason.kind}), {reason.source}{department}{place}")
    if evidence is not None and isinstance(evidence.attributes, Contact):
        incident = incident_of(evidence.source, evidence.source_record)
        if incident is not None:
            _line(words["incident"], incident)
        if evidence.attributes.case:
            _line(words["case"], case_of(evidence.attributes.case))
    _line(words["since"], reason.since_text)
    _line(words["until"], reason.until_text or words["open"])
    _line(words["ends"], reason.how_it_ends)
    _line(words["office"], reason.office)


def _line(label: str, text: str) -> None:
    """One line, its text in a column of its own; a Chinese character is two columns wide."""
    width = sum(1 if character.isascii() else 2 for character in label)
    click.echo(f"  {label}{' ' * (_LABEL_COLUMNS - width)}{text}")
