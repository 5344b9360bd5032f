"""SQL of the counts of delays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tianfu.platform.database import Read, Write


def add(write: Write, day: date, stage: str, counts: Sequence[tuple[str, int, int]]) -> None:
    """Add counts of (source, bucket, count), which must be ascending: two transactions never wait in a circle."""
    write.execute(
        """
        insert into feed_delay (day, source, stage, bucket, count)
        select %s, new.source, %s, new.bucket, new.count
        from unnest(%s::text[], %s::smallint[], %s::bigint[]) as new (source, bucket, count)
        on conflict (day, source, stage, bucket) do update set count = feed_delay.count + excluded.count
        """,
        (day, stage, [item[0] for item in counts], [item[1] for item in counts], [item[2] for item in counts]),
    )


def since(read: Read, first: date) -> list[tuple[str, str, int, int]]:
    """(source, stage, bucket, count) over the days from `first` on, by source, stage and bucket."""
    rows = read.rows(
        """
        select source, stage, bucket, sum(count)::bigint from feed_delay
        where day >= %s group by source, stage, bucket order by source, stage, bucket
        """,
        (first,),
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]
