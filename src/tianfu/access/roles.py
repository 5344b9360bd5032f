"""Roles of operators, what each may do, and for which purposes.

A role is held in a place: a prefix of a GB/T 2260 code, `""` for the whole province. The table below is the one
answer to "who may": nothing else in the system grants anything.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec


class Role(enum.Enum):
    """What an operator is. No role can write a colour, because nothing can."""

    ADMINISTRATOR = "administrator"
    VENUE_MANAGER = "venue_manager"
    GUARD = "guard"
    EPIDEMIOLOGIST = "epidemiologist"
    FIELD_WORKER = "field_worker"
    DESK = "desk"
    AUDITOR = "auditor"


class Action(enum.Enum):
    """What can be asked of the console."""

    CREATE_VENUE = "create_venue"
    LIST_VENUES = "list_venues"
    PRINT_POSTER = "print_poster"
    BIND_GUARD = "bind_guard"
    RENEW_POSTER = "renew_poster"
    CLOSE_VENUE = "close_venue"
    CHECK_CODE = "check_code"
    EXPLAIN_PERSON = "explain_person"
    LOOK_UP_DOCUMENT = "look_up_document"
    OPEN_INCIDENT = "open_incident"
    READ_INCIDENT = "read_incident"
    TRACE = "trace"
    CONFIRM_CONTACTS = "confirm_contacts"
    EXPORT_CONTACTS = "export_contacts"
    FOLLOW_UP = "follow_up"
    ASSIGN_FOLLOW_UP = "assign_follow_up"
    MERGE_PEOPLE = "merge_people"


class Purpose(enum.Enum):
    """Why a person's record is read. Written in the trail, and shown to the person."""

    INVESTIGATION = "investigation"
    CONSULTATION = "consultation"
    APPEAL = "appeal"
    ENTRY = "entry"
    FOLLOW_UP = "follow_up"


class Permission(msgspec.Struct, frozen=True):
    """What one role needs for one action.

    `purposes` empty: the action reads nobody's record and needs no purpose. `in_place`: the resource must lie in
    the district the role is held in. `own`: the resource must belong to the operator (a manager's own venue, the
    venue a guard is bound to).
    """

    purposes: frozenset[Purpose] = frozenset()
    in_place: bool = True
    own: bool = False


_OWN_VENUE: Final = Permission(own=True)
_INVESTIGATING: Final = Permission(purposes=frozenset({Purpose.INVESTIGATION}))
_FOLLOWING_UP: Final = Permission(purposes=frozenset({Purpose.FOLLOW_UP}))

PERMISSIONS: Final[dict[tuple[Role, Action], Permission]] = {
    (Role.VENUE_MANAGER, Action.CREATE_VENUE): Permission(),
    (Role.VENUE_MANAGER, Action.LIST_VENUES): Permission(in_place=False),
    (Role.VENUE_MANAGER, Action.PRINT_POSTER): _OWN_VENUE,
    (Role.VENUE_MANAGER, Action.BIND_GUARD): _OWN_VENUE,
    (Role.VENUE_MANAGER, Action.RENEW_POSTER): _OWN_VENUE,
    (Role.VENUE_MANAGER, Action.CLOSE_VENUE): _OWN_VENUE,
    # A guard's place is the venue: being bound to it is what counts.
    (Role.GUARD, Action.CHECK_CODE): Permission(in_place=False, own=True),
    (Role.GUARD, Action.LOOK_UP_DOCUMENT): Permission(purposes=frozenset({Purpose.ENTRY}), in_place=False, own=True),
    (Role.EPIDEMIOLOGIST, Action.EXPLAIN_PERSON): _INVESTIGATING,
    (Role.EPIDEMIOLOGIST, Action.OPEN_INCIDENT): _INVESTIGATING,
    (Role.EPIDEMIOLOGIST, Action.READ_INCIDENT): _INVESTIGATING,
    (Role.EPIDEMIOLOGIST, Action.TRACE): _INVESTIGATING,
    (Role.EPIDEMIOLOGIST, Action.CONFIRM_CONTACTS): _INVESTIGATING,
    (Role.EPIDEMIOLOGIST, Action.EXPORT_CONTACTS): _INVESTIGATING,
    (Role.EPIDEMIOLOGIST, Action.ASSIGN_FOLLOW_UP): _INVESTIGATING,
    (Role.EPIDEMIOLOGIST, Action.MERGE_PEOPLE): _INVESTIGATING,
    (Role.FIELD_WORKER, Action.FOLLOW_UP): _FOLLOWING_UP,
    (Role.FIELD_WORKER, Action.EXPORT_CONTACTS): _FOLLOWING_UP,
    (Role.DESK, Action.EXPLAIN_PERSON): Permission(purposes=frozenset({Purpose.CONSULTATION, Purpose.APPEAL})),
}
