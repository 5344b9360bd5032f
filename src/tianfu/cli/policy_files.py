"""`tianfu policy check`, `diff`, `combine` and `schema`: rule sets as files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from tianfu.cli.main import EXIT_REFUSED, terminal_language
from tianfu.cli.policy_named import METAVAR, policy_named
from tianfu.platform import settings
from tianfu.policy import schema as rule_schema
from tianfu.policy.affected import Affected, affected
from tianfu.policy.combine import combine as combined
from tianfu.policy.compile import Policy
from tianfu.policy.diff import Change, PartChange, differences
from tianfu.policy.lint import Warning as RuleWarning
from tianfu.policy.lint import warnings_of
from tianfu.policy.load import POLICY_BYTES_MAX, PolicyInvalidError, PolicyUnreadableError, load, path_of

EXIT_WARNED: Final = 1

_CHECK_EPILOG: Final = """\b
Examples:
  tianfu policy check policies/sichuan-core.toml
  tianfu policy check sichuan-core --strict
  tianfu policy check sichuan-core --json

Exit code 2: there is a fault, and the set cannot be used. 1: there are warnings, and --strict was given.
"""
_DIFF_EPILOG: Final = """\b
Examples:
  tianfu policy diff sichuan-core policies/new.toml
  tianfu policy diff 3f0c9a1b sichuan-core --json
"""
_COMBINE_EPILOG: Final = """\b
Example:
  tianfu policy combine policies/province.toml policies/chengdu.toml policies/luzhou.toml -o combined.toml
"""
_SIGNS: Final = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


@click.command(epilog=_CHECK_EPILOG)
@click.argument("policy", metavar="NAME|FILE")
@click.option("--strict", is_flag=True, help="End with exit code 1 when there is a warning.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(policy: str, *, strict: bool, as_json: bool) -> None:
    """Say whether a rule set can be used, and what in it is probably not meant."""
    try:
        loaded = load(path_of(policy, settings.load().policies))
    except PolicyInvalidError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"faults": msgspec.to_builtins(error.faults), "warnings": []}, ensure_ascii=False))
        sys.exit(EXIT_REFUSED)
    warnings = warnings_of(loaded.rule_set)
    if as_json:
        told = {
            "name": loaded.name,
            "number": loaded.number,
            "sha256": loaded.hash,
            "rules": len(loaded.rule_set.rule),
            "faults": [],
            "warnings": msgspec.to_builtins(warnings),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _print_check(loaded, warnings)
    sys.exit(EXIT_WARNED if strict and warnings else 0)


@click.command(epilog=_DIFF_EPILOG)
@click.argument("old", metavar=METAVAR)
@click.argument("new", metavar=METAVAR)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def diff(old: str, new: str, *, as_json: bool) -> None:
    """Say what NEW says otherwise than OLD, rule by rule, and whom that can change."""
    loaded = settings.load()
    print_diff(policy_named(old, loaded), policy_named(new, loaded), as_json=as_json)


@click.command(epilog=_COMBINE_EPILOG)
@click.argument("base", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("overlays", type=click.Path(path_type=Path, dir_okay=False), nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
def combine(base: Path, overlays: tuple[Path, ...], output: Path) -> None:
    """Add cities' files to the province's BASE, check the whole, and write it when it can be used."""
    body = combined(_bytes_of(base), [(path.name, _bytes_of(path)) for path in overlays])
    loaded = load(body)
    beside = output.with_name(f".{output.name}.new")
    try:
        beside.write_bytes(body)
        beside.replace(output)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise PolicyUnreadableError(
            zh=f"无法写入 {output}：{reason}。", en=f"{output} cannot be written: {reason}."
        ) from error
    _print_check(loaded, warnings_of(loaded.rule_set))


@click.command()
def schema() -> None:
    """Print the JSON Schema of a rule-set file."""
    click.echo(json.dumps(rule_schema.schema(), ensure_ascii=False, indent=2))


def print_diff(old: Policy, new: Policy, *, as_json: bool) -> None:
    """The differences and whom they can change, for people or for programs."""
    changes, scope = differences(old.rule_set, new.rule_set), affected(old.rule_set, new.rule_set)
    if as_json:
        told: dict[str, Any] = {
            "old": {"name": old.name, "number": old.number, "sha256": old.hash},
            "new": {"name": new.name, "number": new.number, "sha256": new.hash},
            "changes": msgspec.to_builtins(changes),
            "affected": msgspec.to_builtins(scope),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    language = terminal_language(os.environ)
    click.echo(f"{old.name} {old.number} ({old.hash[:12]}) -> {new.name} {new.number} ({new.hash[:12]})")
    for change in changes:
        _print_part(change, language)
    counted = {each: sum(1 for change in changes if change.part == "rule" and change.change is each) for each in Change}
    click.echo(
        f"\n{counted[Change.ADDED]} rules added, {counted[Change.REMOVED]} removed, {counted[Change.CHANGED]} changed"
    )
    click.echo(scope_text(scope))


def scope_text(scope: Affected) -> str:
    """Whom a change can concern, in a sentence."""
    if scope.everybody:
        return "can change: everybody"
    if scope.nobody:
        return "can change: nobody (words, names and numbers only)"
    return f"can change: people with statements of these kinds: {', '.join(scope.kinds)}"


def _print_part(change: PartChange, language: str) -> None:
    click.echo(f"\n{_SIGNS[change.change]} {change.part} {change.id}".rstrip())
    for field in change.fields:
        old, new = field.old.in_language(language), field.new.in_language(language)
        if change.change is Change.ADDED:
            click.echo(f"    {field.field}: {new}")
        elif change.change is Change.REMOVED:
            click.echo(f"    {field.field}: {old}")
        else:
            click.echo(f"    {field.field}:\n      - {old}\n      + {new}")


def _print_check(loaded: Policy, warnings: list[RuleWarning]) -> None:
    language = terminal_language(os.environ)
    count = f", {len(warnings)} warnings" if warnings else ""
    click.echo(f"{loaded.name} {loaded.number}: {len(loaded.rule_set.rule)} rules, no fault{count}")
    click.echo(f"sha256 {loaded.hash}")
    rules = loaded.rule_set.rule
    for warning in warnings:
        place = warning.path
        if place.startswith("rule["):
            place = f"{place} ({rules[int(place[5 : place.index(']')])].id})"
        click.echo(f"  {place}: {warning.zh if language == 'zh' else warning.en} [{warning.code}]")


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(POLICY_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise PolicyUnreadableError(
            zh=f"无法读取规则文件 {path}：{reason}。", en=f"The rule set {path} cannot be read: {reason}."
        ) from error
