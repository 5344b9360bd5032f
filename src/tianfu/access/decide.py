"""May this operator do this, here, for this purpose? Pure: no I/O, no clock.

Every console handler asks before it acts, with the purpose that the request states (`tianfu.console.purposes`). The
answer is a value; `require` turns a refusal into the error that is shown.
"""

from __future__ import annotations

import enum

import msgspec

from tianfu.access.roles import PERMISSIONS, Action, Permission, Purpose, Role
from tianfu.errors import TianfuError


class Grant(msgspec.Struct, frozen=True):
    """One role, held in one district (a prefix of a division code, `""` for everywhere)."""

    role: Role
    district: str


class Principal(msgspec.Struct, frozen=True):
    """An operator who has signed in."""

    account: int
    grants: tuple[Grant, ...]


class Resource(msgspec.Struct, frozen=True):
    """What is acted on: the place it lies in, and the accounts it belongs to (manager or bound guards)."""

    place: str | None
    owners: frozenset[int] = frozenset()


class Refusal(enum.Enum):
    """Why not. For the trail and the tests; the operator is told one sentence for all of them."""

    ROLE = "role"
    PURPOSE = "purpose"
    PLACE = "place"
    OWNER = "owner"


class Allowed(msgspec.Struct, frozen=True):
    """Yes, by this grant; the role is what the trail names."""

    grant: Grant


class Refused(msgspec.Struct, frozen=True):
    """No. `reason` is the first condition missed by the grant that came closest."""

    reason: Refusal


class ForbiddenError(TianfuError):
    """The operator's roles, places or stated purpose do not cover this."""

    code = "forbidden"
    status = 403
    zh = "您的岗位、辖区或办理事由不允许此操作。"
    en = "Your role, district or stated purpose does not allow this."


def decide(principal: Principal, action: Action, resource: Resource, *, purpose: Purpose | None = None) -> Verdict:
    """Allowed by the first grant that meets every condition of its role for `action`; refused otherwise."""
    nearest = Refusal.ROLE
    for grant in principal.grants:
        permission = PERMISSIONS.get((grant.role, action))
        if permission is None:
            continue
        missed = _missed(permission, grant, principal, resource, purpose)
        if missed is None:
            return Allowed(grant)
        if _ORDER.index(missed) > _ORDER.index(nearest):
            nearest = missed
    return Refused(nearest)


def require(principal: Principal, action: Action, resource: Resource, *, purpose: Purpose | None = None) -> Grant:
    """The grant that allows it. Raises `ForbiddenError`."""
    verdict = decide(principal, action, resource, purpose=purpose)
    if isinstance(verdict, Refused):
        raise ForbiddenError
    return verdict.grant


def covers(scope: str, place: str | None) -> bool:
    """Whether a district a role is held in (a prefix) holds `place`; only the whole province holds an unknown one."""
    return scope == "" or (place is not None and place.startswith(scope))


Verdict = Allowed | Refused
_ORDER = tuple(Refusal)


def _missed(
    permission: Permission, grant: Grant, principal: Principal, resource: Resource, purpose: Purpose | None
) -> Refusal | None:
    """The first condition that does not hold, in the order of `Refusal`."""
    if permission.purposes and purpose not in permission.purposes:
        return Refusal.PURPOSE
    if permission.in_place and not covers(grant.district, resource.place):
        return Refusal.PLACE
    if permission.own and principal.account not in resource.owners:
        return Refusal.OWNER
    return None
