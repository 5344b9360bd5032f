from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.naive_tracing import HEADER, Case, Visit, csv_text, traced
from tests.support.plain_files import job, rows, write
from tianfu.tracing.files.run import Trace, with_arrays, with_duckdb

ENGINES = pytest.mark.parametrize("engine", [with_arrays, with_duckdb])

# 2022-09-01T23:30Z: what is a little later is another day.
LATE = 27_701_250
EPOCH = 0
PEOPLE = ["007", "7", "07", "A b", "A b ", "中文", 'q"uote', "a,b", "Z", "a", "é", "𝔸"]
VENUES = ["v", "V", " v", "场所"]

ODD_TEXTS = st.sampled_from(PEOPLE)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Visit], list[Case], int, int]:
    """Few people, few venues, little time: most exposures tie with others."""
    around = draw(st.sampled_from([LATE, EPOCH, -1_441]))
    dwell = draw(st.sampled_from([1, 2, 3, 5, 30, 1_440, 1_500, 4_321]))
    span = max(8, dwell * 2)
    at = st.integers(around - span, around + span) | st.integers(around - 3, around + 3)
    people, venues = draw(st.sampled_from([(4, 1), (6, 2), (12, 4)]))
    person, venue = st.sampled_from(PEOPLE[:people]), st.sampled_from(VENUES[:venues])
    visits = draw(st.lists(st.builds(Visit, person, venue, at), max_size=24))
    periods = st.tuples(at, at).map(sorted)
    cases = draw(st.lists(st.builds(lambda who, when: Case(who, *when), person, periods), max_size=3))
    return visits, cases, dwell, draw(st.integers(1, 5))


# An example is two whole runs from files to file, a tenth of a second.
@settings(max_examples=min(60, settings().max_examples))
@given(scenes())
def test_the_engines_give_what_the_definition_says(scene: tuple[list[Visit], list[Case], int, int]) -> None:
    visits, cases, dwell, hops = scene
    with TemporaryDirectory() as name:
        asked = job(*write(Path(name), visits, cases), dwell=dwell, hops=hops)
        expected = traced(visits, cases, dwell, hops)
        assert rows(with_arrays, asked) == expected
        assert rows(with_duckdb, asked) == expected


STORY_VISITS = """\
at,person,note,venue
2022-09-01T08:00:00Z,anna,,shop
2022-09-01T16:20:30+08:00,ben,"a note, quoted",shop
2022-09-01T08:30:00Z,carl,,shop
1662019200,dora,,shop
2022-09-01T07:45:00Z,dora,,café
2022-09-01T07:50:00Z,emil,,café
2022-09-01T09:00:00Z,ben,,café
2022-09-01T09:29:59Z,fay,,café
2022-09-01T10:00:00Z,fay,,"the ""bar"" 1"
1662026400.999,gus,,"the ""bar"" 1"
2022-09-03T00:00:00Z,ben,,shop
2022-09-03T00:00:00Z,hana,,shop
2022-09-03T00:00:00Z,anna,,shop
"""
STORY_CASES = "person,from,to\nanna,2022-09-01,2022-09-02\nzoe,2022-09-01,2022-09-03\n"


@ENGINES
def test_a_story_comes_out_as_told(engine: Trace, tmp_path: Path) -> None:
    """Carl comes 30 minutes after Anna, too late; Emil met Dora too early; of the third day nothing counts.

    Anna's period is over then, and the latest period of all ends with the second day.
    """
    (tmp_path / "V.csv").write_text(STORY_VISITS, encoding="utf-8")
    (tmp_path / "C.csv").write_text(STORY_CASES, encoding="utf-8")

    found = rows(engine, job(tmp_path / "V.csv", tmp_path / "C.csv", dwell=30, hops=5))

    assert found == [
        HEADER,
        ["dora", "1", "2022-09-01T08:00:00Z", "anna", "shop"],
        ["ben", "1", "2022-09-01T08:20:00Z", "anna", "shop"],
        ["carl", "2", "2022-09-01T08:30:00Z", "ben", "shop"],
        ["fay", "2", "2022-09-01T09:29:00Z", "ben", "café"],
        ["gus", "3", "2022-09-01T10:00:00Z", "fay", 'the "bar" 1'],
    ]


@ENGINES
def test_of_exposures_in_the_same_minute_the_smallest_source_then_venue_counts(engine: Trace, tmp_path: Path) -> None:
    visits = [Visit(person, venue, LATE) for person in ("b", "B", "met") for venue in ("é", "e", "z")]
    cases = [Case("b", LATE, LATE + 1), Case("B", LATE, LATE + 1)]

    found = rows(engine, job(*write(tmp_path, visits, cases), dwell=1))

    assert found[1:] == [["met", "1", "2022-09-01T23:30:00Z", "B", "e"]]


@ENGINES
def test_a_stay_of_several_days_reaches_over_midnights(engine: Trace, tmp_path: Path) -> None:
    visits = [Visit("case", "v", LATE), Visit("in", "v", LATE + 4_319), Visit("out", "v", LATE + 4_320)]
    visits.append(Visit("before", "v", LATE - 4_319))

    found = rows(engine, job(*write(tmp_path, visits, [Case("case", LATE, LATE + 1)]), dwell=4_320, hops=1))

    assert [row[0] for row in found[1:]] == ["before", "in"]


@ENGINES
@pytest.mark.parametrize(("visits", "cases"), [([], []), ([Visit("a", "v", 0)], []), ([], [Case("a", 0, 9)])])
def test_nobody_reached_is_a_header(engine: Trace, visits: list[Visit], cases: list[Case], tmp_path: Path) -> None:
    asked = job(*write(tmp_path, visits, cases))

    assert rows(engine, asked) == [HEADER]
    assert asked.out.read_text(encoding="utf-8") == "person,hop,first_exposed_at,source_person,venue\n"


@ENGINES
def test_who_is_named_as_a_case_is_no_contact_even_without_a_period(engine: Trace, tmp_path: Path) -> None:
    visits = [Visit(person, "v", 100) for person in ("case", "named", "met")]
    cases = [Case("case", 0, 200), Case("named", 100, 100)]

    assert [row[0] for row in rows(engine, job(*write(tmp_path, visits, cases)))[1:]] == ["met"]


@ENGINES
def test_parquet_is_read_with_the_types_it_has(engine: Trace, tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * from "  # noqa: S608
            "(values (10::bigint, 5::int, timestamp '2022-09-01 08:00:59.5'), "
            "(9, 5, timestamp '2022-09-01 08:10:00')) v(person, venue, \"at\")) to "
            f"'{tmp_path}/days/one.parquet'"
        )
        connection.execute(
            "copy (select 10::bigint person, 5::int venue, timestamp '1969-12-31 23:59:59.5' \"at\") to "
            f"'{tmp_path}/days/two.parquet'"
        )
        connection.execute(
            f'copy (select 10 person, 1662019200.5::double "from", 1662019320::bigint "to") to \'{tmp_path}/C.parquet\''
        )

    found = rows(engine, job(tmp_path / "days", tmp_path / "C.parquet", dwell=11))

    assert found[1:] == [["9", "1", "2022-09-01T08:10:00Z", "10", "5"]]


@ENGINES
def test_unusual_but_right_csv_is_read(engine: Trace, tmp_path: Path) -> None:
    """A byte order mark, line ends of two kinds, an empty line, a line break and a quote inside of a name."""
    visits = '\ufeffperson,venue,at\r\n"two\nlines",v,0\r\n\r\n"say ""x""",v,1\n#c,v,2\n'
    (tmp_path / "V.csv").write_text(visits, encoding="utf-8", newline="")
    (tmp_path / "C.csv").write_text(csv_text(["person", "from", "to"], [["#c", "-60", "60"]]), encoding="utf-8")

    found = rows(engine, job(tmp_path / "V.csv", tmp_path / "C.csv"))

    assert [row[0] for row in found[1:]] == ['say "x"', "two\nlines"]
    assert [row[2] for row in found[1:]] == ["1970-01-01T00:00:00Z"] * 2
