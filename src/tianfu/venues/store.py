"""SQL of venues and of the guards bound to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from tianfu.ids import VenueRef
from tianfu.platform.database import Read, Write
from tianfu.venues.model import Venue, VenueCategory

# An arbitrary number that no other advisory lock of this database uses ("venue" in ASCII).
_SEQUENCE_LOCK: Final = 0x76656E7565


def lock_sequence(write: Write) -> None:
    """Let one change of a venue draw and commit its sequence at a time.

    Sequence order is then commit order, so a follower that has seen n has seen everything below n.
    """
    write.execute("select pg_advisory_xact_lock(%s)", (_SEQUENCE_LOCK,))


def insert(
    write: Write,
    *,
    venue_id: bytes,
    name: str,
    category: VenueCategory,
    district: str,
    address: str,
    manager: int,
    at: datetime,
) -> Venue:
    """A new venue, of generation 1."""
    row = write.row(
        "insert into venue (venue_id, name, category, district, address, manager, created_at, sequence)"
        " values (%s, %s, %s, %s, %s, %s, %s, nextval('venue_sequence'))"
        " returning venue_ref, venue_id, name, category, district, address, manager, generation, created_at,"
        " closed_at, sequence",
        (venue_id, name, category.value, district, address, manager, at),
    )
    if row is None:
        message = "an insert without conflict clause returned nothing"
        raise RuntimeError(message)
    return _venue(row)


def raise_generation(write: Write, venue_ref: VenueRef) -> Venue | None:
    """The venue with the next generation; None when there is none, or it is closed."""
    row = write.row(
        "update venue set generation = generation + 1, sequence = nextval('venue_sequence')"
        " where venue_ref = %s and closed_at is null"
        " returning venue_ref, venue_id, name, category, district, address, manager, generation, created_at,"
        " closed_at, sequence",
        (venue_ref,),
    )
    return None if row is None else _venue(row)


def close(write: Write, venue_ref: VenueRef, at: datetime) -> bool:
    """Close an open venue; False when there is none, or it is closed already."""
    return bool(
        write.execute(
            "update venue set closed_at = %s, sequence = nextval('venue_sequence')"
            " where venue_ref = %s and closed_at is null",
            (at, venue_ref),
        )
    )


def find(read: Read, venue_ref: VenueRef) -> Venue | None:
    """The venue of that number."""
    row = read.row(
        "select venue_ref, venue_id, name, category, district, address, manager, generation, created_at, closed_at,"
        " sequence from venue where venue_ref = %s",
        (venue_ref,),
    )
    return None if row is None else _venue(row)


def managed_by(read: Read, account_ref: int, limit: int) -> list[Venue]:
    """The venues an account answers for, in order of number."""
    rows = read.rows(
        "select venue_ref, venue_id, name, category, district, address, manager, generation, created_at, closed_at,"
        " sequence from venue where manager = %s order by venue_ref limit %s",
        (account_ref, limit),
    )
    return [_venue(row) for row in rows]


def guarded_by(read: Read, account_ref: int, limit: int) -> list[Venue]:
    """The open venues an account is bound to as a guard, in order of number."""
    rows = read.rows(
        "select v.venue_ref, v.venue_id, v.name, v.category, v.district, v.address, v.manager, v.generation,"
        " v.created_at, v.closed_at, v.sequence"
        " from venue_guard g join venue v on v.venue_ref = g.venue_ref"
        " where g.account_ref = %s and v.closed_at is null order by v.venue_ref limit %s",
        (account_ref, limit),
    )
    return [_venue(row) for row in rows]


def changed_since(read: Read, sequence: int, limit: int) -> list[Venue]:
    """Venues whose last change is after `sequence`, in order of change, closed ones included.

    Reading on from the last one's `sequence` misses nothing, as sequence order is commit order.
    """
    rows = read.rows(
        "select venue_ref, venue_id, name, category, district, address, manager, generation, created_at, closed_at,"
        " sequence from venue where sequence > %s order by sequence limit %s",
        (sequence, limit),
    )
    return [_venue(row) for row in rows]


def lock(write: Write, venue_ref: VenueRef) -> None:
    """Let one change of this venue's guards through at a time, until the transaction ends."""
    write.execute("select venue_ref from venue where venue_ref = %s for update", (venue_ref,))


def guards_of(read: Read, venue_ref: VenueRef) -> list[int]:
    """The accounts bound to a venue."""
    rows = read.rows("select account_ref from venue_guard where venue_ref = %s order by account_ref", (venue_ref,))
    return [account for (account,) in rows]


def bind_guard(write: Write, venue_ref: VenueRef, account_ref: int, at: datetime) -> None:
    """Bind an account to a venue; binding it twice changes nothing."""
    write.execute(
        "insert into venue_guard (venue_ref, account_ref, bound_at) values (%s, %s, %s)"
        " on conflict (venue_ref, account_ref) do nothing",
        (venue_ref, account_ref, at),
    )


def _venue(row: tuple[Any, ...]) -> Venue:
    return Venue(
        venue_ref=VenueRef(row[0]),
        venue_id=bytes(row[1]),
        name=row[2],
        category=VenueCategory(row[3]),
        district=row[4],
        address=row[5],
        manager=row[6],
        generation=row[7],
        created_at=row[8],
        closed_at=row[9],
        sequence=row[10],
    )
