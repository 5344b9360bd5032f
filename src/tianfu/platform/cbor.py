"""The four kinds of CBOR item that signed messages are made of, always in the shortest form (RFC 8949, 4.2).

Writing is by hand because the layouts are fixed and a general encoder costs as much as everything else about a code
together; a test holds every byte against a general one. Reading is lenient about lengths in longer forms: whoever
reads writes again what was read and compares, which leaves exactly one encoding.
"""

from __future__ import annotations

from typing import Final

NUMBER: Final = 0x00
BYTES: Final = 0x40
TEXT: Final = 0x60
ARRAY: Final = 0x80

_DIRECT_MAX: Final = 23
_MAJOR: Final = 0xE0
_MINOR: Final = 0x1F
_FORMS: Final = ((24, 1, 2**8), (25, 2, 2**16), (26, 4, 2**32))
_WIDTHS: Final = {minor: width for minor, width, _ in _FORMS}
_ONE: Final = tuple(bytes((value,)) for value in range(256))


def head(kind: int, value: int) -> bytes:
    """The first bytes of an item: its kind, and its number or its length. Raises `ValueError` beyond 32 bits."""
    if 0 <= value <= _DIRECT_MAX:
        return _ONE[kind | value]
    for minor, width, limit in _FORMS:
        if 0 <= value < limit:
            return _ONE[kind | minor] + value.to_bytes(width, "big")
    message = "a number or length does not fit into 32 bits"
    raise ValueError(message)


def number(value: int) -> bytes:
    """A number from 0 to 2**32 - 1."""
    return _ONE[value] if 0 <= value <= _DIRECT_MAX else head(NUMBER, value)


def byte_string(value: bytes) -> bytes:
    """Bytes."""
    size = len(value)
    return (_ONE[BYTES | size] if size <= _DIRECT_MAX else head(BYTES, size)) + value


def text(value: bytes) -> bytes:
    """Text, given as UTF-8."""
    size = len(value)
    return (_ONE[TEXT | size] if size <= _DIRECT_MAX else head(TEXT, size)) + value


def read_head(data: bytes, start: int, kind: int) -> tuple[int, int]:
    """The number or length of the item of `kind` at `start`, and where it goes on.

    Raises `ValueError` for another kind and `IndexError` past the end.
    """
    first = data[start]
    if first & _MAJOR != kind:
        message = "an item of another kind"
        raise ValueError(message)
    value = first & _MINOR
    if value <= _DIRECT_MAX:
        return value, start + 1
    width = _WIDTHS.get(value, 0)
    if not width:
        message = "an item of no stated length"
        raise ValueError(message)
    end = start + 1 + width
    return int.from_bytes(data[start + 1 : end], "big"), end


def read_text(data: bytes, start: int) -> tuple[str, int]:
    """The text at `start`, and where it ends. Raises `ValueError` (bad UTF-8 included) or `IndexError`."""
    length, begin = read_head(data, start, TEXT)
    return data[begin : begin + length].decode(), begin + length


def read_bytes(data: bytes, start: int) -> tuple[bytes, int]:
    """The bytes at `start`, and where they end. Raises `ValueError` or `IndexError`."""
    length, begin = read_head(data, start, BYTES)
    return data[begin : begin + length], begin + length
