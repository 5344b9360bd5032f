"""What a rule file may name: kinds of evidence, their attributes, and anchors. Pure."""

from __future__ import annotations

import enum
import types
from collections.abc import Container
from datetime import datetime
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec

from tianfu.evidence.kinds import KINDS
from tianfu.policy.rules import RELEASE_COUNT_MAX

# Anchors every statement has, beside the instants of its own kind.
OCCURRED: Final = "occurred"
RECEIVED: Final = "received"
# The anchor of a counter's latest sample, `ID.last`.
LAST: Final = "last"
_NTH_DIGITS_MAX: Final = 2
_COMMON: Final = {OCCURRED: "occurred_at", RECEIVED: "received_at"}


class Attribute(msgspec.Struct, frozen=True):
    """One field of a kind: its bare type, whether it is a list of that, and whether it may be absent."""

    type: type
    many: bool
    optional: bool


class AnchorName(msgspec.Struct, frozen=True):
    """A resolved anchor.

    `path` is the dotted way from a statement to the instant. `kind` is None for the statement the rule looks at,
    else the type of the other statements it is sought in. `sure` says that it is always there.
    """

    path: str
    kind: type[msgspec.Struct] | None
    sure: bool


class CounterAnchor(msgspec.Struct, frozen=True):
    """An anchor of a counter: its `nth` count (from 1), or 0 for the latest sample."""

    counter: str
    nth: int


def counter_anchor(text: str, counters: Container[str]) -> CounterAnchor | None:
    """What `text` names of the counters with these ids (`ID.1`, `ID.2` …, `ID.last`); None when it is no such thing."""
    counter, dot, name = text.rpartition(".")
    if not dot or counter not in counters:
        return None
    if name == LAST:
        return CounterAnchor(counter, 0)
    if name.isascii() and name.isdecimal() and len(name) <= _NTH_DIGITS_MAX and 0 < int(name) <= RELEASE_COUNT_MAX:
        return CounterAnchor(counter, int(name))
    return None


def attributes_of(kind: str) -> dict[str, Attribute]:
    """The fields of a kind by name; empty for an unknown kind."""
    known = KINDS.get(kind)
    if known is None:
        return {}
    return {field.encode_name: _attribute(field.type) for field in msgspec.structs.fields(known)}


def resolve_anchor(text: str, kind: str) -> AnchorName | None:
    """The anchor that `text` names in a rule about `kind`; None when there is no such instant.

    `occurred`, `received`, an instant of the kind itself, or `other.attribute` for another kind of the same person.
    """
    if text in _COMMON:
        return AnchorName(path=_COMMON[text], kind=None, sure=True)
    elsewhere, dot, name = text.rpartition(".")
    attribute = attributes_of(elsewhere if dot else kind).get(name)
    if attribute is None or attribute.type is not datetime or attribute.many:
        return None
    return AnchorName(
        path=f"attributes.{name}",
        kind=KINDS[elsewhere] if dot else None,
        sure=not dot and not attribute.optional,
    )


def value_of(attribute: Attribute, written: str | int | bool) -> object:  # noqa: FBT001 - a scalar of TOML
    """The value of the attribute's type that a file writes as `written`. Raises `ValueError` when there is none."""
    if issubclass(attribute.type, enum.Enum):
        return attribute.type(written)
    if type(written) is not attribute.type:
        message = f"{written!r} is not a {attribute.type.__name__}"
        raise ValueError(message)
    return written


def _attribute(declared: Any) -> Attribute:  # noqa: ANN401 - any type expression
    optional = many = False
    while (origin := get_origin(declared)) is not None:
        arguments = [argument for argument in get_args(declared) if argument is not type(None)]
        if origin in {Union, types.UnionType}:
            optional = True
        elif origin is not Annotated:
            many = True
        declared = arguments[0]
    return Attribute(type=declared, many=many, optional=optional)
