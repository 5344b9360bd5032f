"""The engine for more than one machine: PySpark, on all cores of this one or on a cluster.

Only this module, `java` and `spark_store` import Spark's packages, and only `tianfu trace files --engine spark` imports
them. CSV is read and checked by DuckDB and given to Spark as Parquet in the workspace, which the workers must see as
they see the result's folder; visits that are Parquet already are read by Spark alone, wherever they are large.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from tianfu.errors import Fault
from tianfu.tracing.files import java, reading, spark_store, writing_store
from tianfu.tracing.files.model import VISIT_COLUMNS, Job, Tell, is_parquet
from tianfu.tracing.files.reading_store import VISITS
from tianfu.tracing.files.refused import SparkFailedError, TraceFileInvalidError
from tianfu.tracing.files.run import Trace
from tianfu.tracing.files.workspace import Workspace

LOOPBACK: Final = "127.0.0.1"
# Sorting ten million visits on one machine; a cluster's driver only plans.
DRIVER_MEMORY: Final = "2g"
# Below this Spark spends its time compiling what then runs for a moment; it takes a quarter of it without.
SMALL_BYTES: Final = 64 * 1024 * 1024
_SMALL: Final = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "2",
}
# Spark's own figure of 200 suits a cluster; on one machine most of them would be empty.
LOCAL_PARTITIONS: Final = 8

_LOGGING: Final = """\
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1}: %m%n
"""


def tracer(master: str, settings: Mapping[str, str]) -> Trace:
    """An engine that works on `master` (`local[*]`, `spark://host:port`), with Spark's own `settings` on top."""

    def trace(workspace: Workspace, job: Job, tell: Tell) -> None:
        tell("starting Spark")
        with session(workspace.folder, master, settings, small=_bytes(job.visits) < SMALL_BYTES) as spark:
            trace_in(spark, workspace, job, tell)

    return trace


def trace_in(spark: SparkSession, workspace: Workspace, job: Job, tell: Tell) -> None:
    """Fill the table `found` of the workspace. Raises `TraceFileInvalidError`, `SparkFailedError`."""
    folder, connection = workspace
    reading.load_cases(workspace, job.cases)
    spark_store.export(connection, "cases", folder / "cases.parquet")
    checked = not is_parquet(job.visits)
    tell("reading visits")
    if checked:
        reading.load_visits(workspace, job.visits)
        spark_store.export(connection, "visits", folder / "visits.parquet")
    else:
        reading.parquet_columns(workspace, job.visits, VISITS, VISIT_COLUMNS)
    writing_store.make_found(connection)
    folders: list[Path] = []
    try:
        visits = folder / "visits.parquet" if checked else job.visits
        wrong = spark_store.give_visits(spark, visits, job.dwell_minutes, checked=checked)
        if wrong:
            raise TraceFileInvalidError.of(job.visits, reading.in_rows(wrong))
        spark_store.give_cases(spark, folder / "cases.parquet")
        for hop in range(1, job.hops + 1):
            folders.append(folder / f"hop-{hop}")
            people = spark_store.write_hop(spark, hop, job.dwell_minutes, folders[-1])
            tell(f"hop {hop}: {people:,} people")
            if not people:
                break
    except (PySparkException, Py4JError) as error:
        raise SparkFailedError(
            zh="Spark 运行失败，请查看 Spark 的日志。", en="Spark could not finish; its logs say why."
        ) from error
    spark_store.take(connection, folders)


@contextlib.contextmanager
def session(folder: Path, master: str, settings: Mapping[str, str], *, small: bool) -> Iterator[SparkSession]:
    """A Spark session whose Java runs only as long as the block. One at a time in a process.

    `small` spares what only pays with much data.

    Raises `SparkFailedError` when Spark does not start.
    """
    if SparkContext._active_spark_context is not None:  # noqa: SLF001 - or PySpark gives the other one, silently
        message = "one Spark session at a time in a process"
        raise RuntimeError(message)
    log = folder / "spark.log"
    environment = _environment(folder, master)
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with _standard_error_to(log):
            spark = _builder(folder, master, settings, small=small).getOrCreate()
    except Exception as error:
        _end_java()
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
        raise SparkFailedError(
            zh="Spark 无法启动。",
            en="Spark does not start.",
            faults=tuple(Fault("spark", "log", line, line) for line in said[-3:]),
        ) from error
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    try:
        yield spark
    finally:
        with contextlib.suppress(PySparkException, Py4JError, OSError):
            spark.stop()
        _end_java()


def _environment(folder: Path, master: str) -> dict[str, str]:
    environment = {"PYSPARK_PYTHON": sys.executable}
    if not os.environ.get("JAVA_HOME"):
        environment["JAVA_HOME"] = str(java.bundled_home(folder))
    if _on_loopback(master):
        environment["SPARK_LOCAL_IP"] = LOOPBACK
    return environment


def _on_loopback(master: str) -> bool:
    return master.startswith("local") or urlsplit(master).hostname in {LOOPBACK, "localhost"}


def _builder(folder: Path, master: str, settings: Mapping[str, str], *, small: bool) -> SparkSession.Builder:
    logging = folder / "log4j2.properties"
    logging.write_text(_LOGGING, encoding="utf-8")
    configured = {
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.local.dir": str(folder / "spark"),
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if _on_loopback(master):
        configured |= {"spark.driver.bindAddress": LOOPBACK, "spark.driver.host": LOOPBACK}
    if master.startswith("local"):
        configured["spark.sql.shuffle.partitions"] = str(LOCAL_PARTITIONS)
    configured |= (_SMALL if small else {}) | dict(settings)
    options = "spark.driver.extraJavaOptions"
    configured[options] = f"-Dlog4j2.configurationFile={logging.as_uri()} {configured.get(options, '')}".strip()
    builder = SparkSession.builder.appName("tianfu trace files").master(master)
    for name, value in configured.items():
        builder = builder.config(name, value)
    return builder


def _bytes(path: Path) -> int:
    files = path.rglob("*.parquet") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.exists())


@contextlib.contextmanager
def _standard_error_to(path: Path) -> Iterator[None]:
    """What processes started in the block say on standard error goes to a file: Java greets with a dozen lines."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with path.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _end_java() -> None:
    """End the Java that PySpark keeps for the life of the process, and forget it, so that another can be started."""
    gateway = SparkContext._gateway  # noqa: SLF001 - PySpark has no public way to end its Java
    if gateway is None:
        return
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001 - the same
    gateway.shutdown()
    process = gateway.proc
    process.stdin.close()
    process.wait()
