"""Spark on this machine, in one session, against the definition and the arrays."""

from __future__ import annotations

import base64
import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from msgspec import structs
from pyspark.sql import SparkSession

from tests.support.naive_tracing import traced
from tests.support.plain_files import crowded, job, rows, write
from tests.tracing.test_file_instants import INSTANTS, NO_INSTANTS
from tianfu.tracing.files import with_spark
from tianfu.tracing.files.instants import SPARK, minute_expression, minute_of, within
from tianfu.tracing.files.model import Job, Tell
from tianfu.tracing.files.refused import TraceFileInvalidError
from tianfu.tracing.files.run import Trace, with_arrays
from tianfu.tracing.files.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark [of] {one}")
    with with_spark.session(folder, "local[2]", {"spark.driver.memory": "512m"}, small=True) as session:
        yield session


@pytest.fixture(scope="module")
def engine(spark: SparkSession) -> Trace:
    def trace(workspace: Workspace, asked: Job, tell: Tell) -> None:
        with_spark.trace_in(spark, workspace, asked, tell)

    return trace


@pytest.mark.parametrize(("dwell", "hops"), [(5, 3), (1_441, 2)])
def test_spark_gives_what_the_definition_says(engine: Trace, dwell: int, hops: int, tmp_path: Path) -> None:
    visits, cases = crowded(dwell)
    asked = job(*write(tmp_path, visits, cases), dwell=dwell, hops=hops)

    expected = traced(visits, cases, dwell, hops)

    assert rows(engine, asked) == expected
    assert rows(with_arrays, asked) == expected
    assert {row[1] for row in expected[1:]} >= {"1", "2"}


def test_spark_reads_parquet_itself_with_the_types_it_has(engine: Trace, tmp_path: Path) -> None:
    folder = tmp_path / "days *[1]"
    folder.mkdir()
    with duckdb.connect() as connection:
        for name, person, instant in (
            ("text", "'10'", "' 2022-09-01T16:00:59+08:00'"),
            ("more", "'9'", "'1662019800'"),
            ("early", "'8'", "'-0.5'"),
        ):
            connection.execute(f"copy (select {person} person, 5 venue, {instant} \"at\") to '{folder}/{name}.parquet'")
    (tmp_path / "C.csv").write_text("person,from,to\n10,2022-09-01,2022-09-02\n", encoding="utf-8")
    asked = job(folder, tmp_path / "C.csv", dwell=11)

    found = rows(engine, asked)

    assert found[1:] == [["9", "1", "2022-09-01T08:10:00Z", "10", "5"]]
    assert rows(with_arrays, asked) == found


def test_a_result_may_lie_among_the_visits(engine: Trace, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        for name in ("a", "b"):
            connection.execute(f"copy (select '{name}' person, 'v' venue, 0 \"at\") to '{tmp_path}/{name}.parquet'")
    (tmp_path / "C.csv").write_text("person,from,to\na,0,60\n", encoding="utf-8")
    asked = structs.replace(job(tmp_path, tmp_path / "C.csv"), out=tmp_path / "OUT.csv")

    assert rows(engine, asked)[1:] == [["b", "1", "1970-01-01T00:00:00Z", "a", "v"]]


def test_who_answers_an_interruption_is_not_spark(spark: SparkSession) -> None:
    assert spark.sparkContext.applicationId
    # Whoever ran before in this process may answer it; PySpark would put a handler of its own in place.
    assert "spark" not in str(getattr(signal.getsignal(signal.SIGINT), "__module__", ""))


def test_parquet_that_spark_finds_wanting_is_refused(engine: Trace, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 'a' person, 'v' venue, 'soon' \"at\") to '{tmp_path}/V.parquet'")
    (tmp_path / "C.csv").write_text("person,from,to\na,0,1\n", encoding="utf-8")

    with pytest.raises(TraceFileInvalidError) as refused:
        rows(engine, job(tmp_path / "V.parquet", tmp_path / "C.csv"))

    assert "1 of them" in refused.value.faults[0].en
    assert sorted(path.name for path in tmp_path.iterdir()) == ["C.csv", "V.parquet"]


def test_instants_mean_the_same_to_spark(spark: SparkSession) -> None:
    texts = [*INSTANTS, *NO_INSTANTS]
    given = ", ".join(f"({number}, unbase64('{_base64(text)}'))" for number, text in enumerate(texts))

    found = spark.sql(
        f"select {within('minute')} as minute from (select number, {minute_expression('text', SPARK)} as minute from "  # noqa: S608
        f"(select number, trim(decode(bytes, 'utf-8')) as text from values {given} as given(number, bytes))) "
        "order by number"
    ).collect()

    assert [row["minute"] for row in found] == [minute_of(text) for text in texts]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
