"""A real Spark cluster on loopback: a standalone master and workers, processes that are gone for sure at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyspark

from tests.support.ports import free_port
from tianfu.tracing.files.java import bundled_home

LOOPBACK = "127.0.0.1"
WORKERS = 2
UP_SECONDS_MAX = 120
END_SECONDS_MAX = 10
QUICK_JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """The master's address, once all workers have registered with it."""
    home = bundled_home(folder)
    port, screen = free_port(), free_port()
    master = f"spark://{LOOPBACK}:{port}"
    with contextlib.ExitStack() as stack:
        told = folder / "master.log"
        words = ["Master", "--host", LOOPBACK, "--port", str(port), "--webui-port", str(screen)]
        stack.enter_context(_process(home, folder, told, words))
        for number in range(WORKERS):
            words = ["Worker", "--host", LOOPBACK, "--webui-port", "0", "--cores", "1", "--memory", "600m"]
            words += ["--work-dir", str(folder / f"work-{number}"), master]
            stack.enter_context(_process(home, folder, folder / f"worker-{number}.log", words))
        _wait_for(told, "Registering worker", WORKERS)
        yield master


@contextlib.contextmanager
def _process(home: Path, folder: Path, log: Path, words: list[str]) -> Iterator[None]:
    spark = Path(pyspark.__file__).parent
    kind, *options = words
    environment = os.environ | {
        "JAVA_HOME": str(home),
        "SPARK_HOME": str(spark),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_DAEMON_MEMORY": "128m",
        "SPARK_DAEMON_JAVA_OPTS": " ".join(QUICK_JAVA),
        "SPARK_LOCAL_DIRS": str(folder),
    }
    command = [str(spark / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind.lower()}.{kind}", *options]
    with log.open("wb") as file:
        # A session of its own, so that what a worker starts ends with it.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
        # Executors that outlived their worker.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(log: Path, words: str, times: int) -> None:
    until = time.monotonic() + UP_SECONDS_MAX
    while (said := log.read_text(encoding="utf-8", errors="replace")).count(words) < times:
        assert time.monotonic() < until, said[-2_000:]
        time.sleep(0.1)
