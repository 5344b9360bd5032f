"""Whether each department still delivers: a late, an empty or a suddenly halved feed raises an alert.

Expected is what a contract states (`every_hours`) of every feed and source that delivered once. The worker calls
`tend` each minute; alerts stand in a table until what they are about is over, and each change is one line in the log.
"""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.feeds import freshness_store
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.freshness_store import Delivery
from tianfu.platform.database import Database, Purpose, Read
from tianfu.platform.observe import Log

LATE: Final = "late"
EMPTY: Final = "empty"
HALVED: Final = "halved"

# A feed may be half of its usual interval late before anybody is woken: nobody delivers to the minute.
LATE_FACTOR: Final = 1.5
# The last batch is compared with the median of so many before it, and of no fewer than these.
USUAL_BATCHES: Final = 7
USUAL_BATCHES_MIN: Final = 3


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One feed of one source: its last batch, how old that is, its rows against the usual, and what is wrong.

    `usual_rows` is None until there are enough batches to say; `every_hours` None where nothing is expected.
    """

    feed: str
    source: str
    last_at: datetime
    age_seconds: int
    every_hours: int | None
    rows: int
    usual_rows: float | None
    alerts: tuple[str, ...]


def status(read: Read, at: datetime) -> list[FeedStatus]:
    """Every feed and source that ever delivered, by name. Feeds whose contract is gone are left out."""
    found = freshness_store.latest(read, USUAL_BATCHES + 1)
    return [_status(delivery, at) for delivery in found if delivery.feed in CONTRACTS]


def tend(database: Database, log: Log, at: datetime) -> None:
    """Raise what has become an alert, end what is over, and say each in the log. Harmless to repeat."""
    with database.read(Purpose.WORKER) as read:
        wanted = {(item.feed, item.source, kind) for item in status(read, at) for kind in item.alerts}
        standing = {(item.feed, item.source, item.kind) for item in freshness_store.open_alerts(read)}
    if wanted == standing:
        return
    with database.write(Purpose.WORKER) as write:
        for feed, source, kind in sorted(wanted - standing):
            freshness_store.raise_alert(write, feed, source, kind, at)
        for feed, source, kind in sorted(standing - wanted):
            freshness_store.end_alert(write, feed, source, kind, at)
    for feed, source, kind in sorted(wanted - standing):
        log.warning("a feed is not as expected", feed=feed, key=source, status=kind)
    for feed, source, kind in sorted(standing - wanted):
        log.info("a feed is as expected again", feed=feed, key=source, status=kind)


def _status(delivery: Delivery, at: datetime) -> FeedStatus:
    every_hours = CONTRACTS[delivery.feed].every_hours
    last_at, rows, before = delivery.received[0], delivery.rows[0], delivery.rows[1:]
    usual = statistics.median(before) if len(before) >= USUAL_BATCHES_MIN else None
    alerts = []
    if every_hours is not None and at - last_at > timedelta(hours=every_hours * LATE_FACTOR):
        alerts.append(LATE)
    if rows == 0:
        alerts.append(EMPTY)
    elif usual is not None and rows * 2 < usual:
        alerts.append(HALVED)
    return FeedStatus(
        feed=delivery.feed,
        source=delivery.source,
        last_at=last_at,
        age_seconds=int((at - last_at).total_seconds()),
        every_hours=every_hours,
        rows=rows,
        usual_rows=usual,
        alerts=tuple(alerts),
    )
