"""Typed reading of parsed JSON or TOML that reports every fault, not only the first.

`msgspec.convert` stops at the first fault and ignores unknown fields of these types. A person who writes a rule file
or a file of evidence is better served by the whole list, and a misspelt field must never be dropped in silence.
"""

# ruff: noqa: ANN401 - types are the data here, and what comes out is of the type that went in

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec

from tianfu.errors import Fault

T = TypeVar("T")

# A hopeless file would otherwise fill the screen; past this many faults the rest is found on the next run.
FAULTS_MAX: Final = 200

_MISSING: Final = object()


def read(value: object, wanted: type[T], *, path: str, faults: list[Fault]) -> T | None:
    """`value` (dicts, lists, scalars) as `wanted`, a msgspec struct type.

    Every fault is appended to `faults` under its path, e.g. `rule[3].phase[0].colour`; None when there was any.
    Understands structs (tagged unions too), `tuple[X, ...]`, optionals; everything else is left to msgspec.
    """
    found: list[Fault] = []
    result: T = _read(value, wanted, path, found)
    faults.extend(found[: max(0, FAULTS_MAX - len(faults))])
    return None if found else result


def _read(value: object, wanted: Any, path: str, faults: list[Fault]) -> Any:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is Annotated and get_origin(arguments[0]) is tuple:
        return _bounded(value, arguments, path, faults)
    if origin in {Union, types.UnionType}:
        return _union(value, wanted, arguments, path, faults)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004  # the shape tuple[X, ...]
        if not isinstance(value, list):
            return _fail(path, "type", "应为列表", "must be a list", faults)
        return tuple(_read(item, arguments[0], f"{path}[{place}]", faults) for place, item in enumerate(value))
    if origin is dict and isinstance(value, Mapping):
        return {key: _read(item, arguments[1], _join(path, key), faults) for key, item in value.items()}
    if _is_struct(wanted):
        return _struct(value, wanted, path, faults)
    return _leaf(value, wanted, path, faults)


def _bounded(value: object, arguments: tuple[Any, ...], path: str, faults: list[Fault]) -> Any:
    limits = arguments[1]
    if isinstance(value, list):
        if limits.min_length is not None and len(value) < limits.min_length:
            least = limits.min_length
            return _fail(path, "length", f"至少需要 {least} 项", f"must have at least {least} entries", faults)
        if limits.max_length is not None and len(value) > limits.max_length:
            most = limits.max_length
            return _fail(path, "length", f"最多 {most} 项", f"must have at most {most} entries", faults)
    return _read(value, arguments[0], path, faults)


def _union(value: object, wanted: Any, arguments: tuple[Any, ...], path: str, faults: list[Fault]) -> Any:
    if value is None and type(None) in arguments:
        return None
    others = [argument for argument in arguments if argument is not type(None)]
    if len(others) == 1:
        return _read(value, others[0], path, faults)
    structs = {argument.__struct_config__.tag: argument for argument in others if _is_struct(argument)}
    if len(structs) < len(others):
        shape = next((item for item in others if tuple in {get_origin(item), get_origin(_bare(item))}), None)
        if isinstance(value, list) and shape is not None:
            return _read(value, shape, path, faults)
        if isinstance(value, dict) and len(structs) == 1:
            return _struct(value, next(iter(structs.values())), path, faults)
        return _leaf(value, wanted, path, faults)
    if not isinstance(value, Mapping):
        return _fail(path, "type", "应为对象", "must be an object", faults)
    field = others[0].__struct_config__.tag_field
    tag = value.get(field)
    if not isinstance(tag, str) or tag not in structs:
        known = ", ".join(sorted(map(str, structs)))
        return _fail(f"{path}.{field}", "value", f"应为其中之一：{known}", f"must be one of: {known}", faults)
    return _struct(value, structs[tag], path, faults)


def _struct(value: object, wanted: Any, path: str, faults: list[Fault]) -> Any:
    if not isinstance(value, Mapping):
        return _fail(path, "type", "应为对象", "must be an object", faults)
    before = len(faults)
    config = wanted.__struct_config__
    known = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name in value:
        if name not in known and not (config.tag is not None and name == config.tag_field):
            _fail(_join(path, name), "unknown", "没有这个字段", "is not a field known here", faults)
    members: dict[str, Any] = {}
    for name, field in known.items():
        given = value.get(name, _MISSING)
        if given is not _MISSING:
            members[field.name] = _read(given, field.type, _join(path, name), faults)
        elif field.required:
            _fail(_join(path, name), "missing", "缺少此字段", "is missing", faults)
    if len(faults) > before:
        return None
    try:
        return wanted(**members)
    except ValueError as error:
        return _fail(path, "value", f"内容有误（{error}）", f"cannot be accepted: {error}", faults)


def _leaf(value: object, wanted: Any, path: str, faults: list[Fault]) -> Any:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        return _fail(path, "value", f"内容有误（{error}）", f"cannot be accepted: {error}", faults)


def _bare(wanted: Any) -> Any:
    """The type that bounds or other remarks are written around."""
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _fail(path: str, code: str, zh: str, en: str, faults: list[Fault]) -> None:
    faults.append(Fault(field=path, code=code, zh=zh, en=en))
