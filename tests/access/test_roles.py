"""The table of permissions itself."""

from __future__ import annotations

from tianfu.access.roles import PERMISSIONS, Action


def test_every_action_belongs_to_some_role() -> None:
    assert {action for _, action in PERMISSIONS} == set(Action)


def test_reading_a_record_always_needs_a_purpose_and_a_place() -> None:
    for (_, action), permission in PERMISSIONS.items():
        if action is Action.EXPLAIN_PERSON:
            assert permission.purposes
            assert permission.in_place


def test_no_action_writes_a_colour() -> None:
    assert not [action for action in Action if "colour" in action.value or "status" in action.value]
