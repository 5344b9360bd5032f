"""A guard reads or types a document, with its bearer's consent, for somebody who has no code to show.

Nobody learns here whether a document is registered: an unknown one gets the decision that the rules in force give a
person of whom nothing is known, by the same code and with the same statements. The answer holds no name, no photo
and no reference. Each look-up is counted, and written where the person sees it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from litestar import post
from litestar.params import RawBody

from tianfu.access import login, lookup_budget
from tianfu.access.accounts import Account
from tianfu.access.decide import ForbiddenError, Resource, require
from tianfu.access.lookup_budget import LookupBudgetSpentError
from tianfu.access.roles import Action, Purpose
from tianfu.access.session import Audience, Session
from tianfu.audit import trail
from tianfu.console.forms import LookupAnswer, LookupForm, LookupTest
from tianfu.console.parts import Console, ConsoleParts, session_of
from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.ids import PersonRef, VenueRef
from tianfu.platform import database as db
from tianfu.platform.api import AnyRequest, documented, read_body
from tianfu.platform.database import Read, Write
from tianfu.policy.decide import decide
from tianfu.residents import canaries, documents, people
from tianfu.residents.documents import Document
from tianfu.status import store as statuses
from tianfu.status.publish import board_record
from tianfu.status.read import LAPSE_GRACE_SECONDS
from tianfu.status.record import COLOURS, POPUPS, REASON_CLASSES, TEST_RESULTS, BoardRecord
from tianfu.status.store import Status
from tianfu.venues import store as venues

ACTION: Final = "id_lookup"
REFUSED: Final = "id_lookup_refused"
VERDICT: Final = "looked_up"

_LAST_DIGITS: Final = 4
_CHECKING: Final = BoardRecord(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
# No person has this number, so whatever is asked of it finds nothing.
_NOBODY: Final = PersonRef(0)


class ConsentNeededError(TianfuError):
    """The guard does not state that the document's bearer agreed. Nothing was looked up."""

    code = "consent_needed"
    status = 422
    zh = "须先征得证件持有人同意，方可查询。"
    en = "Please ask the bearer of the document first; nothing is looked up without their consent."


class _Seen(NamedTuple):
    """What a look-up found out, for its answer and for the alarms."""

    record: BoardRecord
    canary: bool
    wait: timedelta | None
    trail_id: int


@post("/id-lookup", status_code=200, operation_class=documented(LookupForm), sync_to_thread=True)
def look_up(request: AnyRequest, console: ConsoleParts, body: RawBody) -> LookupAnswer:
    """The colour of a person who is here with a document and without a code.

    Raises `ForbiddenError` for anybody but a guard at an open venue, `ConsentNeededError`, `InputInvalidError` for a
    number that cannot be one, `LookupBudgetSpentError`. Asking again is another look-up.
    """
    at = console.clock.now()
    session = session_of(console, request, at)
    with console.database.read(db.Purpose.OPERATOR) as read:
        account = login.account_of(read, session)
        _require_guard(read, account, session)
    sent = read_body(LookupForm, body)
    if sent.purpose != Purpose.ENTRY.value:
        fault = Fault("purpose", "purpose", "查询事由只能是进入场所。", "The purpose can only be entry.")
        raise InputInvalidError(faults=(fault,))
    if not sent.consent:
        raise ConsentNeededError
    document = documents.parse(sent.document_type, sent.document_number, at=at)
    with console.database.write(db.Purpose.OPERATOR) as write:
        seen = _look_up(console, write, document, account, session, at)
    if seen.canary:
        console.log.error("a canary document was looked up", sequence=seen.trail_id)
    if seen.wait is not None:
        console.log.error("a budget of look-ups is spent", code=LookupBudgetSpentError.code, sequence=seen.trail_id)
        raise LookupBudgetSpentError(retry_after_seconds=int(seen.wait.total_seconds()) + 1)
    return _answer(seen.record, document, at)


def _require_guard(read: Read, account: Account, session: Session) -> None:
    """Raise `ForbiddenError` unless this is a guard's session at an open venue the account is still bound to."""
    if session.audience is not Audience.GUARD:
        raise ForbiddenError
    venue = venues.find(read, VenueRef(session.venue))
    if venue is None or venue.closed_at is not None:
        raise ForbiddenError
    owners = frozenset(venues.guards_of(read, venue.venue_ref))
    require(account.principal, Action.LOOK_UP_DOCUMENT, Resource(venue.district, owners), purpose=Purpose.ENTRY)


def _look_up(
    console: Console, write: Write, document: Document, account: Account, session: Session, at: datetime
) -> _Seen:
    """Count, find, decide, write down. The same statements in the same order, whoever the document belongs to."""
    wait = lookup_budget.spend(write, account_ref=account.account_ref, venue_ref=session.venue, at=at)
    canary = canaries.is_canary(write, document, pseudonym=console.pseudonym)
    person = people.find(write, document, pseudonym=console.pseudonym)
    status = statuses.read_many(write, [person or _NOBODY]).get(person or _NOBODY)
    # Decided for everybody, though only used where nothing is stored: the two take the same time.
    policy = console.policies.in_force(write, at)
    untold = Status(_NOBODY, decide(policy, (), at), 0)
    record = _current(status or untold, at)
    detail: dict[str, str | int] = {"role": "guard", "venue": session.venue, "kind": document.type.value}
    if wait is not None:
        detail["reason"] = "budget"
    if canary:
        detail["outcome"] = "canary"
    trail_id = trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="operator",
            actor=account.username,
            action=ACTION if wait is None else REFUSED,
            purpose=Purpose.ENTRY.value,
            person=person,
            detail=detail,
        ),
    )
    return _Seen(record, canary, wait, trail_id)


def _current(status: Status, at: datetime) -> BoardRecord:
    """The decision as a gate would know it: past the instant at which it changes by itself it says nothing."""
    lapses = status.decision.next_change_at
    if lapses is not None and at > lapses + timedelta(seconds=LAPSE_GRACE_SECONDS):
        return _CHECKING
    return board_record(status)


def _answer(record: BoardRecord, document: Document, at: datetime) -> LookupAnswer:
    at_seconds = int(at.timestamp())
    test = None
    if record.test:
        hours = max(0, at_seconds // 60 - record.sampled_at) // 60
        test = LookupTest(result=TEST_RESULTS[record.test], hours=hours)
    return LookupAnswer(
        verdict=VERDICT,
        colour=COLOURS[record.colour],
        popup=POPUPS[record.popup],
        reason=REASON_CLASSES[record.reason],
        test=test,
        last_digits=document.number[-_LAST_DIGITS:],
        checked_at=at_seconds,
    )
