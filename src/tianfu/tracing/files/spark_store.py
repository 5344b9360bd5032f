"""The same definition in Spark's SQL: stays are put into buckets of W minutes, so that a join on equal keys finds them.

Two starts less than W minutes apart lie in one bucket or in neighbouring ones. What one hop found is written as Parquet
and read again, so that no hop is computed twice and any number of them costs the same.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import duckdb
from pyspark.sql import SparkSession

from tianfu.tracing.files.instants import SECONDS_MAX, SPARK, minute_expression, minutes_of_seconds, within

_WHOLE: Final = ("tinyint", "smallint", "int", "bigint")
_TIMESTAMPS: Final = ("timestamp", "timestamp_ntz", "date")

_VISITS: Final = """
select person, venue, minute, (minute - pmod(minute, {dwell})) div {dwell} as bucket
from (
    select person, venue, cast({within} as bigint) as minute
    from (select {person} as person, {venue} as venue, {minute} as minute from visits_given)
)
"""
_FIRST_STARTS: Final = """
select distinct visits.person, visits.venue, visits.minute, visits.bucket
from visits join cases on visits.person = cases.person and visits.minute >= cases.since and visits.minute < cases.until
"""
_NEXT_STARTS: Final = """
select distinct visits.person, visits.venue, visits.minute, visits.bucket
from visits join last_found on visits.person = last_found.person and visits.minute >= last_found.minute
where visits.minute < (select max(until) from cases)
"""
_MEET: Final = """
select person, {hop} as hop, first.minute as minute, first.source as source, first.venue as venue
from (
    select others.person, min(struct(
        greatest(starts.minute, others.minute) as minute, starts.person as source, starts.venue as venue)) as first
    from (select person, venue, minute, explode(array(bucket - 1, bucket, bucket + 1)) as near from starts) starts
    join (
        select visits.* from visits
        left anti join cases on visits.person = cases.person
        left anti join found on visits.person = found.person
    ) others
    on starts.venue = others.venue and starts.near = others.bucket and abs(starts.minute - others.minute) < {dwell}
    group by others.person
)
"""


def give_visits(spark: SparkSession, path: Path, dwell_minutes: int, *, checked: bool) -> int:
    """Make the view `visits` of Parquet; how many rows are not as they must be.

    `checked` Parquet has the columns person, venue, minute and was read before; any other has person, venue, at.
    """
    given = spark.read.option("recursiveFileLookup", "true").option("pathGlobFilter", "*.parquet").parquet(plain(path))
    given.createOrReplaceTempView("visits_given")
    if checked:
        expressions = {"person": "person", "venue": "venue", "minute": "minute"}
    else:
        expressions = {name: f"nullif(cast(`{name}` as string), '')" for name in ("person", "venue")}
        expressions["minute"] = _instant("`at`", given.schema["at"].dataType.simpleString())
    spark.sql(_VISITS.format(dwell=dwell_minutes, within=within("minute"), **expressions)).createOrReplaceTempView(
        "visits"
    )
    if checked:
        return 0
    counted = spark.sql(
        "select count(*) as wrong from visits where person is null or venue is null or minute is null"
    ).first()
    return int(counted["wrong"]) if counted else 0


def give_cases(spark: SparkSession, path: Path) -> None:
    """Make the view `cases` of checked Parquet: person, since, until."""
    spark.read.parquet(plain(path)).createOrReplaceTempView("cases")


def write_hop(spark: SparkSession, hop: int, dwell_minutes: int, folder: Path) -> int:
    """Find the people of one hop and write them to `folder`; how many they are.

    The views `visits` and `cases` were given; hops are asked for in order from 1, with a folder for each.
    """
    if hop == 1:
        spark.sql(
            "select '' as person, 0 as hop, 0L as minute, '' as source, '' as venue where false"
        ).createOrReplaceTempView("found")
    spark.sql(_FIRST_STARTS if hop == 1 else _NEXT_STARTS).createOrReplaceTempView("starts")
    spark.sql(_MEET.format(hop=hop, dwell=dwell_minutes)).write.parquet(folder.as_uri())
    reached = spark.read.parquet(plain(folder))
    people = reached.count()
    reached.createOrReplaceTempView("last_found")
    spark.table("found").unionByName(reached).createOrReplaceTempView("found")
    return people


def export(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Write a table of DuckDB as Parquet for Spark."""
    literal = str(path).replace("'", "''")
    connection.execute(f"copy {table} to '{literal}' (format parquet)")


def take(connection: duckdb.DuckDBPyConnection, folders: list[Path]) -> None:
    """Add what the hops wrote to the table `found`."""
    for folder in folders:
        files = [str(file) for file in sorted(folder.glob("*.parquet"))]
        connection.execute(
            "insert into found select person, hop, minute, source, venue from read_parquet($files)", {"files": files}
        )


def plain(path: Path) -> str:
    """The path in Spark's words, where some characters would otherwise stand for others."""
    return "file://" + re.sub(r"([*?\[\]{}\\])", r"\\\1", str(path.absolute()))


def _instant(column: str, kind: str) -> str:
    if kind == "string":
        return minute_expression(f"trim({column})", SPARK)
    if kind in _TIMESTAMPS:
        seconds = f"unix_seconds(cast({column} as timestamp))"
    else:
        seconds = f"try_cast({column} as bigint)" if kind in _WHOLE else f"try_cast(floor({column}) as bigint)"
    bounded = f"(case when {seconds} between -{SECONDS_MAX} and {SECONDS_MAX} then {seconds} end)"
    return minutes_of_seconds(bounded, SPARK)
