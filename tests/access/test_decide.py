"""Who may do what, where and what for: the table as examples, and that nothing else is granted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.access.decide import (
    Allowed,
    ForbiddenError,
    Grant,
    Principal,
    Refusal,
    Refused,
    Resource,
    covers,
    decide,
    require,
)
from tianfu.access.roles import PERMISSIONS, Action, Purpose, Role

MANAGER = Principal(7, (Grant(Role.VENUE_MANAGER, "5101"),))
DESK = Principal(8, (Grant(Role.DESK, "5101"),))


@pytest.mark.parametrize(
    ("principal", "action", "resource", "purpose", "refusal"),
    [
        (MANAGER, Action.CREATE_VENUE, Resource("510107"), None, None),
        (MANAGER, Action.CREATE_VENUE, Resource("510703"), None, Refusal.PLACE),
        (MANAGER, Action.PRINT_POSTER, Resource("510107", frozenset({7})), None, None),
        (MANAGER, Action.PRINT_POSTER, Resource("510107", frozenset({8})), None, Refusal.OWNER),
        (MANAGER, Action.EXPLAIN_PERSON, Resource("510107"), Purpose.APPEAL, Refusal.ROLE),
        (DESK, Action.EXPLAIN_PERSON, Resource("510107"), Purpose.APPEAL, None),
        (DESK, Action.EXPLAIN_PERSON, Resource("510107"), None, Refusal.PURPOSE),
        (DESK, Action.EXPLAIN_PERSON, Resource("510107"), Purpose.INVESTIGATION, Refusal.PURPOSE),
        (DESK, Action.EXPLAIN_PERSON, Resource(None), Purpose.APPEAL, Refusal.PLACE),
        (Principal(9, ()), Action.CHECK_CODE, Resource("510107", frozenset({9})), None, Refusal.ROLE),
    ],
)
def test_role_purpose_place_and_owner_decide(
    principal: Principal, action: Action, resource: Resource, purpose: Purpose | None, refusal: Refusal | None
) -> None:
    verdict = decide(principal, action, resource, purpose=purpose)

    assert verdict == (Refused(refusal) if refusal else Allowed(principal.grants[0]))


def test_a_second_grant_can_allow_what_the_first_does_not() -> None:
    both = Principal(7, (Grant(Role.DESK, "5107"), Grant(Role.EPIDEMIOLOGIST, "5101")))

    grant = require(both, Action.EXPLAIN_PERSON, Resource("510107"), purpose=Purpose.INVESTIGATION)

    assert grant.role is Role.EPIDEMIOLOGIST


def test_a_refusal_is_one_error_whatever_its_reason() -> None:
    with pytest.raises(ForbiddenError):
        require(DESK, Action.CREATE_VENUE, Resource("510107"))


def test_only_the_whole_province_holds_an_unknown_place() -> None:
    assert covers("", None)
    assert not covers("51", None)


grants = st.builds(Grant, st.sampled_from(Role), st.sampled_from(["", "51", "5101", "510107", "5107"]))
resources = st.builds(
    Resource,
    st.sampled_from(["510107", "510703", None]),
    st.frozensets(st.sampled_from([7, 8]), max_size=2),
)


@given(
    st.lists(grants, max_size=4),
    st.sampled_from(Action),
    resources,
    st.none() | st.sampled_from(Purpose),
)
def test_what_is_allowed_is_allowed_by_one_grant_that_meets_every_condition(
    held: list[Grant], action: Action, resource: Resource, purpose: Purpose | None
) -> None:
    verdict = decide(Principal(7, tuple(held)), action, resource, purpose=purpose)

    if isinstance(verdict, Allowed):
        permission = PERMISSIONS[verdict.grant.role, action]
        assert verdict.grant in held
        assert not permission.purposes or purpose in permission.purposes
        assert not permission.in_place or covers(verdict.grant.district, resource.place)
        assert not permission.own or 7 in resource.owners


@given(st.lists(grants, max_size=3), grants, st.sampled_from(Action), resources, st.sampled_from(Purpose))
def test_another_grant_never_takes_anything_away(
    held: list[Grant], more: Grant, action: Action, resource: Resource, purpose: Purpose
) -> None:
    before = decide(Principal(7, tuple(held)), action, resource, purpose=purpose)
    after = decide(Principal(7, (*held, more)), action, resource, purpose=purpose)

    assert not isinstance(before, Allowed) or isinstance(after, Allowed)
