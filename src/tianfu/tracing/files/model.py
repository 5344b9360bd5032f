"""What is asked of `tianfu trace files`, its limits, and the definition that all three engines keep.

A row of V says that a person began a visit of a venue at an instant. All instants are floored to whole minutes, UTC. A
visit is the stay [at, at + W). Two stays at one venue meet when their starts are less than W minutes apart; the
exposure begins at the later start. Hop 1 is everybody whose visit meets a visit that a case starts in one of its
periods [from, to). Hop n + 1 is everybody whose visit meets a visit that a contact of hop n starts at or after that
contact's first exposure and before the latest `to` of all cases. Who is named in C is a case, also with an empty
period, and never a contact. A person stands once in the result: at the lowest hop, with the earliest exposure of that
hop. Of several exposures in that minute the one from the smallest source counts, then from the smallest venue, compared
by code points.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

# A stay of a year: what meets more than that meets everything.
DWELL_MINUTES_MAX: Final = 366 * 1_440
# A chain ends by itself where nobody new is reached; this only bounds the loop.
HOPS_MAX: Final = 1_000

VISIT_COLUMNS: Final = ("person", "venue", "at")
CASE_COLUMNS: Final = ("person", "from", "to")
OUT_COLUMNS: Final = ("person", "hop", "first_exposed_at", "source_person", "venue")

# What a long run says while it works: one short English phrase a step.
Tell = Callable[[str], None]


class Engine(enum.Enum):
    """What computes: our sorted arrays, DuckDB's joins, or Spark's on one machine or many."""

    ARRAYS = "arrays"
    DUCKDB = "duckdb"
    SPARK = "spark"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run: two files in, one out. `visits` is a CSV file, a Parquet file or a folder of Parquet files."""

    visits: Path
    cases: Path
    out: Path
    dwell_minutes: int
    hops: int

    def __post_init__(self) -> None:
        """Refuse what no engine could keep to."""
        if not 1 <= self.dwell_minutes <= DWELL_MINUTES_MAX or not 1 <= self.hops <= HOPS_MAX:
            message = f"a stay of 1 to {DWELL_MINUTES_MAX} minutes and 1 to {HOPS_MAX} hops"
            raise ValueError(message)


def is_parquet(path: Path) -> bool:
    """Whether `path` is read as Parquet: by its ending, or because it is a folder of such files."""
    return path.is_dir() or path.suffix.lower() == ".parquet"
