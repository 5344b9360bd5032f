"""Doubled people at the operators' API: one asks for a merge or its undoing, another approves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from litestar import post
from litestar.params import FromPath, RawBody

from tianfu.access.accounts import Account
from tianfu.access.decide import Resource, require
from tianfu.access.roles import Action, Purpose
from tianfu.audit import trail
from tianfu.console.parts import ConsoleParts, operator
from tianfu.console.purposes import PurposeForm, StatedForm
from tianfu.evidence import merges
from tianfu.ids import PersonRef, format_person_ref, parse_person_ref
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Write
from tianfu.residents import merge_store, merging
from tianfu.residents import store as residents
from tianfu.residents.merge_store import MergeRow

PAGE_MAX: Final = 200


class MergeForm(StatedForm, frozen=True, kw_only=True):
    """`merged` is the same human being as `kept`; `reason` is one word, such as `card-and-passport`."""

    kept: str
    merged: str
    reason: str


class MergesQuery(StatedForm, frozen=True, kw_only=True):
    """Whose merges."""

    person: str


class MergeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One merge and how far it is: asked, standing, undoing asked, or undone."""

    number: int
    kept: str
    merged: str
    reason: str
    state: str
    asked_at: datetime
    asked_by: str
    merged_at: datetime | None = None
    approved_by: str | None = None
    undone_at: datetime | None = None

    @classmethod
    def of(cls, row: MergeRow) -> MergeAnswer:
        """What is shown of a stored merge."""
        state = "asked"
        if row.merged_at is not None:
            state = "standing" if row.undo_asked_at is None else "undoing_asked"
        return cls(
            number=row.merge_ref,
            kept=format_person_ref(row.kept),
            merged=format_person_ref(row.merged),
            reason=row.reason,
            state=state if row.undone_at is None else "undone",
            asked_at=row.asked_at,
            asked_by=row.asked_by,
            merged_at=row.merged_at,
            approved_by=row.approved_by,
            undone_at=row.undone_at,
        )


@post("/people/merges", status_code=201, operation_class=documented(MergeForm), sync_to_thread=True)
def ask_merge(request: AnyRequest, console: ConsoleParts, body: RawBody) -> MergeAnswer:
    """Ask that two people be one. Nothing changes before a second account approves."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(MergeForm, body)
    kept, merged = parse_person_ref(sent.kept), parse_person_ref(sent.merged)
    with console.database.write(db.Purpose.OPERATOR) as write:
        _require(write, account, [kept, merged], sent.stated)
        number = merging.ask(write, kept=kept, merged=merged, reason=sent.reason, by=account.username, at=at)
        return _told(write, account, "merge_asked", number, at, sent.stated)


@post(
    "/people/merges/{merge_ref:int}/approval",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def approve_merge(request: AnyRequest, console: ConsoleParts, merge_ref: FromPath[int], body: RawBody) -> MergeAnswer:
    """Approve a merge that somebody else asked for: from now on both codes show one colour."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    with console.database.write(db.Purpose.OPERATOR) as write:
        _require_about(write, account, merge_ref, purpose)
        merges.approve(write, merge_ref, by=account.username, at=at)
        return _told(write, account, "merge_people", merge_ref, at, purpose)


@post(
    "/people/merges/{merge_ref:int}/undoing",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def ask_undoing(request: AnyRequest, console: ConsoleParts, merge_ref: FromPath[int], body: RawBody) -> MergeAnswer:
    """Ask that a merge be undone. Nothing changes before a second account approves."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    with console.database.write(db.Purpose.OPERATOR) as write:
        _require_about(write, account, merge_ref, purpose)
        merging.ask_undo(write, merge_ref, by=account.username, at=at)
        return _told(write, account, "unmerge_asked", merge_ref, at, purpose)


@post(
    "/people/merges/{merge_ref:int}/undoing/approval",
    status_code=200,
    operation_class=documented(PurposeForm),
    sync_to_thread=True,
)
def approve_undoing(request: AnyRequest, console: ConsoleParts, merge_ref: FromPath[int], body: RawBody) -> MergeAnswer:
    """Approve the undoing that somebody else asked for: each is by themselves again."""
    at = console.clock.now()
    account = operator(console, request, at)
    purpose = read_body(PurposeForm, body).stated
    with console.database.write(db.Purpose.OPERATOR) as write:
        _require_about(write, account, merge_ref, purpose)
        merges.approve_undo(write, merge_ref, by=account.username, at=at)
        return _told(write, account, "unmerge_people", merge_ref, at, purpose)


@post("/people/merges/list", status_code=200, operation_class=documented(MergesQuery), sync_to_thread=True)
def list_merges(request: AnyRequest, console: ConsoleParts, body: RawBody) -> list[MergeAnswer]:
    """The merges of one person, undone ones too, at most `PAGE_MAX`. The person sees that it was read."""
    at = console.clock.now()
    account = operator(console, request, at)
    sent = read_body(MergesQuery, body)
    asked = parse_person_ref(sent.person)
    with console.database.write(db.Purpose.OPERATOR) as write:
        _require(write, account, [asked], sent.stated)
        found = merge_store.history(write, person=asked, after=0, limit=PAGE_MAX)
        trail.record(write, _entry(account, "list_merges", asked, at, sent.stated, {}))
    return [MergeAnswer.of(row) for row in found]


def _require_about(write: Write, account: Account, number: int, purpose: Purpose) -> None:
    """Only who may merge these two learns whether there is such a merge."""
    row = merge_store.find(write, number)
    _require(write, account, [] if row is None else [row.kept, row.merged], purpose)


def _require(write: Write, account: Account, persons: Sequence[PersonRef], purpose: Purpose) -> None:
    """Each must live where the role is held; nobody knows where somebody lives who has not claimed."""
    for place in {residents.district_of(write, person) for person in persons} or {None}:
        require(account.principal, Action.MERGE_PEOPLE, Resource(place=place), purpose=purpose)


def _told(write: Write, account: Account, action: str, number: int, at: datetime, purpose: Purpose) -> MergeAnswer:
    """The merge as it is now, written in the trail of both."""
    row = merge_store.find(write, number)
    if row is None:
        raise merging.MergeNotFoundError
    for person in (row.kept, row.merged):
        trail.record(write, _entry(account, action, person, at, purpose, {"number": number}))
    return MergeAnswer.of(row)


def _entry(
    account: Account, action: str, person: PersonRef, at: datetime, purpose: Purpose, detail: dict[str, int]
) -> trail.Entry:
    return trail.Entry(
        at=at,
        actor_kind="operator",
        actor=account.username,
        action=action,
        purpose=purpose.value,
        person=person,
        detail=detail,
    )


ROUTES: Final = (ask_merge, approve_merge, ask_undoing, approve_undoing, list_merges)
