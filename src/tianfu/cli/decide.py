"""`tianfu decide`: what a rule set says of evidence in a file. No database, no server."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from tianfu.cli.instant import InstantParameter
from tianfu.clock import SystemClock
from tianfu.platform import settings
from tianfu.policy import evidence_file
from tianfu.policy.decide import decide
from tianfu.policy.explain import Explanation, explain
from tianfu.policy.load import load, path_of

_EPILOG: Final = """\b
Examples:
  tianfu decide --policy sichuan-core --evidence person.json --at 2022-03-05T09:00:00+08:00
  tianfu decide --policy my-rules.toml --evidence person.json --json
  tianfu decide --schema > evidence.schema.json
"""

_WORDS: Final = {
    "en": {
        "at": "at",
        "rules": "rules",
        "since": "since",
        "ends": "ends",
        "office": "ask",
        "rule": "rule",
        "evidence": "evidence",
        "next": "next change",
        "never": "none by itself",
    },
    "zh": {
        "at": "时间",
        "rules": "规则",
        "since": "开始",
        "ends": "解除",
        "office": "咨询",
        "rule": "条目",
        "evidence": "证据",
        "next": "下次变化",
        "never": "不会自行变化",
    },
}


@click.command(epilog=_EPILOG)
@click.option("--policy", metavar="NAME|FILE", help="A rule set of this installation by name, or a TOML file.")
@click.option(
    "--evidence", type=click.Path(dir_okay=False, path_type=Path), help="JSON file with one person's evidence."
)
@click.option("--at", type=InstantParameter(), help="The instant to decide for, with offset; now when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the evidence file and stop.")
def command(
    *,
    policy: str | None,
    evidence: Path | None,
    at: datetime | None,
    as_json: bool,
    language: str,
    schema: bool,
) -> None:
    """Decide a person's colour from evidence in a file, and say why."""
    if schema:
        _print_json(msgspec.json.encode(evidence_file.schema()))
        return
    if policy is None or evidence is None:
        message = "--policy and --evidence are both needed (or --schema alone)"
        raise click.UsageError(message)
    rules = load(path_of(policy, settings.load().policies))
    decision = decide(rules, evidence_file.read_evidence_at(evidence), at or SystemClock().now())
    if as_json:
        _print_json(msgspec.json.encode(decision))
    else:
        click.echo("\n".join(lines_of(explain(rules, decision, language))))


def lines_of(explanation: Explanation) -> list[str]:
    """An explanation as lines for a terminal."""
    words = _WORDS[explanation.language]
    policy = explanation.policy
    lines = [
        f"{explanation.colour_title} — {explanation.colour_text}",
        f"  {words['at']}: {explanation.at_text}",
        f"  {words['rules']}: {policy.title} · {policy.name} {policy.number} · {policy.hash}",
    ]
    if explanation.popup is not None:
        lines.append(f"! {explanation.popup.title}: {explanation.popup.text}")
    for reason in explanation.reasons:
        place = "" if reason.place is None else f" · {reason.place}"
        lines += [
            f"- [{reason.colour}] {reason.title}: {reason.text}",
            f"    {words['since']}: {reason.since_text}",
            f"    {words['ends']}: {reason.how_it_ends}",
            f"    {words['office']}: {reason.office}",
            f"    {words['rule']}: {reason.rule} ({reason.cites})",
            f"    {words['evidence']}: {reason.kind} {reason.evidence} · {reason.source}{place}",
        ]
    lines.append(f"  {words['next']}: {explanation.next_change_text or words['never']}")
    return lines


def _print_json(encoded: bytes) -> None:
    click.echo(msgspec.json.format(encoded).decode())
