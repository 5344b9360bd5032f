"""The error family: a code for programs, a sentence for people, nothing else."""

from __future__ import annotations

import pytest

from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError


def test_an_error_speaks_the_readers_language_and_chinese_by_default() -> None:
    error = NotFoundError()

    assert error.sentence("en") == "Not found."
    assert error.sentence("zh") == "没有找到。"
    assert error.sentence("fr") == error.sentence("zh")
    assert str(error) == error.sentence("en")


def test_an_occasion_may_have_its_own_sentence_without_changing_the_class() -> None:
    error = NotFoundError(zh="没有这个场所。", en="No such venue.")

    assert (error.zh, error.en, error.code, error.status) == ("没有这个场所。", "No such venue.", "not_found", 404)
    assert NotFoundError().en == "Not found."


def test_every_faulty_field_is_listed() -> None:
    faults = tuple(Fault(field=name, code="missing", zh="缺少。", en="missing") for name in ("name", "phone"))

    error = InputInvalidError(faults=faults)

    assert [fault.field for fault in error.faults] == ["name", "phone"]
    assert error.status == 422


def test_an_error_says_when_trying_again_makes_sense() -> None:
    assert TianfuError(retry_after_seconds=5).retry_after_seconds == 5
    assert TianfuError().retry_after_seconds is None


@pytest.mark.parametrize("error", [TianfuError(), InputInvalidError(), NotFoundError()])
def test_sentences_exist_in_both_languages(error: TianfuError) -> None:
    assert error.zh.endswith("。")
    assert error.en.endswith(".")
