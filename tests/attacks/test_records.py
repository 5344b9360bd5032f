"""Attacks on people's records: looking somebody up by document, and reading record after record."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from tests.support.control import LI, PASSPORT, ZHANG, Browser, Control
from tests.support.evidence import contact
from tests.support.gate import GateWorld, gate_process
from tests.support.lookup import CANARY, LOOKUP, NOBODY, form, known, spend, statements
from tests.support.ports import free_port
from tests.support.status import append, recompute_all
from tianfu.access.lookup_budget import ACCOUNT_PER_DAY_MAX
from tianfu.platform.database import Purpose
from tianfu.residents import canaries, documents

# What is answered about a person's health.
TOLD = ("colour", "popup", "reason", "test", "vaccination", "travel")


def test_attack_12_whether_a_person_exists_shows_neither_in_the_answer_nor_in_what_is_asked_of_the_database(
    control: Control, guard: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = control.browser()
    assert registered.claim().status_code == 201
    known(control, LI)
    recompute_all(control.database, at=control.clock.now())
    infected = known(control, PASSPORT)
    append(control.database, contact(infected, "c-1"), at=control.clock.now())
    recompute_all(control.database, at=control.clock.now())
    guard.ask("POST", LOOKUP, form())

    answers, asked = [], []
    for document in (ZHANG, LI, NOBODY, PASSPORT):
        with statements(monkeypatch) as sent:
            answers.append(guard.ask("POST", LOOKUP, form(document)))
        asked.append(sent)

    claimed, fed, nobody, _ = answers
    assert [answer.status_code for answer in answers] == [200] * 4
    neutral = [
        answer.content.replace(document["number"][-4:].encode(), b"####")
        for answer, document in zip((claimed, fed, nobody), (ZHANG, LI, NOBODY), strict=True)
    ]
    assert neutral[0] == neutral[1] == neutral[2]
    assert {str(answer.headers) for answer in (claimed, fed, nobody)} == {str(nobody.headers)}
    assert asked[0] == asked[1] == asked[2] == asked[3]
    assert len(asked[0]) > 8


def test_attack_12_no_address_takes_a_document_and_none_but_the_guards_tells_a_status_for_one(
    control: Control,
) -> None:
    described = control.browser().ask("GET", "/api/v1/openapi.json").json()
    parameters = {
        parameter["name"]
        for path in described["paths"].values()
        for method in path.values()
        for parameter in method.get("parameters", [])
    }
    taking = {
        path
        for path, methods in described["paths"].items()
        for method in methods.values()
        if any("document" in field for field in fields_of(described, method))
    }

    assert not {name for name in parameters if any(word in name for word in ("document", "number", "name", "phone"))}
    assert taking == {"/api/v1/claims", "/api/v1/sessions", LOOKUP}
    for path in sorted(taking):
        answer = control.browser().ask("POST", path, form())
        assert answer.status_code >= 400
        assert not set(TOLD) & set(answer.json())


def fields_of(described: dict[str, Any], method: dict[str, Any]) -> set[str]:
    """The names of the fields that a method's body may have."""
    found: set[str] = set()
    for content in method.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        found |= set(described["components"]["schemas"].get(name, content["schema"]).get("properties", {}))
    return found


def test_attack_13_the_thousand_and_first_look_of_a_day_is_refused_recorded_and_alarmed(
    control: Control, guard: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = control.browser()
    holder.claim()
    number = control.account_number("guard")
    spend(control, "account", number, "day", ACCOUNT_PER_DAY_MAX - 1)

    last = guard.ask("POST", LOOKUP, form(NOBODY))
    quiet = capsys.readouterr().err
    over = guard.ask("POST", LOOKUP, form())

    assert (last.status_code, "budget" in quiet) == (200, False)
    assert (over.status_code, over.json()["code"]) == (429, "lookup_budget_spent")
    assert int(over.headers["retry-after"]) > 3_600
    assert "a budget of look-ups is spent" in capsys.readouterr().err
    assert holder.ask("GET", "/api/v1/me/reads").json()[0]["action"] == "id_lookup_refused"


def test_attack_13_a_look_at_a_canary_is_answered_like_any_other_and_raises_an_alarm(
    control: Control, guard: Browser, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = documents.parse(CANARY["type"], CANARY["number"], at=control.clock.now())
    with control.database.write(Purpose.OPERATOR) as write:
        assert canaries.add(write, document, pseudonym=control.pseudonym, at=control.clock.now())
    guard.ask("POST", LOOKUP, form(NOBODY))
    capsys.readouterr()

    with statements(monkeypatch) as for_nobody:
        nobody = guard.ask("POST", LOOKUP, form(NOBODY))
    quiet = capsys.readouterr().err
    with statements(monkeypatch) as for_canary:
        canary = guard.ask("POST", LOOKUP, form(CANARY))

    alarm = capsys.readouterr().err
    digits = CANARY["number"][-4:].encode(), NOBODY["number"][-4:].encode()
    assert canary.content.replace(*digits) == nobody.content
    assert for_canary == for_nobody
    assert "canary" not in quiet
    assert "a canary document was looked up" in alarm
    assert CANARY["number"] not in alarm


def test_attack_13_a_gate_has_no_address_that_lists_people_or_takes_their_number(world: GateWorld) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with gate_process(world.var, port), httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        client.cookies["tianfu_operator"] = world.guard_token()
        client.cookies["tianfu_session"] = world.resident(1)
        tried = [
            client.get(path).status_code
            for path in ("/gate/v1/people", "/gate/v1/code/3", "/gate/v1/check/3", "/gate/v1/", "/gate/", "/board/v1/")
        ]
        own = [client.get(f"/gate/v1/code?{query}").json() for query in ("person=3", "subject=3", "fresh=1")]
        metrics = client.get("/gate/v1/metrics").text

    assert set(tried) == {404}
    assert {answer["colour"] for answer in own} == {"green"}, "one's own, whoever is asked for"
    for one, other in itertools.product(("李", "123X", "tianfu_session="), (metrics, str(tried))):
        assert one not in other
