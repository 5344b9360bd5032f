"""SQL of feeds' deliveries and of the alerts about them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tianfu.platform.database import Read, Write


class Delivery(msgspec.Struct, frozen=True):
    """What one source delivered of one feed lately: the batches' receipts and rows, the latest first."""

    feed: str
    source: str
    received: tuple[datetime, ...]
    rows: tuple[int, ...]


class OpenAlert(msgspec.Struct, frozen=True, order=True):
    """An alert that stands, since when."""

    feed: str
    source: str
    kind: str
    since: datetime


def latest(read: Read, batches: int) -> list[Delivery]:
    """The last `batches` of every feed and source that ever delivered, rejected and withdrawn ones left out."""
    rows = read.rows(
        """
        with recursive sent (feed, source) as (
            (select feed, source from feed_batch order by feed, source limit 1)
            union all
            select next.feed, next.source from sent, lateral (
                select b.feed, b.source from feed_batch b
                where (b.feed, b.source) > (sent.feed, sent.source) order by b.feed, b.source limit 1
            ) as next
        )
        select sent.feed, sent.source, array_agg(l.received_at order by l.batch_id desc),
               array_agg(l.rows order by l.batch_id desc)
        from sent, lateral (
            select b.batch_id, b.received_at, b.rows from feed_batch b
            where b.feed = sent.feed and b.source = sent.source and b.state in ('loaded', 'held')
            order by b.batch_id desc limit %s
        ) as l
        group by sent.feed, sent.source
        order by sent.feed, sent.source
        """,
        (batches,),
    )
    return [Delivery(row[0], row[1], tuple(row[2]), tuple(row[3])) for row in rows]


def open_alerts(read: Read) -> list[OpenAlert]:
    """The alerts that stand, by feed, source and kind."""
    rows = read.rows("select feed, source, kind, since from feed_alert where ended_at is null")
    return sorted(OpenAlert(*row) for row in rows)


def raise_alert(write: Write, feed: str, source: str, kind: str, at: datetime) -> None:
    """Raise an alert; one that stands is left as it is."""
    write.execute(
        """
        insert into feed_alert (feed, source, kind, since) values (%s, %s, %s, %s)
        on conflict (feed, source, kind) where ended_at is null do nothing
        """,
        (feed, source, kind, at),
    )


def end_alert(write: Write, feed: str, source: str, kind: str, at: datetime) -> None:
    """End an alert."""
    write.execute(
        "update feed_alert set ended_at = %s where feed = %s and source = %s and kind = %s and ended_at is null",
        (at, feed, source, kind),
    )
