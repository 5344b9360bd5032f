"""Who acts in an incident, as the trail names them: an operator, somebody at the terminal, or the system by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from tianfu.access.decide import Grant
from tianfu.access.roles import Purpose
from tianfu.audit import trail
from tianfu.audit.trail import ActorKind
from tianfu.ids import PersonRef
from tianfu.platform.database import Write


class Actor(msgspec.Struct, frozen=True):
    """`name` is an account's, `os:` and the operating system's user, or `tracer`; `detail` says by which right.

    `purpose` is what the trail says where nothing else is stated for one act.
    """

    kind: ActorKind
    name: str
    detail: Mapping[str, Any] = {}
    purpose: Purpose = Purpose.INVESTIGATION

    @classmethod
    def operator(cls, username: str, grant: Grant, purpose: Purpose) -> Actor:
        """An operator whose `grant` allows what is done for the `purpose` that they stated."""
        return cls("operator", username, {"role": grant.role.value}, purpose)

    @classmethod
    def terminal(cls, name: str) -> Actor:
        """The operating system's user at the terminal."""
        return cls("operator", name, {"channel": "terminal"})


# What traces by itself.
TRACER: Final = Actor("system", "tracer")


def record(
    write: Write,
    actor: Actor,
    action: str,
    number: str,
    *,
    at: datetime,
    person: PersonRef | None = None,
    purpose: Purpose | None = None,
    **detail: str | int,
) -> int:
    """The trail row of something done in incident `number`; belongs at the end of its transaction."""
    return trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind=actor.kind,
            actor=actor.name,
            action=action,
            purpose=(purpose or actor.purpose).value,
            person=person,
            subject=f"incident:{number}",
            detail={**actor.detail, **detail},
        ),
    )
