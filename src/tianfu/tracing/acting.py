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
    """`name` is an account's, `os:` and the operating system's user, or `tracer`; `detail` says by which right."""

    kind: ActorKind
    name: str
    detail: Mapping[str, Any] = {}

    @classmethod
    def operator(cls, username: str, grant: Grant) -> Actor:
        """An operator whose `grant` allows what is done."""
        return cls("operator", username, {"role": grant.role.value})

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
    purpose: Purpose = Purpose.INVESTIGATION,
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
            purpose=purpose.value,
            person=person,
            subject=f"incident:{number}",
            detail={**actor.detail, **detail},
        ),
    )
