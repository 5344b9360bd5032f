"""Write docs/errors.md from the classes of the error family: `.venv/bin/python scripts/errors.py`."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Final

import tianfu
from tianfu.errors import TianfuError

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "errors.md"
HEAD: Final = """# Errors

Every expected failure has a stable code. Programs get it as problem+json (RFC 9457): `type` is `urn:tianfu:error:` and
the code, `title` and `detail` are sentences in the language of `Accept-Language`, `faults` names every field that is
wrong. Commands print the sentence and end with exit code 2. The sentences below are the ordinary ones; an occasion may
have a better one.

This page is written by `scripts/errors.py` and checked by a test.

"""


def main() -> None:
    """Import everything and write one line for each code, in order."""
    for module in pkgutil.walk_packages(tianfu.__path__, "tianfu."):
        importlib.import_module(module.name)
    found: dict[str, type[TianfuError]] = {}
    waiting = [TianfuError]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.code, kind)
        waiting.extend(kind.__subclasses__())
    lines = [
        f"- `{code}` ({kind.status}): {sentence(kind, 'en')} {sentence(kind, 'zh')}".rstrip()
        for code, kind in sorted(found.items())
    ]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{PAGE.name}: {len(lines)} codes")


def sentence(kind: type[TianfuError], language: str) -> str:
    """The class's own sentence; without one, what the class says of itself, in English only."""
    own = kind.en if language == "en" else kind.zh
    ordinary = TianfuError.en if language == "en" else TianfuError.zh
    if own != ordinary or kind is TianfuError:
        return own
    return (kind.__doc__ or "").strip().splitlines()[0] if language == "en" else ""


if __name__ == "__main__":
    main()
