"""Spark on a cluster of processes, the way it is used beyond one machine."""

from __future__ import annotations

import gc
import os
import warnings
from pathlib import Path

import pytest

from tests.support import spark_cluster
from tests.support.naive_tracing import Case, Visit, traced
from tests.support.plain_files import crowded, job, rows, write
from tianfu.tracing.files import with_spark
from tianfu.tracing.files.refused import SparkFailedError
from tianfu.tracing.files.run import with_arrays

pytestmark = pytest.mark.slow


def test_the_same_on_a_cluster_of_a_master_and_two_workers(tmp_path: Path) -> None:
    visits, cases = crowded(5)
    asked = job(*write(tmp_path, visits, cases), dwell=7, hops=2)
    settings = {
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.executor.extraJavaOptions": " ".join(spark_cluster.QUICK_JAVA),
        # All that was registered takes part before the first task is given out.
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
    }
    (tmp_path / "cluster").mkdir()

    with spark_cluster.running(tmp_path / "cluster") as master:
        found = rows(with_spark.tracer(master, settings), asked)
        executors = [*(tmp_path / "cluster").glob("work-*/app-*/*/stderr")]

    assert found == rows(with_arrays, asked) == traced(visits, cases, 7, 2)
    assert len(executors) == spark_cluster.WORKERS


def test_a_java_that_does_not_start_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = job(*write(tmp_path, [Visit("a", "v", 0)], [Case("a", 0, 1)]))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    environment = dict(os.environ)

    with warnings.catch_warnings():
        # PySpark leaves its end of the pipe to a process that never was to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(SparkFailedError, match="does not start") as failed:
            rows(with_spark.tracer("local[1]", {}), asked)
        said = [fault.en for fault in failed.value.faults]
        del failed
        gc.collect()

    assert any("no-java" in line for line in said)
    assert dict(os.environ) == environment
    assert sorted(path.name for path in tmp_path.iterdir()) == ["C.csv", "V.csv"]
