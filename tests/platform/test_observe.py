"""Logs: one JSON object a line, and no field that could hold personal data."""

from __future__ import annotations

import io
import json

import pytest

from tests.support.clock import FixedClock
from tianfu.platform.observe import ALLOWED_FIELDS, FieldNotAllowedError, Log


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO) -> Log:
    return Log("worker", stream=stream, clock=FixedClock())


def test_a_line_says_when_who_what_and_how_much(log: Log, stream: io.StringIO) -> None:
    log.info("batch loaded", feed="lab", rows=3)

    assert json.loads(stream.getvalue()) == {
        "at": "2022-03-01T04:00:00.000+00:00",
        "level": "info",
        "process": "worker",
        "event": "batch loaded",
        "feed": "lab",
        "rows": 3,
    }
    assert stream.getvalue().count("\n") == 1


def test_each_level_has_its_word(log: Log, stream: io.StringIO) -> None:
    log.info("one")
    log.warning("two")
    log.error("three")

    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == ["info", "warning", "error"]


@pytest.mark.parametrize("field", ["name", "phone", "person", "document", "address", "url", "text", "Rows"])
def test_a_field_outside_the_list_is_refused_and_nothing_is_written(log: Log, stream: io.StringIO, field: str) -> None:
    with pytest.raises(FieldNotAllowedError, match=field):
        log.info("batch loaded", **{field: "张三"})

    assert stream.getvalue() == ""


def test_the_refusal_does_not_repeat_the_value(log: Log) -> None:
    with pytest.raises(FieldNotAllowedError) as refused:
        log.error("failed", name="张三")

    assert "张三" not in str(refused.value)


def test_long_texts_are_cut_and_line_breaks_cannot_forge_a_line(log: Log, stream: io.StringIO) -> None:
    log.warning("failed", error="x\n" * 1_000)

    assert stream.getvalue().count("\n") == 1
    assert len(json.loads(stream.getvalue())["error"]) == 200


def test_nothing_on_the_list_names_a_person() -> None:
    assert not ALLOWED_FIELDS & {"person", "person_ref", "name", "phone", "document", "address", "account", "venue"}


def test_the_default_stream_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Log("worker").info("started")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "started"
