"""`tianfu trace files`: the plain definition on plain files, by one of three engines."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Final

import click

from tianfu.tracing.files.model import DWELL_MINUTES_MAX, HOPS_MAX, Engine, Job
from tianfu.tracing.files.refused import SparkMissingError
from tianfu.tracing.files.run import Trace, run, with_arrays, with_duckdb

_EPILOG: Final = """\b
Examples:
  tianfu trace files --visits V.csv --cases C.csv --dwell-minutes 30 --hops 2 --out OUT.csv
  tianfu trace files --visits V.parquet --cases C.csv --dwell-minutes 30 --hops 2 --out OUT.csv \\
      --engine spark --spark-master spark://head:7077

\b
V: person,venue,at      any texts; instants ISO 8601 (UTC without an offset) or Unix seconds
C: person,from,to       the infectious period, `to` not included; several rows a person
OUT: person,hop,first_exposed_at,source_person,venue

All instants are floored to whole minutes, UTC. All engines give the same rows. See docs/trace-files.md.
"""

_FILE: Final = click.Path(path_type=Path)


@click.command(epilog=_EPILOG, short_help="Trace from two plain files, without a database.")
@click.option("--visits", required=True, type=_FILE, help="Who was where when: CSV, Parquet, or a folder of Parquet.")
@click.option("--cases", required=True, type=_FILE, help="Who was infectious when: CSV or Parquet.")
@click.option(
    "--dwell-minutes", required=True, type=click.IntRange(1, DWELL_MINUTES_MAX), help="How long a stay is taken to be."
)
@click.option("--hops", required=True, type=click.IntRange(1, HOPS_MAX), help="1: contacts; 2: and their contacts; …")
@click.option("--out", required=True, type=_FILE, help="The result, replaced only when it is complete.")
@click.option(
    "--engine",
    type=click.Choice([engine.value for engine in Engine]),
    default=Engine.ARRAYS.value,
    show_default=True,
    help="What computes it.",
)
@click.option("--spark-master", default="local[*]", show_default=True, help="Where Spark runs.")
@click.option("--spark-conf", multiple=True, metavar="NAME=VALUE", help="A setting of Spark's own; any number of them.")
def command(
    *,
    visits: Path,
    cases: Path,
    dwell_minutes: int,
    hops: int,
    out: Path,
    engine: str,
    spark_master: str,
    spark_conf: tuple[str, ...],
) -> None:
    """Everybody whom the cases of one file reached through the visits of another, hop by hop."""
    job = Job(visits=visits, cases=cases, out=out, dwell_minutes=dwell_minutes, hops=hops)
    people = run(job, _tracer(Engine(engine), spark_master, spark_conf), _tell)
    if sys.stderr.isatty():
        click.echo(f"{people:,} people in {out}", err=True)


def _tracer(engine: Engine, spark_master: str, spark_conf: tuple[str, ...]) -> Trace:
    if engine is Engine.ARRAYS:
        return with_arrays
    if engine is Engine.DUCKDB:
        return with_duckdb
    if importlib.util.find_spec("pyspark") is None:
        raise SparkMissingError
    from tianfu.tracing.files.with_spark import tracer

    settings = dict(one.partition("=")[::2] for one in spark_conf)
    return tracer(spark_master, settings)


def _tell(step: str) -> None:
    # Only for somebody who watches; a script's log is not filled with it.
    if sys.stderr.isatty():
        click.echo(step, err=True)
