"""Why a run of `tianfu trace files` is refused. Sentences name file, line and field, never what stands there."""

from __future__ import annotations

from pathlib import Path

from tianfu.errors import Fault, TianfuError


class TraceFileInvalidError(TianfuError):
    """A file cannot be read or does not hold what was promised; `faults` names the first lines and fields."""

    code = "trace_file_invalid"
    status = 422
    zh = "文件不符合要求。"
    en = "A file does not hold what it must."

    @classmethod
    def of(cls, path: Path, *faults: Fault) -> TraceFileInvalidError:
        """The error for `path`, with what is wrong in it."""
        return cls(zh=f"{path} 不符合要求：", en=f"{path} cannot be used:", faults=faults)


class TraceTooLargeError(TianfuError):
    """More people, venues or work than this engine can hold on this machine."""

    code = "trace_too_large"
    status = 422
    zh = "数据超过这种引擎在本机的上限。"
    en = "This is more than the engine can hold on this machine."


class TraceOutputError(TianfuError):
    """The result cannot be written; a file that stood there before is as it was."""

    code = "trace_output_failed"
    status = 500
    zh = "无法写入结果文件。"
    en = "The result cannot be written."


class SparkMissingError(TianfuError):
    """The Spark engine was asked for and its packages are not installed."""

    code = "spark_missing"
    status = 501
    zh = "尚未安装 Spark 引擎，请先运行：make spark"
    en = "The Spark engine is not installed; run: make spark"


class SparkFailedError(TianfuError):
    """Spark did not start, lost its workers, or gave up."""

    code = "spark_failed"
    status = 502
    zh = "Spark 运行失败。"
    en = "Spark could not finish."


def missing(column: str) -> Fault:
    """A column that the first line does not name."""
    return Fault(column, "missing_column", "首行中没有这一列", "no such column in the first line")


def doubled(column: str) -> Fault:
    """A column that is named twice."""
    return Fault(column, "doubled_column", "首行中有多个同名列", "named more than once in the first line")


def empty(where: str) -> Fault:
    """A field in which nothing stands."""
    return Fault(where, "empty", "不能为空", "must not be empty")


def no_instant(where: str) -> Fault:
    """A field that is no instant."""
    return Fault(
        where,
        "instant",
        "不是有效时刻：应为 ISO 8601（如 2022-09-01T08:00:00+08:00）或 Unix 秒数，公元 1 年至 5999 年",
        "is no instant: ISO 8601 (such as 2022-09-01T08:00:00+08:00) or Unix seconds, years 1 to 5999",
    )


def backwards(where: str) -> Fault:
    """A period that ends before it begins."""
    return Fault(where, "backwards", "from 晚于 to", "`from` is after `to`")


def unreadable(where: str, zh: str, en: str) -> Fault:
    """A line or file that cannot be taken apart."""
    return Fault(where, "unreadable", zh, en)
