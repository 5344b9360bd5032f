"""The trail: who looked at or changed what, and why. Append-only, each row chained to the one before.

A row's hash covers its own content and the hash of the row before it, so a row that is changed, removed or slipped
in breaks the chain from there on (`tianfu.audit.verify`). The database refuses UPDATE, DELETE and TRUNCATE besides.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from psycopg.types.json import Jsonb

from tianfu.clock import require_aware
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write

ActorKind = Literal["resident", "operator", "system", "department"]

# What the first row is chained to.
GENESIS_HASH: Final = bytes(32)
# What a row may tell besides its fixed columns: machine-made words and numbers that say nothing about a person.
ALLOWED_DETAIL: Final = frozenset(
    {
        "account",
        "approved_by",
        "batch",
        "category",
        "channel",
        "count",
        "duplicates",
        "effective_from",
        "ends_at",
        "evidence",
        "feed",
        "generation",
        "key",
        "kind",
        "level",
        "name",
        "number",
        "outcome",
        "people",
        "place",
        "policy",
        "provider",
        "publication",
        "reason",
        "role",
        "row",
        "rows",
        "set_aside",
        "since",
        "source",
        "venue",
        "version",
    }
)
READS_PAGE_MAX: Final = 200
# "TianfuAu" as a number: one writer at a time reads the last hash and appends.
_LOCK_KEY: Final = 0x5469_616E_6675_4175
_WORD: Final = re.compile(r"[A-Za-z0-9_.:@+/-]{1,64}", re.ASCII)
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_.:@+/-]{0,200}", re.ASCII)
# A phone or document number standing by itself; a longer word that holds digits, such as a hash, is none.
_NUMBER_OF_A_PERSON: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{11,17}[0-9Xx]?(?![0-9A-Za-z])", re.ASCII)
_WHOLE_NUMBER_MAX: Final = 10**10


class EntryRefusedError(ValueError):
    """An entry holds something that does not belong into the trail: a bug in the caller."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did. `action`, `purpose` and `actor` are machine-made words, never typed text.

    `person` is whom it was about; `subject` names anything else (`venue:12`, a policy's hash). `detail` holds only
    keys of `ALLOWED_DETAIL`, with words, whole numbers below 10^10 or truth values.
    """

    at: datetime
    actor_kind: ActorKind
    actor: str
    action: str
    purpose: str
    person: PersonRef | None = None
    subject: str = ""
    detail: Mapping[str, Any] = {}


class Access(msgspec.Struct, frozen=True):
    """One access to a person's record, as that person may see it: what and why, in which role, but not by name."""

    trail_id: int
    at: datetime
    actor_kind: str
    role: str
    action: str
    purpose: str


class Row(msgspec.Struct, frozen=True):
    """One stored row: the entry and its place in the chain."""

    trail_id: int
    entry: Entry
    previous_hash: bytes
    hash: bytes


def record(write: Write, entry: Entry) -> int:
    """Append `entry`; the number of its row. It is kept if and only if the caller's transaction is.

    Appends are strictly one after the other: the lock is held until the transaction ends, so this comes last in it.
    Raises `EntryRefusedError` for content that may be personal data.
    """
    _require_harmless(entry)
    write.execute("select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    last = write.value("select hash from audit_trail order by trail_id desc limit 1")
    previous = GENESIS_HASH if last is None else bytes(last)
    number: int = write.value(
        "insert into audit_trail (at, actor_kind, actor, action, purpose, person_ref, subject, detail,"
        " previous_hash, hash) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning trail_id",
        (
            entry.at,
            entry.actor_kind,
            entry.actor,
            entry.action,
            entry.purpose,
            entry.person,
            entry.subject,
            Jsonb(dict(entry.detail)),
            previous,
            chain_hash(previous, entry),
        ),
    )
    return number


def reads_of(read: Read, person: PersonRef, *, limit: int, before: int | None) -> list[Access]:
    """Who looked at or changed this person's record, newest first; what the person did is left out.

    At most `limit` rows (and `READS_PAGE_MAX`), older than row `before` when given.
    """
    rows = read.rows(
        "select trail_id, at, actor_kind, coalesce(detail->>'role', actor_kind), action, purpose from audit_trail"
        " where person_ref = %(person)s and actor_kind <> 'resident'"
        " and (%(before)s::bigint is null or trail_id < %(before)s) order by trail_id desc limit %(limit)s",
        {"person": person, "before": before, "limit": min(limit, READS_PAGE_MAX)},
    )
    return [
        Access(trail_id=trail_id, at=at, actor_kind=kind, role=role, action=action, purpose=purpose)
        for trail_id, at, kind, role, action, purpose in rows
    ]


def chain_hash(previous: bytes, entry: Entry) -> bytes:
    """SHA-256 over `previous` and the entry as JSON with sorted keys, its instant in UTC with microseconds."""
    canonical = msgspec.json.encode(
        {
            "action": entry.action,
            "actor": entry.actor,
            "actor_kind": entry.actor_kind,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "detail": dict(entry.detail),
            "person": entry.person,
            "purpose": entry.purpose,
            "subject": entry.subject,
        },
        order="sorted",
    )
    return hashlib.sha256(previous + canonical).digest()


def stored_rows(read: Read) -> Iterator[Row]:
    """Every row, oldest first, one by one."""
    for number, at, kind, actor, action, purpose, person, subject, detail, previous, own in read.stream(
        "select trail_id, at, actor_kind, actor, action, purpose, person_ref, subject, detail, previous_hash, hash"
        " from audit_trail order by trail_id"
    ):
        entry = Entry(
            at=at,
            actor_kind=kind,
            actor=actor,
            action=action,
            purpose=purpose,
            person=person,
            subject=subject,
            detail=detail,
        )
        yield Row(trail_id=number, entry=entry, previous_hash=bytes(previous), hash=bytes(own))


def _require_harmless(entry: Entry) -> None:
    require_aware(entry.at)
    unknown = entry.detail.keys() - ALLOWED_DETAIL
    if unknown:
        message = f"detail keys not on the allowed list: {sorted(unknown)}"
        raise EntryRefusedError(message)
    for field in ("actor", "action", "purpose"):
        _require_word(field, getattr(entry, field), _WORD)
    _require_word("subject", entry.subject, _SUBJECT)
    for key, value in entry.detail.items():
        if isinstance(value, str):
            _require_word(key, value, _WORD)
        elif not isinstance(value, int) or abs(value) >= _WHOLE_NUMBER_MAX:
            # A longer number could be a phone's or a document's.
            message = f"detail {key} is neither a word, a truth value nor a whole number below 10^10"
            raise EntryRefusedError(message)


def _require_word(field: str, value: str, form: re.Pattern[str]) -> None:
    """The value is not repeated in the message: it may be exactly what must not be written down."""
    if form.fullmatch(value) is None or _NUMBER_OF_A_PERSON.search(value):
        message = f"{field} is not a machine-made word, or looks like the number of a person"
        raise EntryRefusedError(message)
