"""Values in PostgreSQL's binary format, for the few statements that carry thousands of them.

The driver turns a list into an array one element at a time in Python, an instant in several steps: 1 to 2 µs each.
Here whole arrays and rows are packed at once, for a fifth of that. The wrapped arrays are passed as parameters like
any value; rows go to `Write.copy_binary`.

Format: PostgreSQL documentation, "COPY", section "Binary Format", and the `array_send` of its sources: each value is
its length (four bytes, -1 for null) and its bytes, big-endian; instants are microseconds since 2000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

NULL: Final = b"\xff\xff\xff\xff"
ROWS_BEGIN: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
ROWS_END: Final = b"\xff\xff"

_OID_BYTEA: Final = 17
_OID_BIGINT: Final = 20
_OID_TEXT: Final = 25
_OID_INSTANT: Final = 1184
_OID_BYTEAS: Final = 1001
_OID_TEXTS: Final = 1009
_OID_BIGINTS: Final = 1016
_OID_INSTANTS: Final = 1185

_LENGTH: Final = Struct(">i")
_BIGINT: Final = Struct(">iq")
_HEAD: Final = Struct(">iiIii")
_EMPTY: Final = Struct(">iiI")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Bigints(bytes):
    """A packed `bigint[]`; made by `bigints`."""

    __slots__ = ()


class Texts(bytes):
    """A packed `text[]`; made by `texts`."""

    __slots__ = ()


class Byteas(bytes):
    """A packed `bytea[]`; made by `byteas`."""

    __slots__ = ()


class Instants(bytes):
    """A packed `timestamptz[]`; made by `instants`."""

    __slots__ = ()


def bigint(value: int | None) -> bytes:
    """One `bigint`."""
    return NULL if value is None else _BIGINT.pack(8, value)


def text(value: str | None) -> bytes:
    """One `text`."""
    return NULL if value is None else raw(value.encode())


def raw(value: bytes) -> bytes:
    """One `bytea`, or the bytes of any type whose binary format is its text."""
    return _LENGTH.pack(len(value)) + value


def instant(value: datetime | None) -> bytes:
    """One `timestamptz`."""
    return NULL if value is None else _BIGINT.pack(8, (value - _EPOCH) // _MICROSECOND)


def remembered_instants() -> Callable[[datetime | None], bytes]:
    """`instant` for one batch: its rows repeat a few instants, and a look-up costs a fifth of packing."""
    packed: dict[datetime | None, bytes] = {}

    def pack(value: datetime | None) -> bytes:
        found = packed.get(value)
        if found is None:
            found = packed[value] = instant(value)
        return found

    return pack


def bigints(values: Iterable[int]) -> Bigints:
    """`values` as one parameter."""
    pack = _BIGINT.pack
    return Bigints(_array(_OID_BIGINT, [pack(8, value) for value in values]))


def texts(values: Iterable[str | None]) -> Texts:
    """`values` as one parameter."""
    return Texts(_array(_OID_TEXT, [text(value) for value in values]))


def encoded_texts(values: Iterable[bytes]) -> Texts:
    """`values`, which are UTF-8 already, as one parameter."""
    return Texts(_array(_OID_TEXT, [raw(value) for value in values]))


def byteas(values: Iterable[bytes]) -> Byteas:
    """`values` as one parameter."""
    return Byteas(_array(_OID_BYTEA, [raw(value) for value in values]))


def instants(values: Iterable[datetime | None]) -> Instants:
    """`values` as one parameter."""
    return Instants(_array(_OID_INSTANT, list(map(remembered_instants(), values))))


def _array(oid: int, values: list[bytes]) -> bytes:
    if not values:
        return _EMPTY.pack(0, 0, oid)
    return _HEAD.pack(1, 1, oid, len(values), 1) + b"".join(values)


class _PackedDumper(Dumper):
    """The bytes as they are."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


class _BigintsDumper(_PackedDumper):
    oid = _OID_BIGINTS


class _TextsDumper(_PackedDumper):
    oid = _OID_TEXTS


class _ByteasDumper(_PackedDumper):
    oid = _OID_BYTEAS


class _InstantsDumper(_PackedDumper):
    oid = _OID_INSTANTS


for _wrapped, _dumper in (
    (Bigints, _BigintsDumper),
    (Texts, _TextsDumper),
    (Byteas, _ByteasDumper),
    (Instants, _InstantsDumper),
):
    psycopg.adapters.register_dumper(_wrapped, _dumper)
