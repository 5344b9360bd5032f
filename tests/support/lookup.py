"""Guards who look people up by document, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.support.control import ZHANG, Browser, Control, resident_id
from tianfu.access.roles import Role
from tianfu.clock import day_start, shanghai_day
from tianfu.ids import PersonRef
from tianfu.platform.database import Purpose
from tianfu.residents import documents, people

LOOKUP = "/api/v1/console/id-lookup"
NOBODY = {"type": "resident_id", "number": resident_id("51010719770615003")}
CANARY = {"type": "resident_id", "number": resident_id("51010719660101004")}


def form(document: dict[str, str] = ZHANG, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "document_type": document["type"],
        "document_number": document["number"],
        "consent": True,
        "purpose": "entry",
    } | changes


def known(control: Control, document: dict[str, str]) -> PersonRef:
    """The person of a document, numbered now if they were not."""
    parsed = documents.parse(document["type"], document["number"], at=control.clock.now())
    with control.database.write(Purpose.OPERATOR) as write:
        return people.refer(write, [parsed], pseudonym=control.pseudonym, at=control.clock.now())[0]


def venue_with(control: Control, *guards: str) -> str:
    """A venue of its own manager, the guards bound to it."""
    manager = control.browser()
    if manager.sign_in("manager").status_code != 201:
        control.account("manager", (Role.VENUE_MANAGER, "510107"))
        manager.sign_in("manager")
    sent = {"name": "望江楼公园", "category": "park", "district": "510107", "address": "望江路 30 号"}
    venue: str = manager.ask("POST", "/api/v1/console/venues", sent).json()["venue_ref"]
    for guard in guards:
        control.account(guard, (Role.GUARD, "510107"))
        bound = manager.ask("POST", f"/api/v1/console/venues/{venue}/guards", {"username": guard})
        assert bound.status_code == 204
    return venue


def on_duty(control: Control, name: str) -> Browser:
    guard = control.browser()
    assert guard.sign_in(name).json()["venue"] is not None
    return guard


def spend(control: Control, holder: str, number: int, span: str, lookups: int) -> None:
    """Have so many look-ups counted already in the window of now."""
    at = control.clock.now()
    begins_at = day_start(shanghai_day(at)) if span == "day" else at.replace(minute=0, second=0, microsecond=0)
    with control.database.write(Purpose.OPERATOR) as write:
        write.execute(
            "insert into lookup_budget (holder, holder_ref, span, begins_at, lookups) values (%s, %s, %s, %s, %s)",
            (holder, number, span, begins_at, lookups),
        )


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The text of every statement that the application sends meanwhile."""
    sent: list[str] = []
    execute: Any = psycopg.Connection.execute

    def noted(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - psycopg's own
        sent.append(str(query))
        return execute(self, query, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", noted)
        yield sent
