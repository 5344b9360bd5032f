from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.plain_files import job, rows
from tianfu.cli import trace_files
from tianfu.tracing.files import arrays, reading_store
from tianfu.tracing.files.refused import TraceFileInvalidError, TraceOutputError, TraceTooLargeError
from tianfu.tracing.files.run import with_arrays, with_duckdb

VISITS = "person,venue,at\na,v,0\nb,v,1\n"
CASES = "person,from,to\na,0,60\n"

WRONG_VISITS = {
    "": [("file", "unreadable")],
    "\n": [("person", "missing_column"), ("venue", "missing_column"), ("at", "missing_column")],
    "person;venue;at\n": [("person", "missing_column"), ("venue", "missing_column"), ("at", "missing_column")],
    "person,Venue,at\na,v,0\n": [("venue", "missing_column")],
    "person,venue,at,at\na,v,0,0\n": [("at", "doubled_column")],
    "person,venue,at\na,v,0\na,v\n": [("line 3", "unreadable")],
    "person,venue,at\na,v,0,1\n": [("line 2", "unreadable")],
    "person,venue,at\n,v,0\na,,0\na,v,\n": [
        ("line 2, person", "empty"),
        ("line 3, venue", "empty"),
        ("line 4, at", "empty"),
    ],
    'person,venue,at\n"a\nb",v,0\nc,v,yesterday\n': [("line 4, at", "instant")],
    "person,venue,at\n" + "a,v,soon\n" * 9: [(f"line {number}, at", "instant") for number in range(2, 7)],
    'person,venue,at\na,v,0\n"b,v,1\n': [("line 3", "unreadable")],
    'person,venue,at\n"a"b,v,1\n': [("line 2", "unreadable")],
}
WRONG_CASES = {
    "person,from,to\na,0,\n": [("line 2, to", "empty")],
    "person,from\na,0\n": [("to", "missing_column")],
    "person,from,to\nb,60,60\na,60,59\n": [("line 3", "backwards")],
    "person,from,to\na,2022-09-31,1e9\n": [("line 2, from", "instant"), ("line 2, to", "instant")],
}


def faults(folder: Path, visits: str, cases: str) -> list[tuple[str, str]]:
    (folder / "V.csv").write_text(visits, encoding="utf-8", newline="")
    (folder / "C.csv").write_text(cases, encoding="utf-8", newline="")
    with pytest.raises(TraceFileInvalidError) as refused:
        rows(with_arrays, job(folder / "V.csv", folder / "C.csv"))
    assert sorted(path.name for path in folder.iterdir()) == ["C.csv", "V.csv"]
    return [(fault.field, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize("visits", WRONG_VISITS)
def test_what_is_wrong_in_the_visits_is_named_by_line_and_field(visits: str, tmp_path: Path) -> None:
    assert faults(tmp_path, visits, CASES) == WRONG_VISITS[visits]


@pytest.mark.parametrize("cases", WRONG_CASES)
def test_what_is_wrong_in_the_cases_is_named_by_line_and_field(cases: str, tmp_path: Path) -> None:
    assert faults(tmp_path, VISITS, cases) == WRONG_CASES[cases]


@pytest.mark.parametrize("content", [b"person,venue,at\n\xff,v,0\n", "person,venue,at\na,v,0\n".encode("utf-16")])
def test_what_is_not_utf_8_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "V.csv").write_bytes(content)
    (tmp_path / "C.csv").write_text(CASES, encoding="utf-8")

    with pytest.raises(TraceFileInvalidError, match=r"V\.csv") as refused:
        rows(with_duckdb, job(tmp_path / "V.csv", tmp_path / "C.csv"))

    assert "UTF-8" in refused.value.faults[0].en


def test_the_command_says_it_in_a_sentence_and_leaves_what_stood_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("OUT.csv").write_text("as it was", encoding="utf-8")
    Path("V.csv").write_text(VISITS, encoding="utf-8")
    words = ["--visits", "V.csv", "--cases", "C.csv", "--dwell-minutes", "30", "--hops", "1", "--out", "OUT.csv"]

    without_cases = CliRunner().invoke(trace_files.command, words)
    untouched = Path("OUT.csv").read_text(encoding="utf-8")
    Path("C.csv").write_text(CASES, encoding="utf-8")
    done = CliRunner().invoke(trace_files.command, words)

    assert isinstance(without_cases.exception, TraceFileInvalidError)
    assert str(without_cases.exception) == "C.csv cannot be used:"
    assert untouched == "as it was"
    assert (done.exit_code, done.output) == (0, "")
    assert Path("OUT.csv").read_text(encoding="utf-8").splitlines()[1:] == ["b,1,1970-01-01T00:00:00Z,a,v"]


@pytest.mark.parametrize("words", [["--dwell-minutes", "0", "--hops", "1"], ["--dwell-minutes", "1", "--hops", "0"]])
def test_no_stay_and_no_hop_are_usage_errors(words: list[str]) -> None:
    given = ["--visits", "V.csv", "--cases", "C.csv", "--out", "OUT.csv", *words]

    assert CliRunner().invoke(trace_files.command, given).exit_code == 2


def test_a_folder_that_takes_no_result_is_said(tmp_path: Path) -> None:
    asked = job(tmp_path / "absent" / "V.csv", tmp_path / "C.csv")

    with pytest.raises(TraceOutputError):
        rows(with_arrays, asked)


@pytest.mark.parametrize(("limit", "value"), [("PEOPLE_MAX", 1), ("VENUES_MAX", 0), ("MINUTES_MAX", 2_879)])
def test_what_the_arrays_cannot_hold_is_refused(
    limit: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "V.csv").write_text(VISITS, encoding="utf-8")
    (tmp_path / "C.csv").write_text(CASES, encoding="utf-8")
    monkeypatch.setattr(arrays, limit, value)

    with pytest.raises(TraceTooLargeError, match="--engine duckdb"):
        rows(with_arrays, job(tmp_path / "V.csv", tmp_path / "C.csv"))


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    long = "a" * (reading_store.LINE_BYTES_MAX + 10)

    assert faults(tmp_path, f"person,venue,at\n{long},v,0\n", CASES) == [("line 2", "unreadable")]
