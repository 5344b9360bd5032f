"""Reading an incident's list: pages by key, counts, places to be told of. No offset: the thousandth page is as fast.

Who may see which rows is decided by the caller: `scopes` are the districts whose people may be seen, None for all of
them. Each reading is in the trail, which is the caller's part too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from tianfu.errors import Fault, InputInvalidError
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.base64url import decode, encode
from tianfu.platform.database import Read
from tianfu.tracing import page_store, withheld_store
from tianfu.tracing.page_store import Filters

# A screen; 60 kB as JSON.
PAGE_ROWS_MAX: Final = 200
_CURSOR_CHARACTERS_MAX: Final = 120

Key = TypeVar("Key")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on the list.

    `tier` is close, secondary, copresent or general; `setting` the ground of the first exposure; `strong` says whether
    any exposure is more than a scan; `parent` the case, or the contact through whom; `venue` the number of the place,
    None where it was none; `cases` how many cases support the row; `place` the county, None where nobody knows it;
    `state` is proposed, confirmed or dropped.
    """

    person: PersonRef
    hop: int
    tier: str
    setting: str
    strong: bool
    exposed_at: datetime
    parent: PersonRef
    venue: int | None
    cases: int
    place: str | None
    state: str

    @property
    def reference(self) -> str:
        """The person as `P-000000012-62`."""
        return format_person_ref(self.person)


class Page(msgspec.Struct, frozen=True):
    """Rows by hop, first exposure and person. `after` asks for the next page; None: this was the last."""

    rows: tuple[Listed, ...]
    after: str | None


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """A place whose crowd is told together; `withheld` scans of it name nobody."""

    venue: int
    name: str
    place: str
    begins_at: datetime
    ends_at: datetime
    withheld: int


class AnnouncedPage(msgspec.Struct, frozen=True):
    """Places by venue and beginning."""

    rows: tuple[Announced, ...]
    after: str | None


class TooLarge(msgspec.Struct, frozen=True):
    """Schools, trains, workplaces: how many, and how many people in them were with a case or a contact."""

    places: int
    people: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many people are listed, by each of these; `announced` places with `withheld` scans.

    In `by_place` the empty word stands for a county that nobody knows. `too_large` are places that are no venues and
    had more people than the rules let be named, by kind of stay.
    """

    people: int
    by_tier: dict[str, int]
    by_hop: dict[str, int]
    by_state: dict[str, int]
    by_place: dict[str, int]
    by_day: dict[str, int]
    announced: int
    withheld: int
    too_large: dict[str, TooLarge]


def page(
    read: Read, incident_ref: int, filters: Filters, *, after: str | None = None, limit: int = PAGE_ROWS_MAX
) -> Page:
    """One page of the list. Raises `InputInvalidError` for an `after` that no page gave."""
    limit = max(1, min(limit, PAGE_ROWS_MAX))
    key = None if after is None else _key(after, tuple[int, datetime, int])
    rows = page_store.page(read, incident_ref, filters, after=key, limit=limit + 1)
    shown = tuple(Listed(**row) for row in rows[:limit])
    last = shown[-1] if len(rows) > limit else None
    return Page(shown, None if last is None else cursor(last.hop, last.exposed_at, last.person))


def children(
    read: Read,
    incident_ref: int,
    parent: PersonRef,
    *,
    scopes: Sequence[str] | None = None,
    after: str | None = None,
    limit: int = PAGE_ROWS_MAX,
) -> Page:
    """Who is listed through `parent`, a case or a contact, by person. Raises as `page`."""
    limit = max(1, min(limit, PAGE_ROWS_MAX))
    beyond = 0 if after is None else _key(after, tuple[int])[0]
    rows = page_store.children(read, incident_ref, parent, after=beyond, limit=limit + 1, scopes=scopes)
    shown = tuple(Listed(**row) for row in rows[:limit])
    return Page(shown, _cursor((int(shown[-1].person),)) if len(rows) > limit else None)


def announcements(
    read: Read, incident_ref: int, *, after: str | None = None, limit: int = PAGE_ROWS_MAX
) -> AnnouncedPage:
    """One page of the places to be told of. Raises as `page`."""
    limit = max(1, min(limit, PAGE_ROWS_MAX))
    rows = page_store.announcements(
        read, incident_ref, after=None if after is None else _key(after, tuple[int, datetime]), limit=limit + 1
    )
    shown = tuple(
        Announced(venue=venue, name=name, place=place, begins_at=begins, ends_at=ends, withheld=scans)
        for venue, name, place, begins, ends, scans in rows[:limit]
    )
    last = shown[-1] if len(rows) > limit else None
    return AnnouncedPage(shown, None if last is None else _cursor((last.venue, last.begins_at)))


def counts(read: Read, incident_ref: int, *, scopes: Sequence[str] | None = None) -> Counts:
    """The list in numbers."""
    by: dict[str, dict[str, int]] = {"tier": {}, "hop": {}, "state": {}, "place": {}}
    people = 0
    for tier, hop, state, place, count in page_store.counts(read, incident_ref, scopes):
        people += count
        for name, word in (("tier", tier), ("hop", str(hop)), ("state", state), ("place", place or "")):
            by[name][word] = by[name].get(word, 0) + count
    announced, withheld = page_store.announced(read, incident_ref)
    return Counts(
        people=people,
        by_tier=by["tier"],
        by_hop=dict(sorted(by["hop"].items())),
        by_state=by["state"],
        by_place=by["place"],
        by_day=dict(page_store.counts_by_day(read, incident_ref, scopes)),
        announced=announced,
        withheld=withheld,
        too_large={
            kind: TooLarge(places, people) for kind, places, people in withheld_store.counts(read, incident_ref)
        },
    )


def cursor(hop: int, exposed_at: datetime, person: int) -> str:
    """What asks for the page after the row of this key."""
    return _cursor((hop, exposed_at, person))


def _cursor(key: tuple[object, ...]) -> str:
    return encode(msgspec.json.encode(key))


def _key(cursor: str, kind: type[Key]) -> Key:
    """The key of a cursor, which only ever picks where to go on, so it needs no signature."""
    try:
        return msgspec.json.decode(decode(cursor[:_CURSOR_CHARACTERS_MAX]), type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        fault = Fault("after", "cursor", "翻页标记无效。", "This is not where a page ended.")
        raise InputInvalidError(faults=(fault,)) from error
