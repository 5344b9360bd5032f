"""Whatever is done with a person's record, the person reads it in words: each action of such a row has one, twice."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.architecture.tree import SOURCE, python_files, tree

MESSAGES = SOURCE.parents[1] / "web" / "src" / "phone" / "messages"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Recorder(NamedTuple):
    """A function that writes such a row: which of its parameters are the action, which the person (None: always)."""

    module: str
    name: str
    method: bool
    parameters: tuple[str, ...]
    actions: tuple[str, ...]
    person: str | None


class Call(NamedTuple):
    module: str
    function: Function
    call: ast.Call


def module_of(path: Path) -> str:
    return ".".join(("tianfu", *path.relative_to(SOURCE).with_suffix("").parts))


MODULES = {module_of(path): path for path in python_files("src")}


@functools.cache
def imports(module: str) -> dict[str, str]:
    """What each imported name of a module is, with its dots."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree(MODULES[module]))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@functools.cache
def constants(module: str) -> dict[str, str]:
    """The texts that stand at the top of a module, by name."""
    found = {}
    for node in tree(MODULES[module]).body:
        name = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        value = getattr(node, "value", None)
        if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[name.id] = value.value
    return found


def meant(module: str, expression: ast.expr) -> str:
    """`noted.READ` as `tianfu.….noted.READ`; what is no import belongs to the module itself."""
    head, _, rest = ast.unparse(expression).partition(".")
    return ".".join(filter(None, (imports(module).get(head, f"{module}.{head}"), rest)))


def texts(where: Call, expression: ast.expr) -> list[str | ast.expr]:
    """The texts that an expression may be, and what of it cannot be told."""
    match expression:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return texts(where, one) + texts(where, other)
        case ast.JoinedStr(values=parts):
            return ["".join(str(texts(where, part)[0]) for part in parts)]
        case ast.FormattedValue(value=inner):
            return texts(where, inner)
        case ast.Name() | ast.Attribute():
            module, _, name = meant(where.module, expression).rpartition(".")
            if module in MODULES and name in constants(module):
                return [constants(module)[name]]
            if isinstance(expression, ast.Name):
                set_here = [
                    node.value
                    for node in ast.walk(where.function)
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == expression.id
                ]
                if set_here:
                    return [text for value in set_here for text in texts(where, value)]
    return [expression]


def parameters(function: Function) -> tuple[str, ...]:
    arguments = function.args
    return tuple(each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


@functools.cache
def calls() -> dict[str, list[Call]]:
    """Every call in the product, by the last name of what is called."""
    found: dict[str, list[Call]] = {}
    for module, path in MODULES.items():
        for function in ast.walk(tree(path)):
            if isinstance(function, Function):
                for call in ast.walk(function):
                    if isinstance(call, ast.Call):
                        found.setdefault(getattr(call.func, "attr", getattr(call.func, "id", "")), []).append(
                            Call(module, function, call)
                        )
    return found


def given(recorder: Recorder, call: ast.Call, parameter: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == parameter:
            return keyword.value
    position = recorder.parameters.index(parameter) - recorder.method
    return call.args[position] if position < len(call.args) else None


def uses(recorder: Recorder) -> Iterator[Call]:
    """The calls of a recorder that name a person."""
    for each in calls().get(recorder.name, []):
        called: ast.expr = each.call.func
        if recorder.method:
            matches = isinstance(called, ast.Attribute) and ast.unparse(called).split(".")[0] not in imports(
                each.module
            )
        else:
            matches = meant(each.module, called) == f"{recorder.module}.{recorder.name}"
        person = None if recorder.person is None or not matches else given(recorder, each.call, recorder.person)
        nobody = recorder.person is not None and (person is None or ast.unparse(person) == "None")
        if matches and not nobody:
            yield each


ENTRY = Recorder(
    "tianfu.audit.trail", "Entry", method=False, parameters=("action", "person"), actions=("action",), person="person"
)


def recorded() -> tuple[set[str], list[str]]:
    """Every action that is recorded with a person by somebody else, and the places where it cannot be told which."""
    words: set[str] = set()
    unclear: list[str] = []
    waiting, known = [ENTRY], {ENTRY}
    while waiting:
        recorder = waiting.pop()
        for use in uses(recorder):
            own = ast.unparse(use.call)
            if recorder is ENTRY and ("actor_kind='resident'" in own or use.module == "tianfu.audit.trail"):
                continue
            asked = [given(recorder, use.call, action) for action in recorder.actions]
            told = [text for expression in asked if expression is not None for text in texts(use, expression)]
            words |= {text for text in told if isinstance(text, str)}
            names = parameters(use.function)
            through = tuple(ast.unparse(text) for text in told if not isinstance(text, str))
            unclear += [f"{use.module}: {name}" for name in through if name not in names]
            if any(name in names for name in through):
                person = None if recorder.person is None else given(recorder, use.call, recorder.person)
                passed = None if person is None or ast.unparse(person) not in names else ast.unparse(person)
                method = names[0] == "self"
                wider = Recorder(use.module, use.function.name, method, names, through, passed)
                if wider not in known:
                    known.add(wider)
                    waiting.append(wider)
    return words, unclear


def test_every_action_with_a_person_is_told_in_both_languages() -> None:
    actions, unclear = recorded()

    # A few of different kinds: by a constant, through two functions, by a choice.
    assert {"explain", "incident_case_add", "screening.refused", "follow_up_open_refused", "merge_people"} <= actions
    assert unclear == []
    for language in ("zh", "en"):
        text = (MESSAGES / f"{language}.ts").read_text(encoding="utf-8")
        (block,) = re.findall(r"^    actions: \{\n(.*?)^    \}", text, re.DOTALL | re.MULTILINE)
        told = set(re.findall(r"^      '?([\w.]+)'?: '", block, re.MULTILINE))
        assert actions - told == set(), language
