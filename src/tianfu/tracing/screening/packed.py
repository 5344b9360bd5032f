"""Facts as bytes and back: what a screening worked on, kept so that any run can be made again. Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from tianfu.errors import TianfuError
from tianfu.tracing.screening.model import Facts

_SOURCES: Final = tuple(field for field in Facts._fields if field not in ("cases", "since", "judged"))
_CASES: Final = "cases"


class FactsBrokenError(TianfuError):
    """The stored facts of a screening cannot be read: start another screening."""

    code = "screening_facts_broken"
    status = 500
    zh = "该次筛查保存的数据无法读取，请重新开始筛查。"
    en = "What this screening worked on cannot be read; start another."


def pack(facts: Facts) -> dict[str, bytes]:
    """The arrays of each source, by its name. What the field judged is not in it: it has its own table."""
    packed = {name: _arrays(getattr(facts, name)._asdict()) for name in _SOURCES}
    packed[_CASES] = _arrays({"person": facts.cases, "since": np.array([facts.since], np.int64)})
    return packed


def unpack(packed: Mapping[str, bytes], empty: Facts) -> Facts:
    """What `pack` packed, with the judgements of `empty`. Raises `FactsBrokenError`."""
    try:
        cases = _read(packed[_CASES])
        sources = {name: type(getattr(empty, name))(**_read(packed[name])) for name in _SOURCES}
        return empty._replace(cases=cases["person"], since=int(cases["since"][0]), **sources)
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FactsBrokenError from error


def _arrays(columns: Mapping[str, Any]) -> bytes:
    sink = io.BytesIO()
    np.savez(sink, allow_pickle=False, **columns)
    return sink.getvalue()


def _read(body: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(body), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
