"""Rows kept as columns: a named tuple of arrays of one length. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

_Rows = TypeVar("_Rows", bound=NamedTuple)


def taken(rows: _Rows, which: NDArray[Any]) -> _Rows:
    """The rows that `which` says, by position or by truth."""
    return rows._make(column[which] for column in rows)


def joined(parts: Sequence[_Rows]) -> _Rows:
    """The rows of all `parts`, one after the other; at least one part."""
    return parts[0]._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
