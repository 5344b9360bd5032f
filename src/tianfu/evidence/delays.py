"""How old records are when they reach us and when they have become a status, counted for each department.

Only counts in buckets are kept, a row for each day, source, stage and bucket: nothing about a person, and one small
write for each batch. A bucket is an eighth of a doubling, so a figure read from them is at most 9 % too large.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Final

import msgspec

from tianfu.evidence import delay_store
from tianfu.platform.database import Read, Write

EVENT_TO_RECEIPT: Final = "event_to_receipt"
RECEIPT_TO_STATUS: Final = "receipt_to_status"

_SHANGHAI: Final = timezone(timedelta(hours=8))
_BUCKETS_A_DOUBLING: Final = 8
# 8 × log2(1000 ms × 86,400 s × 365 d × 30 y) = 318: anything older is counted with the oldest.
BUCKET_MAX: Final = 320
_MEDIAN: Final = 0.5
_P99: Final = 0.99


class Delay(msgspec.Struct, frozen=True):
    """How long one stage took for one department's records: how many there were, median and 99th percentile."""

    source: str
    stage: str
    count: int
    median_seconds: float
    p99_seconds: float


def note_receipt(write: Write, source: str, occurred: Sequence[datetime], received_at: datetime) -> None:
    """Count how long ago each of `occurred` was when a batch of `source` was received."""
    counts = Counter(bucket_of((received_at - at).total_seconds()) for at in occurred)
    _add(write, EVENT_TO_RECEIPT, {(source, bucket): count for bucket, count in counts.items()}, received_at)


def note_status(write: Write, received: Iterable[tuple[str, datetime]], decided_at: datetime) -> None:
    """Count how long ago each statement (its source, its receipt) came when it had become part of a status."""
    counts = Counter((source, bucket_of((decided_at - at).total_seconds())) for source, at in received)
    _add(write, RECEIPT_TO_STATUS, counts, decided_at)


def _add(write: Write, stage: str, counts: Mapping[tuple[str, int], int], at: datetime) -> None:
    if counts:
        ordered = sorted((source, bucket, count) for (source, bucket), count in counts.items())
        delay_store.add(write, at.astimezone(_SHANGHAI).date(), stage, ordered)


def report(read: Read, first: date) -> list[Delay]:
    """The delays of the days from `first` (of Asia/Shanghai) on, by source and stage."""
    buckets: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for source, stage, bucket, count in delay_store.since(read, first):
        buckets.setdefault((source, stage), []).append((bucket, count))
    return [
        Delay(
            source,
            stage,
            sum(count for _, count in counted),
            _percentile(counted, _MEDIAN),
            _percentile(counted, _P99),
        )
        for (source, stage), counted in buckets.items()
    ]


def bucket_of(seconds: float) -> int:
    """The bucket of a delay; what came before it happened (clocks differ) counts as no delay."""
    milliseconds = seconds * 1000
    if milliseconds <= 1:
        return 0
    return min(BUCKET_MAX, math.ceil(_BUCKETS_A_DOUBLING * math.log2(milliseconds)))


def seconds_of(bucket: int) -> float:
    """The longest delay that falls into the bucket."""
    return float(2 ** (bucket / _BUCKETS_A_DOUBLING)) / 1000


def _percentile(counted: Sequence[tuple[int, int]], share: float) -> float:
    """The delay that `share` of them do not exceed; `counted` ascending by bucket."""
    wanted = share * sum(count for _, count in counted)
    reached = 0
    for bucket, count in counted:
        reached += count
        if reached >= wanted:
            return seconds_of(bucket)
    return 0.0
