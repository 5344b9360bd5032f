"""The repository as these tests see it: tracked and new files, and their syntax trees, read once."""

from __future__ import annotations

import ast
import functools
import subprocess
from pathlib import Path

from tianfu.platform.settings import PROJECT_ROOT

SOURCE = PROJECT_ROOT / "src" / "tianfu"


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that is tracked or about to be: not the ignored ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=True).stdout
    paths = (PROJECT_ROOT / name for name in listed.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(folder: str) -> list[Path]:
    """The Python files below a folder of the repository."""
    return [path for path in files() if path.suffix == ".py" and path.is_relative_to(PROJECT_ROOT / folder)]


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """The path as it reads from the top of the repository."""
    return path.relative_to(PROJECT_ROOT).as_posix()


def module(path: Path) -> str:
    """`tianfu.platform.settings` for src/tianfu/platform/settings.py."""
    return ".".join(path.relative_to(PROJECT_ROOT / "src").with_suffix("").parts)
