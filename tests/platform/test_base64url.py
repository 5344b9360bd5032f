from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.platform import base64url


@given(st.binary(max_size=200))
def test_bytes_come_back_and_are_written_as_everybody_writes_them(data: bytes) -> None:
    text = base64url.encode(data)

    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert base64url.decode(text) == data


@pytest.mark.parametrize("text", ["AA==", "A", "AB", "A+", "A/", "AA A", "AA\n", "AAA=", "健康", "AAAA====", "AA=A"])
def test_every_other_writing_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        base64url.decode(text)


@given(st.text(max_size=50))
def test_any_text_is_refused_or_the_one_writing_of_its_bytes(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text
