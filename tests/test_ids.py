"""Person references: what is printed can be typed back, and a slip of the finger is noticed."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tianfu.ids import (
    PERSON_REF_MAX,
    VENUE_REF_MAX,
    PersonRef,
    PersonRefInvalidError,
    format_person_ref,
    parse_person_ref,
)

persons = st.integers(1, PERSON_REF_MAX).map(PersonRef)


@given(person=persons)
def test_what_is_printed_can_be_typed_back(person: PersonRef) -> None:
    text = format_person_ref(person)

    assert parse_person_ref(text) == person
    assert parse_person_ref(f"  {text.lower().replace('-', '')} ") == person


def test_the_printed_form_is_the_one_in_the_error_message() -> None:
    assert format_person_ref(PersonRef(12)) in PersonRefInvalidError.en
    assert format_person_ref(PersonRef(12)) in PersonRefInvalidError.zh


@given(person=persons, position=st.integers(0, 10), digit=st.integers(0, 9))
def test_one_wrong_digit_is_noticed(person: PersonRef, position: int, digit: int) -> None:
    digits = list(format_person_ref(person).replace("-", "")[1:])
    assume(digits[position] != str(digit))
    digits[position] = str(digit)

    with pytest.raises(PersonRefInvalidError):
        parse_person_ref("P" + "".join(digits))


@given(person=persons, position=st.integers(0, 7))
def test_two_swapped_neighbours_are_noticed(person: PersonRef, position: int) -> None:
    digits = list(format_person_ref(person).replace("-", "")[1:])
    assume(digits[position] != digits[position + 1])
    digits[position], digits[position + 1] = digits[position + 1], digits[position]

    with pytest.raises(PersonRefInvalidError):
        parse_person_ref("P" + "".join(digits))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "12",
        "P-000000000-98",
        format_person_ref(PersonRef(PERSON_REF_MAX + 1)),
        "P-000000012-62-1",
        "Q-000000012-62",
        "P-٠٠٠٠٠٠٠١٢-62",
        "P-000000012\n-62",
        "P" * 100_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(PersonRefInvalidError):
        parse_person_ref(text)


@given(text=st.text())
def test_no_text_makes_the_parser_fail_in_any_other_way(text: str) -> None:
    try:
        person = parse_person_ref(text)
    except PersonRefInvalidError:
        return
    assert 1 <= person <= PERSON_REF_MAX


def test_a_minute_a_venue_and_a_person_fit_into_one_word_of_64_bits() -> None:
    minutes_of_a_day = 24 * 60

    assert minutes_of_a_day <= 2**11
    assert 11 + VENUE_REF_MAX.bit_length() + PERSON_REF_MAX.bit_length() == 64
