"""One run from two files to one, by one of the engines. The result appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable

from tianfu.tracing.files import arrays, duckdb_store, reading, writing_store
from tianfu.tracing.files.model import Job, Tell
from tianfu.tracing.files.refused import TraceOutputError
from tianfu.tracing.files.workspace import Workspace, opened

# Fills the table `found` of the workspace from the files of the job.
Trace = Callable[[Workspace, Job, Tell], None]


def with_arrays(workspace: Workspace, job: Job, tell: Tell) -> None:
    """Read both files and trace with sorted arrays."""
    _read(workspace, job, tell)
    arrays.trace(workspace, job, tell)


def with_duckdb(workspace: Workspace, job: Job, tell: Tell) -> None:
    """Read both files and trace with joins in DuckDB."""
    _read(workspace, job, tell)
    writing_store.make_found(workspace.connection)
    duckdb_store.trace(workspace, job, tell)


def run(job: Job, trace: Trace, tell: Tell) -> int:
    """Do the job; how many people the result names. A second run does the same again.

    Raises `TraceFileInvalidError`, `TraceTooLargeError`, `TraceOutputError` and what the engine raises; then whatever
    stood at `job.out` is as it was.
    """
    if job.out.is_dir():
        raise TraceOutputError(zh=f"{job.out} 是文件夹。", en=f"{job.out} is a folder.")
    with opened(job.out) as workspace:
        trace(workspace, job, tell)
        tell("writing")
        part = workspace.folder / "out.csv"
        people = writing_store.export(workspace.connection, part)
        try:
            part.replace(job.out)
        except OSError as error:
            raise TraceOutputError(
                zh=f"无法写入 {job.out}。", en=f"{job.out} cannot be written: {os.strerror(error.errno or 0)}."
            ) from error
    return people


def _read(workspace: Workspace, job: Job, tell: Tell) -> None:
    # The small file first: what is wrong in it is told at once.
    tell("reading cases")
    reading.load_cases(workspace, job.cases)
    tell("reading visits")
    reading.load_visits(workspace, job.visits)
