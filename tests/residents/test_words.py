"""Names, phones and masks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.errors import InputInvalidError
from tianfu.residents import mask, names, phones


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" 张三 ", "张三"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("Jean-Luc  O'Neil Jr.", "Jean-Luc O'Neil Jr."),
        ("𠮷田", "𠮷田"),
        ("e\u0301lise", "élise"),
    ],
)
def test_names_have_one_spelling(typed: str, normal: str) -> None:
    assert names.inspect(typed) == (normal, ())


@pytest.mark.parametrize(
    "typed", ["", "  ", "=1+1", "@SUM", "-name", "张3", "a\tb\u0007", "张" * 65, "x" * 10_000, "<b>", "\u202eabc"]
)
def test_what_is_no_name_is_refused(typed: str) -> None:
    name, faults = names.inspect(typed)

    assert name is None
    assert [fault.field for fault in faults] == ["name"]


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("13800000001", "+8613800000001"),
        ("+86 138-0000-0001", "+8613800000001"),
        ("008613800000001", "+8613800000001"),
        ("１３８００００００01", "+8613800000001"),
        ("+852 9123 4567", "+85291234567"),
        ("0085291234567", "+85291234567"),
        ("+1 (415) 555-0100", "+14155550100"),
    ],
)
def test_phones_have_one_spelling(typed: str, normal: str) -> None:
    assert phones.parse(typed) == normal


@pytest.mark.parametrize(
    "typed", ["", "12800000001", "1380000000", "+8612345678901", "+0123456789", "+" + "1" * 16, "1" * 40, "call me"]
)
def test_what_is_no_phone_is_refused(typed: str) -> None:
    with pytest.raises(InputInvalidError):
        phones.parse(typed)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张", "*"), ("张三", "*三"), ("张小明", "张*明"), ("欧阳娜娜", "欧**娜"), ("Maria Santos", "M***s")],
)
def test_masked_names_follow_the_screen_of_the_code(name: str, masked: str) -> None:
    assert mask.mask_name(name) == masked


@pytest.mark.parametrize(
    ("number", "masked", "last"),
    [
        ("510107199003070110", "51************0110", "0110"),
        ("E12345678", "*****5678", "5678"),
        ("12345", "***45", "45"),
    ],
)
def test_masked_numbers_keep_their_ends(number: str, masked: str, last: str) -> None:
    assert mask.mask_document(number) == masked
    assert mask.last_digits(number) == last


def test_masked_phones_keep_too_little_to_be_called() -> None:
    assert mask.mask_phone("+8613812345678") == "138****5678"
    assert mask.mask_phone("+85291234567") == "+*******4567"


@given(st.text(min_size=1, max_size=64))
def test_a_masked_name_shows_two_characters_at_most(name: str) -> None:
    masked = mask.mask_name(name)

    assert len(masked.encode()) <= 64
    assert len(masked.replace("*", "")) <= 2
