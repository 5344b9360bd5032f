"""A list of an incident as a file: what a role may see of it, in its districts, with a row in the trail.

Without identities people are references, and one row of the trail says who took the list. With identities each person
named has a row of their own there, written before the name is; so a file with names is short and costs a transaction
for each page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from tianfu.access.decide import ForbiddenError, Principal, covers
from tianfu.access.places import divisions
from tianfu.access.roles import PERMISSIONS, Action, Purpose, Role
from tianfu.clock import SHANGHAI
from tianfu.errors import TianfuError
from tianfu.evidence import ledger
from tianfu.evidence.kinds import Case
from tianfu.evidence.model import Evidence
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform import database as db
from tianfu.platform.database import Database
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import profile
from tianfu.residents import store as residents
from tianfu.tracing import acting
from tianfu.tracing.acting import Actor
from tianfu.tracing.exports import sheets, store
from tianfu.tracing.exports.columns import HEADINGS, Column, Kind, columns, word
from tianfu.tracing.exports.store import CaseRow, ContactRow, PlaceRow
from tianfu.tracing.incidents import Incident

# Rows read in one statement, some 2 MB.
PAGE_ROWS: Final = 5_000
# With names: each writes a row of the trail, a third of a millisecond in which other rows of the trail wait.
IDENTITY_PAGE_ROWS: Final = 300
# What an office of a county can visit in a day; more names in one file are a leak waiting to happen.
IDENTITIES_MAX: Final = 20_000
# An incident's places fit on some hundred pages of paper.
PLACES_MAX: Final = 10_000

Progress = Callable[[int], None]


class IdentitiesTooManyError(TianfuError):
    """The list has more people than may be named in one file; nothing was kept, but the trail says who was read."""

    code = "identities_too_many"
    status = 422
    zh = f"一个文件最多列出 {IDENTITIES_MAX} 人的身份信息，请按区县或类别缩小范围。"
    en = f"A file names at most {IDENTITIES_MAX:,} people; narrow the list by county or tier."


class Scope(msgspec.Struct, frozen=True):
    """As what somebody takes a list: the role, the districts whose rows it has, and those whose people it may name."""

    role: Role
    rows: tuple[str, ...]
    names: tuple[str, ...]


PROVINCE: Final = Scope(Role.EPIDEMIOLOGIST, ("",), ("",))
"""Somebody at the terminal of the installation."""


class Taking(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes the list, why, when, and what of it they may have."""

    actor: Actor
    purpose: Purpose
    at: datetime
    scope: Scope = PROVINCE


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which list: `tiers` None is every tier, `language` zh or en, `identities` whether people are named."""

    kind: Kind
    language: str = "zh"
    identities: bool = False
    tiers: tuple[str, ...] | None = None


def scope_of(principal: Principal, incident: Incident, *, purpose: Purpose | None) -> Scope:
    """As what `principal` may take lists of `incident`. Raises `ForbiddenError`.

    Whoever works where the incident is has all rows; others have those of their own districts. Names only ever of
    people in one's own districts.
    """
    for role in (Role.EPIDEMIOLOGIST, Role.FIELD_WORKER):
        permission = PERMISSIONS[role, Action.EXPORT_CONTACTS]
        own = tuple(grant.district for grant in principal.grants if grant.role is role)
        if not own or purpose not in permission.purposes:
            continue
        whole = role is Role.EPIDEMIOLOGIST and any(covers(district, incident.place) for district in own)
        return Scope(role, ("",) if whole else own, own)
    raise ForbiddenError


def export(
    database: Database,
    pseudonym: Pseudonym,
    path: Path,
    *,
    incident: Incident,
    wanted: Wanted,
    taking: Taking,
    progress: Progress | None = None,
) -> int:
    """Write the list to `path` (`.csv` or `.xlsx`); how many rows it has.

    Raises `ForbiddenError` for a list that the role has no columns of, `IdentitiesTooManyError`,
    `ExportTooLongError`, `ExportUnwritableError`; no file is left then. Rows are read page by page, so a list that
    changes meanwhile may be half old and half new.
    """
    shown = columns(taking.scope.role, wanted.kind, identities=wanted.identities)
    if shown is None:
        raise ForbiddenError
    task = _Task(database, pseudonym, incident, wanted, taking)
    with database.write(db.Purpose.OPERATOR) as write:
        acting.record(
            write,
            taking.actor,
            "export_list",
            incident.number,
            at=taking.at,
            purpose=taking.purpose,
            kind=wanted.kind.value,
        )
    pages = {Kind.CONTACTS: task.contacts, Kind.LINE_LIST: task.cases, Kind.PLACES: task.places}[wanted.kind]()
    header = [word_of(column, wanted.language) for column in shown]
    return sheets.write(path, header, _counted(pages, shown, progress))


def word_of(column: Column, language: str) -> str:
    """What stands above a column."""
    heading = HEADINGS[column]
    return heading.zh if language == "zh" else heading.en


def _counted(
    cells: Iterator[dict[Column, str]], shown: Sequence[Column], progress: Progress | None
) -> Iterator[list[str]]:
    for count, row in enumerate(cells, 1):
        yield [row.get(column, "") for column in shown]
        if progress is not None and count % PAGE_ROWS == 0:
            progress(count)


class _Task:
    """One export under way."""

    def __init__(
        self, database: Database, pseudonym: Pseudonym, incident: Incident, wanted: Wanted, taking: Taking
    ) -> None:
        self._database, self._pseudonym = database, pseudonym
        self._incident, self._wanted, self._taking = incident, wanted, taking
        self._scope = taking.scope
        self._named = 0

    @property
    def _page_rows(self) -> int:
        return IDENTITY_PAGE_ROWS if self._wanted.identities else PAGE_ROWS

    def contacts(self) -> Iterator[dict[Column, str]]:
        after: store.Key | None = None
        while True:
            with self._database.read(db.Purpose.BATCH) as read:
                page = store.contacts(
                    read,
                    self._incident.incident_ref,
                    districts=list(self._scope.rows),
                    tiers=None if self._wanted.tiers is None else list(self._wanted.tiers),
                    after=after,
                    limit=self._page_rows,
                )
            identities = self._identities([(row.person, row.place) for row in page])
            for row in page:
                yield self._contact(row) | identities.get(row.person, {})
            if len(page) < self._page_rows:
                return
            after = (page[-1].hop, page[-1].exposed_at, page[-1].person)

    def cases(self) -> Iterator[dict[Column, str]]:
        after = 0
        while True:
            with self._database.read(db.Purpose.BATCH) as read:
                page = store.cases(read, self._incident.incident_ref, after=after, limit=self._page_rows)
                known = ledger.about_many(read, [PersonRef(row.person) for row in page])
            inside = [row for row in page if self._has(self._scope.rows, row.place)]
            identities = self._identities([(row.person, row.place) for row in inside])
            for row in inside:
                yield self._case(row, known[PersonRef(row.person)]) | identities.get(row.person, {})
            if len(page) < self._page_rows:
                return
            after = page[-1].person

    def places(self) -> Iterator[dict[Column, str]]:
        with self._database.read(db.Purpose.BATCH) as read:
            found = store.places(read, self._incident.incident_ref, districts=list(self._scope.rows), limit=PLACES_MAX)
        yield from (self._place(row) for row in found)

    @staticmethod
    def _has(districts: Sequence[str], place: str | None) -> bool:
        return any(covers(district, place) for district in districts)

    def _identities(self, people: Sequence[tuple[int, str | None]]) -> dict[int, dict[Column, str]]:
        """Who they are, for those who may be named; each in the trail in the transaction that reads them."""
        if not self._wanted.identities or self._wanted.kind is Kind.PLACES:
            return {}
        named: dict[int, dict[Column, str]] = {}
        with self._database.write(db.Purpose.OPERATOR) as write:
            for number, place in people:
                row = residents.find_resident(write, PersonRef(number)) if self._has(self._scope.names, place) else None
                if row is None:
                    continue
                personal = profile.opened(row, pseudonym=self._pseudonym)
                named[number] = {
                    Column.NAME: personal.name,
                    Column.DOCUMENT: personal.document.number,
                    Column.PHONE: personal.phone,
                }
            self._named += len(named)
            if self._named > IDENTITIES_MAX:
                raise IdentitiesTooManyError
            for number in named:
                acting.record(
                    write,
                    self._taking.actor,
                    "export_person",
                    self._incident.number,
                    at=self._taking.at,
                    person=PersonRef(number),
                    purpose=self._taking.purpose,
                    kind=self._wanted.kind.value,
                )
        return named

    def _contact(self, row: ContactRow) -> dict[Column, str]:
        language = self._wanted.language
        return {
            Column.REFERENCE: format_person_ref(PersonRef(row.person)),
            Column.TIER: word("tier", row.tier, language),
            Column.HOP: str(row.hop),
            Column.SETTING: word("setting", row.setting, language),
            Column.STRENGTH: word("strength", "strong" if row.strong else "weak", language),
            Column.EXPOSED_AT: _local(row.exposed_at),
            Column.THROUGH: format_person_ref(PersonRef(row.parent)),
            Column.VENUE: row.venue_name or "",
            Column.CASES: str(row.cases),
            Column.COUNTY: county(row.place),
            Column.STATE: word("state", row.state, language),
        }

    def _case(self, row: CaseRow, known: Sequence[Evidence]) -> dict[Column, str]:
        language = self._wanted.language
        said = [item for item in known if isinstance(item.attributes, Case)]
        last = max(said, key=lambda item: (item.occurred_at, item.evidence_id), default=None)
        case = None if last is None else last.attributes
        told: dict[Column, str] = {}
        if isinstance(case, Case):
            told = {
                Column.CASE_STATUS: word("status", case.status.value, language),
                Column.ONSET_AT: _local(case.onset_at),
                Column.DIAGNOSED_AT: _local(case.diagnosed_at),
            }
        return told | {
            Column.REFERENCE: format_person_ref(PersonRef(row.person)),
            Column.COUNTY: county(row.place),
            Column.INFECTIOUS_FROM: _local(row.infectious_from),
            Column.INFECTIOUS_TO: _local(row.infectious_to),
            Column.KNOWN_AS: "" if row.known_as is None else word("tier", row.known_as, language),
            Column.THROUGH: "" if row.through is None else format_person_ref(PersonRef(row.through)),
            Column.CONTACTS: str(row.contacts),
            Column.ADDED_AT: _local(row.added_at),
            Column.WITHDRAWN_AT: _local(row.withdrawn_at),
        }

    @staticmethod
    def _place(row: PlaceRow) -> dict[Column, str]:
        return {
            Column.VENUE: row.name,
            Column.COUNTY: county(row.district),
            Column.BEGINS_AT: _local(row.begins_at),
            Column.ENDS_AT: _local(row.ends_at),
            Column.SCANS: str(row.scans),
        }


def county(place: str | None) -> str:
    """`510112 龙泉驿区`; empty where nobody knows."""
    return "" if place is None else f"{place} {divisions().get(place, '')}".rstrip()


def _local(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
