"""Handing people over to another county or province: asked, answered in time, never between two counties.

Until the other side accepts, the county that asked answers for the person; from that instant on the other one does.
Another province has no account here: its answer is entered by the county that asked, and only then are the tasks
closed. The province's letter is a file (`tianfu.tracing.followup.letter`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from tianfu.access.places import SICHUAN_PREFIX, divisions, is_county
from tianfu.access.two_people import require_word
from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.ids import PersonRef
from tianfu.platform.database import Write
from tianfu.tracing.followup import handover_store, store
from tianfu.tracing.followup.handover_store import Handover

# Whoever is passed on is looked for within a day, and the answer says whether they were found.
ANSWER_HOURS: Final = 24
# Reminded four hours before the deadline, then every four hours.
REMIND_HOURS: Final = 4
# One letter, one list: a planeload is 500.
PEOPLE_MAX: Final = 1_000
ACCEPTED, REFUSED, ASKED = "accepted", "refused", "asked"


class HandoverNotFoundError(NotFoundError):
    """There is no such hand-over, or not where the asker may look."""

    code = "handover_not_found"
    zh = "没有这份移交单，或不在您的辖区。"
    en = "There is no such hand-over in your district."


class HandoverDecidedError(TianfuError):
    """Somebody of this hand-over was answered for with another decision already."""

    code = "handover_decided"
    status = 409
    zh = "移交单中有人已被答复，不能再作不同的决定。"
    en = "Somebody of this hand-over has been answered for already."


class HandoverRefusedError(TianfuError):
    """Somebody is not followed by the county that asks, or is being handed over already. Nothing was written."""

    code = "handover_not_possible"
    status = 409
    zh = "有人不由本区县随访，或正在移交中。"
    en = "Somebody is not followed by this county, or is being handed over already."


def in_province(place: str) -> bool:
    """Whether a place answers here itself."""
    return place.startswith(SICHUAN_PREFIX)


def ask(
    write: Write,
    incident_ref: int,
    persons: Sequence[PersonRef],
    *,
    from_place: str,
    to_place: str,
    by: str,
    at: datetime,
    answer_hours: int = ANSWER_HOURS,
) -> Handover:
    """Offer these people to `to_place`: a county of the province, or a province, prefecture or county elsewhere.

    `from_place` goes on answering for them. Raises `InputInvalidError` (place, number of people),
    `HandoverRefusedError`.
    """
    named = sorted(set(persons))
    _require(1 <= len(named) <= PEOPLE_MAX, "people", "人数应为 1 至 1000。", "There must be 1 to 1,000 people.")
    _require(
        to_place in divisions() and to_place != from_place and (is_county(to_place) or not in_province(to_place)),
        "to_place",
        "接收地应为本省其他区县或外省行政区划代码。",
        "It goes to another county of the province, or to a division elsewhere.",
    )
    store.lock(write)
    followed = store.follow_ups(write, incident_ref, named)
    ours = [row for row in followed.values() if row.closed_at is None and row.place == from_place]
    if len(ours) < len(named) or handover_store.offered(write, named):
        raise HandoverRefusedError
    number = handover_store.insert(
        write,
        incident_ref=incident_ref,
        from_place=from_place,
        to_place=to_place,
        persons=named,
        at=at,
        by=by,
        due_at=at + timedelta(hours=answer_hours),
    )
    return _found(write, number)


def accept(
    write: Write, handover_ref: int, *, by: str, at: datetime, persons: Sequence[PersonRef] | None = None
) -> Handover:
    """The other side takes these people (None: all who are still asked about); doing it again changes nothing.

    In the province their open tasks move there, in every incident, and wait to be assigned. Another province's
    acceptance closes the follow-ups. Raises `HandoverNotFoundError`, `HandoverDecidedError`.
    """
    store.lock(write)
    handover = _found(write, handover_ref)
    taken = _asked(write, handover_ref, persons, ACCEPTED)
    if not taken:
        return handover
    handover_store.decide(write, handover_ref, taken, state=ACCEPTED, reason=None, by=by, at=at)
    if in_province(handover.to_place):
        moved = handover_store.move(write, taken, handover.to_place, at)
        store.begin_county(write, [(incident, person, handover.to_place, at) for incident, person in moved])
    else:
        running: dict[int, list[PersonRef]] = {}
        for incident, person in handover_store.active_incidents(write, taken):
            running.setdefault(incident, []).append(person)
        for incident, gone in running.items():
            store.close(write, incident, gone, reason="handed_over", at=at)
    return _found(write, handover_ref)


def refuse(
    write: Write,
    handover_ref: int,
    *,
    reason: str,
    by: str,
    at: datetime,
    persons: Sequence[PersonRef] | None = None,
) -> Handover:
    """The other side does not take these people, for `reason` (one word); they stay where they were.

    Raises `HandoverNotFoundError`, `HandoverDecidedError`, `InputInvalidError`.
    """
    require_word("reason", reason)
    _found(write, handover_ref)
    returned = _asked(write, handover_ref, persons, REFUSED)
    handover_store.decide(write, handover_ref, returned, state=REFUSED, reason=reason, by=by, at=at)
    return _found(write, handover_ref)


def remind(write: Write, at: datetime) -> list[Handover]:
    """Hand-overs to remind of now: no answer yet and due within `REMIND_HOURS`, or overdue.

    Each comes once in `REMIND_HOURS`. There is nothing to send a reminder to, so the tracer puts them into its log.
    """
    soon = timedelta(hours=REMIND_HOURS)
    return handover_store.remind(write, at + soon, at - soon, at)


def _found(write: Write, handover_ref: int) -> Handover:
    found = handover_store.find(write, handover_ref)
    if found is None:
        raise HandoverNotFoundError
    return found


def _asked(write: Write, handover_ref: int, persons: Sequence[PersonRef] | None, wanted: str) -> list[PersonRef]:
    """Who of these is still to be answered for. Raises for somebody who is not of the list, or decided otherwise."""
    states = handover_store.people(write, handover_ref)
    named = list(states) if persons is None else sorted(set(persons))
    if any(person not in states for person in named):
        raise HandoverNotFoundError
    if persons is not None and any(states[person][0] not in {ASKED, wanted} for person in named):
        raise HandoverDecidedError
    return [person for person in named if states[person][0] == ASKED]


def _require(holds: bool, field: str, zh: str, en: str) -> None:  # noqa: FBT001 - a condition and its sentences
    if not holds:
        raise InputInvalidError(faults=(Fault(field, field, zh, en),))
