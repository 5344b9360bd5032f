"""Reading tracing rules from files. Everything is checked here, once; what comes out can be traced with.

One TOML file a rule set, `<name>.toml`. The SHA-256 of what was asked for stands in each run.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from tianfu.errors import Fault, NotFoundError, TianfuError
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy import toml_text
from tianfu.policy.strict import read
from tianfu.tracing.rules import Dwell, TracingRules, VenueGround, with_stay

FOLDER: Final = PROJECT_ROOT / "policies" / "tracing"
SUFFIX: Final = ".toml"
# The sets here have 10 kB; ten times that is no rule set any more.
RULES_BYTES_MAX: Final = 200_000
# `plain-scan:45` asks for the set with stays of 45 minutes, up to a day.
STAY_MINUTES_MAX: Final = 1_440

_NAME: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]{1,47})(:(?P<minutes>[1-9][0-9]{0,3}))?", re.ASCII)
_HEADER: Final = re.compile(r"\[\[?(?P<path>[a-z_.]+)\]\]?", re.ASCII)
_STEP: Final = re.compile(r"([a-z_]+)(?:\[([0-9]+)\])?", re.ASCII)


class TracingRulesInvalidError(TianfuError):
    """The file is no usable set of tracing rules; `faults` names file, line and key of everything that is wrong."""

    code = "tracing_rules_invalid"
    status = 422
    zh = "追踪规则文件有误，未予采用。"
    en = "These tracing rules cannot be used; every fault is listed."


class TracingRulesUnreadableError(TianfuError):
    """The file is too large, or cannot be read."""

    code = "tracing_rules_unreadable"
    status = 422
    zh = "无法读取追踪规则文件。"
    en = "The file of tracing rules cannot be read."


class TracingRulesNotFoundError(NotFoundError):
    """There are no tracing rules of that name, or none were in force on that day."""

    code = "tracing_rules_not_found"
    zh = "没有这套追踪规则，或当日尚无有效的追踪规则。"
    en = "There are no tracing rules of that name, or none were in force on that day."


class LoadedRules(msgspec.Struct, frozen=True):
    """A rule set, the name it was asked for by, and the SHA-256 (32 bytes) of the file's bytes.

    For stays on request (`plain-scan:45`) the hash is over the bytes and what was asked.
    """

    asked: str
    rules: TracingRules
    digest: bytes


def load(path: Path) -> LoadedRules:
    """The rule set in a file. The same bytes always give the same digest.

    Raises `TracingRulesUnreadableError`, or `TracingRulesInvalidError` with every fault found.
    """
    body = _bytes_of(path)
    faults: list[Fault] = []
    parsed = toml_text.parse(body, path.name)
    if isinstance(parsed, Fault):
        raise TracingRulesInvalidError(faults=(parsed,))
    rules = read(parsed, TracingRules, path="", faults=faults)
    if rules is not None:
        faults = [*_faults_of(rules, path.stem), *toml_text.unseen(parsed)]
    if rules is None or faults:
        lines = body.decode("utf-8").splitlines()
        placed = tuple(_placed(fault, path.name, lines) for fault in faults)
        raise TracingRulesInvalidError(faults=placed)
    return LoadedRules(rules.name, rules, hashlib.sha256(body).digest())


def every(folder: Path = FOLDER) -> list[LoadedRules]:
    """Every rule set of the folder, by the day it came into force, then by name. Raises as `load` does."""
    found = [load(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    return sorted(found, key=lambda loaded: (loaded.rules.effective_from, loaded.rules.name))


def find(name: str, folder: Path = FOLDER) -> LoadedRules:
    """The rule set of that name; `plain-scan:45` is that set with stays of 45 minutes at any venue.

    Raises `TracingRulesNotFoundError`, and as `load` does.
    """
    asked = _NAME.fullmatch(name)
    if asked is None or not (folder / f"{asked['name']}{SUFFIX}").is_file():
        raise TracingRulesNotFoundError
    loaded = load(folder / f"{asked['name']}{SUFFIX}")
    if asked["minutes"] is None:
        return loaded
    minutes = int(asked["minutes"])
    if minutes > STAY_MINUTES_MAX:
        raise TracingRulesNotFoundError
    digest = hashlib.sha256(loaded.digest + f"stay={minutes}".encode()).digest()
    return LoadedRules(name, with_stay(loaded.rules, minutes), digest)


def in_force(day: date, name: str | None = None, *, folder: Path = FOLDER) -> LoadedRules:
    """The rule set of that name, or else the latest that is not local and came into force by `day`.

    Raises `TracingRulesNotFoundError`, and as `load` does.
    """
    if name is not None:
        return find(name, folder)
    held = [found for found in every(folder) if not found.rules.local and found.rules.effective_from <= day]
    if not held:
        raise TracingRulesNotFoundError
    return held[-1]


def _faults_of(rules: TracingRules, stem: str) -> Iterator[Fault]:
    if rules.name != stem:
        yield _fault("name", "name", f"应与文件名 {stem} 一致", f"must be the file's name, {stem}")
    dwelt = Counter(word for dwell in rules.dwell for word in _words(dwell))
    for place, dwell in enumerate(rules.dwell):
        for word in _words(dwell):
            if dwelt[word] > 1:
                zh, en = f"{word} 出现了不止一次", f"{word} stands in more than one dwell"
                yield _fault(f"dwell[{place}].categories", "twice", zh, en)
    for number, hop in enumerate(rules.hop):
        yield from _faults_of_hop(rules, number, set(dwelt))
        if (number == 0) != (not hop.of):
            zh, en = "第二跳起必须、第一跳不得填写", "must be there from the second hop on, and not in the first"
            yield _fault(f"hop[{number}].of", "of", zh, en)
    for number, schedule in enumerate(rules.schedule):
        for place, stay in enumerate(schedule.stay):
            if any(day > stay.days for day in stay.tests) or list(stay.tests) != sorted(set(stay.tests)):
                zh, en = "检测日应递增且不超过天数", "must ascend and lie within the days of the stay"
                yield _fault(f"schedule[{number}].stay[{place}].tests", "tests", zh, en)


def _faults_of_hop(rules: TracingRules, number: int, dwelt: set[str]) -> Iterator[Fault]:
    hop = rules.hop[number]
    seen: set[str] = set()
    for place, ground in enumerate(hop.venue):
        for word in _words(ground):
            if word in seen:
                zh, en = f"{word} 出现了不止一次", f"{word} stands in more than one venue"
                yield _fault(f"hop[{number}].venue[{place}].categories", "twice", zh, en)
            if word not in dwelt:
                zh, en = f"{word} 没有停留时间", f"{word} has no dwell"
                yield _fault(f"hop[{number}].venue[{place}].categories", "dwell", zh, en)
            seen.add(word)
    pairs = Counter((ground.kind, ground.tier) for ground in hop.ground)
    for place, held in enumerate(hop.ground):
        if pairs[held.kind, held.tier] > 1:
            zh, en = f"{held.kind.value} 同一类别出现了不止一次", f"{held.kind.value} stands twice with one tier"
            yield _fault(f"hop[{number}].ground[{place}]", "twice", zh, en)


def _words(found: Dwell | VenueGround) -> list[str]:
    """The types of venue that it is about: categories, kinds of vehicles, and `unknown`."""
    words = [category.value for category in found.categories]
    words += [f"vehicle {kind.value}" for kind in found.vehicles]
    return [*words, "unknown"] if found.unknown else words


def _fault(field: str, code: str, zh: str, en: str) -> Fault:
    return Fault(field=field, code=code, zh=zh, en=en)


def _placed(fault: Fault, name: str, lines: list[str]) -> Fault:
    """The fault with file and line before its key, as editors write them."""
    return msgspec.structs.replace(fault, field=f"{name}:{_line_of(fault.field, lines)} {fault.field}")


def _line_of(path: str, lines: list[str]) -> int:
    """The line, from 1, of the table or key at `path`, such as `hop[1].ground[0].rows`; the nearest one before it.

    Works on files with a table header a line and a key a line, as rule files are written; anything else is only less
    exact.
    """
    steps = [(step[1], int(step[2] or 0)) for step in map(_STEP.fullmatch, path.split(".")) if step]
    line, depth, table = 0, 0, ""
    seen: Counter[str] = Counter()
    for number, text in enumerate(lines, start=1):
        if depth == len(steps):
            break
        wanted, count = steps[depth]
        header = _HEADER.match(text.strip())
        if header is None:
            if re.match(rf"\s*{wanted}\s*=", text) and table == ".".join(step for step, _ in steps[:depth]):
                line, depth = number, depth + 1
            continue
        table = header["path"]
        if table != ".".join(step for step, _ in steps[: depth + 1]):
            continue
        if seen[table] == count:
            line, depth = number, depth + 1
        seen[table] += 1
    return max(line, 1)


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(RULES_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise TracingRulesUnreadableError(
            zh=f"无法读取追踪规则文件 {path}：{reason}。", en=f"The tracing rules {path} cannot be read: {reason}."
        ) from error
    if len(body) > RULES_BYTES_MAX:
        raise TracingRulesUnreadableError(
            zh=f"追踪规则文件超过 {RULES_BYTES_MAX} 字节。", en=f"The file is larger than {RULES_BYTES_MAX} bytes."
        )
    return body
