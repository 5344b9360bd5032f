"""Rules about the code that no linter knows: one clock, SQL in its places, sizes, and logs without personal data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import SOURCE, name, python_files, tree
from tianfu.platform.observe import ALLOWED_FIELDS

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
# A ratchet: half of the files are this short, nine of ten this long at most. The figures may only go down.
FILE_LINES_MEDIAN_MAX = 150
FILE_LINES_NINE_OF_TEN_MAX = 300

CLOCK_CALLS = {
    *(
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "datetime.datetime.now",
        "datetime.date.today",
    ),
    *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns"),
    *("time.thread_time", "time.process_time"),
}
SQL = re.compile(
    r"\b(select\s+.+\s+from|insert\s+into|update\s+\w+\s+set|delete\s+from|create\s+table|truncate\s+\w+|copy\s+\w+)\b",
    re.IGNORECASE | re.DOTALL,
)
SQL_FILES = {
    *("access/accounts.py", "audit/trail.py", "audit/verify.py", "feeds/quarantine.py"),
    *("platform/migrate.py", "platform/leases.py", "platform/jobs.py", "platform/database.py"),
}
LOG_METHODS = {"info", "warning", "error"}
NOT_FIELDS = {"exc_info"}


def python_source() -> list[str]:
    return [name(path) for path in python_files("src")]


def test_only_the_clock_reads_the_time() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path in python_files("src")
        if path != SOURCE / "clock.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCK_CALLS
    ]
    assert found == []


def test_sql_stands_only_in_stores() -> None:
    found = []
    for path in python_files("src"):
        inside = path.relative_to(SOURCE).as_posix()
        if path.name == "store.py" or path.name.endswith("_store.py") or inside in SQL_FILES:
            continue
        documentation = {id(node) for node in docstrings(tree(path))}
        found += [
            f"{name(path)}:{node.lineno}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
            and SQL.search(node.value)
        ]
    assert found == []


def docstrings(module: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Constant)
        ):
            yield node.body[0].value


def test_no_file_is_too_long() -> None:
    too_long = {}
    for folder, most in (
        ("src", FILE_LINES_MAX),
        ("bench", FILE_LINES_MAX),
        ("scripts", FILE_LINES_MAX),
        ("tests", TEST_FILE_LINES_MAX),
    ):
        for path in python_files(folder):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > most:
                too_long[name(path)] = lines
    assert too_long == {}


def test_files_stay_short_on_the_whole() -> None:
    lines = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in python_files("src"))
    written = [count for count in lines if count]
    assert written[len(written) // 2] <= FILE_LINES_MEDIAN_MAX
    assert written[len(written) * 9 // 10] <= FILE_LINES_NINE_OF_TEN_MAX


@pytest.mark.parametrize("folder", ["src", "bench", "scripts", "tests"])
def test_no_function_is_too_long(folder: str) -> None:
    too_long = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in python_files(folder)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert too_long == []


def test_no_log_call_names_a_field_outside_the_list() -> None:
    found = []
    for path in python_files("src"):
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            receiver = ast.unparse(node.func.value)
            if node.func.attr not in LOG_METHODS or receiver.rsplit(".", 1)[-1].lstrip("_") != "log":
                continue
            named = {keyword.arg for keyword in node.keywords}
            if None in named or not named <= ALLOWED_FIELDS or not isinstance(node.args[0], ast.Constant):
                found.append(f"{name(path)}:{node.lineno}")
    assert found == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|pytest\.(mark\.)?(skip|xfail)")
    found = [
        f"{name(path)}:{number}"
        for folder in ("src", "tests", "bench", "scripts")
        for path in python_files(folder)
        if path.name != "test_source.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if later.search(line)
    ]
    assert found == []


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    found = [path for path in python_source() if drawers & set(path.removesuffix(".py").split("/"))]
    assert found == []
