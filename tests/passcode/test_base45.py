from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.passcode import base45

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def by_the_letter(data: bytes) -> str:
    """Base45 as RFC 9285 section 4 tells it, group by group."""
    text = ""
    for start in range(0, len(data), 2):
        group = data[start : start + 2]
        rest, value = 3 if len(group) == 2 else 2, int.from_bytes(group, "big")
        for _ in range(rest):
            value, digit = divmod(value, 45)
            text += ALPHABET[digit]
    return text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"\xff\xff", "FGW"),
        (b"\xff", "U5"),
        (b"\x00", "00"),
    ],
)
def test_the_examples_of_the_rfc_hold_both_ways(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


def test_every_group_is_written_and_read_by_the_letter() -> None:
    every_word = b"".join(word.to_bytes(2, "big") for word in range(2**16))
    text = by_the_letter(every_word)

    assert base45.encode(every_word) == text
    assert base45.decode(text) == every_word
    assert [base45.encode(bytes((byte,))) for byte in range(256)] == [by_the_letter(bytes((b,))) for b in range(256)]


@given(st.binary(max_size=400))
def test_bytes_come_back(data: bytes) -> None:
    assert base45.encode(data) == by_the_letter(data)
    assert base45.decode(base45.encode(data)) == data


@given(st.one_of(st.text(max_size=60), st.text(alphabet=ALPHABET, max_size=60)))
def test_a_text_is_refused_or_is_exactly_what_encoding_writes(text: str) -> None:
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text


@pytest.mark.parametrize(
    "text", ["0", "0000", "GGW", ":::", "V5", "::", "aB8", "BB8\n", "B\x00", "BB\xff", "ＢB8", "%69 VD92EX", "_B8"]
)
def test_what_no_bytes_give_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        base45.decode(text)
