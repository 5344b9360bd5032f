"""Document numbers: what is accepted, in which one spelling, and what is said of the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOON
from tests.support.control import resident_id
from tianfu.errors import InputInvalidError
from tianfu.residents import documents
from tianfu.residents.documents import DocumentType, document_key

GOOD = resident_id("51010719900307011")
WITH_X = next(
    number for number in map(resident_id, (f"51010719900307{n:03d}" for n in range(100))) if number[-1] == "X"
)


@pytest.mark.parametrize(
    ("kind", "typed", "normal"),
    [
        ("resident_id", GOOD, GOOD),
        ("resident_id", f" {GOOD[:6]} {GOOD[6:14]}-{GOOD[14:]} ", GOOD),
        ("resident_id", WITH_X.lower(), WITH_X),
        ("resident_id", "".join(chr(ord(mark) + 0xFEE0) for mark in WITH_X), WITH_X),
        # A code of 1990 on somebody born before it existed: numbers were given at registration, not at birth.
        ("resident_id", resident_id("51010419550307011"), resident_id("51010419550307011")),
        ("resident_id", resident_id("83000019900307011"), resident_id("83000019900307011")),
        ("passport", "e1234567", "E1234567"),
        ("passport", "12345", "12345"),
        ("hk_macau_permit", "h12345678", "H12345678"),
        ("hk_macau_permit", "M1234567801", "M12345678"),
        ("taiwan_permit", "01234567", "01234567"),
        ("taiwan_permit", "0123456701(B)", "01234567"),
        ("taiwan_permit", "0123456701", "01234567"),
        ("foreign_permanent_resident", "usa310101198012", "USA310101198012"),
        ("foreign_permanent_resident", resident_id("93184019801230123"), resident_id("93184019801230123")),
    ],
)
def test_one_document_has_one_spelling(kind: str, typed: str, normal: str) -> None:
    assert documents.parse(kind, typed, at=NOON).number == normal


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        ("resident_id", GOOD[:-1] + str((int(GOOD[-1]) + 1) % 10), "document_checksum"),
        ("resident_id", resident_id("51010719900230011"), "document_birth_date"),
        ("resident_id", resident_id("51010718991231011"), "document_birth_date"),
        ("resident_id", resident_id("51010720220302011"), "document_birth_date"),
        ("resident_id", resident_id("99010719900307011"), "document_place"),
        ("resident_id", resident_id("05010719900307011"), "document_place"),
        ("resident_id", "510107900307011", "document_old"),
        ("resident_id", "", "document_format"),
        ("resident_id", "5101071990030701１٣", "document_format"),
        ("resident_id", "9" * 41, "document_length"),
        ("passport", "ABCDE", "document_format"),
        ("passport", "E12", "document_format"),
        ("passport", "E" + "1" * 17, "document_format"),
        ("passport", "E12345\u0000", "document_format"),
        ("hk_macau_permit", "K12345678", "document_format"),
        ("hk_macau_permit", "H123456789", "document_format"),
        ("taiwan_permit", "1234567", "document_format"),
        ("foreign_permanent_resident", GOOD, "document_format"),
        ("foreign_permanent_resident", "931840198012301239", "document_checksum"),
        ("driving_licence", "1", "document_type"),
    ],
)
def test_what_cannot_be_a_document_is_said_why(kind: str, typed: str, code: str) -> None:
    with pytest.raises(InputInvalidError) as refused:
        documents.parse(kind, typed, at=NOON)

    (fault,) = refused.value.faults
    assert fault.code == code
    assert fault.field == ("document.type" if code == "document_type" else "document.number")
    assert fault.zh
    assert fault.en


def test_a_child_born_today_has_a_number_and_one_born_tomorrow_has_none() -> None:
    today = resident_id("51010720220301011")

    assert documents.parse("resident_id", today, at=NOON).number == today
    with pytest.raises(InputInvalidError):
        documents.parse("resident_id", today, at=NOON - timedelta(days=1))


@given(st.sampled_from(DocumentType), st.text(max_size=60))
def test_any_text_is_accepted_or_refused_and_accepting_is_stable(kind: DocumentType, typed: str) -> None:
    document, faults = documents.inspect(kind, typed, at=NOON)

    assert (document is None) == bool(faults)
    if document is not None:
        assert documents.parse(kind, document.number, at=NOON) == document


@given(st.integers(0, 10**17 - 1), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(stem: int, position: int, change: int) -> None:
    number = resident_id(f"{stem:017d}")
    wrong = number[:position] + str((int(number[position]) + change) % 10) + number[position + 1 :]

    _, faults = documents.inspect("resident_id", wrong, at=NOON)

    assert faults


def test_two_kinds_of_document_with_one_number_are_two_documents() -> None:
    taiwan = documents.parse("taiwan_permit", "01234567", at=NOON)
    passport = documents.parse("passport", "01234567", at=NOON)

    assert document_key(taiwan) != document_key(passport)
    assert "01234567" not in repr(taiwan)
