"""Reading bodies: whatever comes in, a value or a clear refusal comes out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.errors import InputInvalidError
from tianfu.platform.api import read_body
from tianfu.platform.http import BodyUnreadableError


class Inner(msgspec.Struct, frozen=True):
    kind: str
    count: int = 1


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    inner: Inner
    words: tuple[str, ...] = ()
    note: str | None = None


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
near_misses = st.fixed_dictionaries(
    {},
    optional={
        "name": json_values,
        "inner": json_values | st.fixed_dictionaries({"kind": st.text()}),
        "note": json_values,
    },
)


def test_a_whole_body_is_read() -> None:
    read = read_body(Outer, b'{"name": "a", "inner": {"kind": "b", "count": 3}, "words": ["c"], "note": null}')

    assert read == Outer(name="a", inner=Inner("b", 3), words=("c",))


def test_every_fault_is_named_with_its_path() -> None:
    with pytest.raises(InputInvalidError) as refused:
        read_body(Outer, b'{"inner": {"count": "3", "extra": 1}, "words": "c", "more": 1}')

    assert {(fault.field, fault.code) for fault in refused.value.faults} == {
        ("name", "missing"),
        ("inner.kind", "missing"),
        ("inner.count", "type"),
        ("inner", "unknown_field"),
        ("words", "type"),
        ("", "unknown_field"),
    }


@given(json_values | near_misses)
def test_any_json_is_read_or_refused(content: object) -> None:
    try:
        read = read_body(Outer, msgspec.json.encode(content))
    except (InputInvalidError, BodyUnreadableError):
        return
    assert isinstance(content, dict)
    assert read.name == content["name"]


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises((InputInvalidError, BodyUnreadableError)):
        read_body(Outer, body)
