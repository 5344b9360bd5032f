"""The edge of the control API: limits, other sites, headers, faults, and a database that is away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from litestar import Request

from tests.support.control import ORIGIN, PHONE, Browser, Control
from tests.support.database import TestServer
from tianfu.clock import monotonic_seconds
from tianfu.platform import api, settings
from tianfu.platform.database import Database
from tianfu.platform.rates import Rate
from tianfu.services import control_parts

PASSWORDS = "/api/v1/one-time-passwords"
# Two seconds for a connection, and the rest for a busy machine.
TOLD_SECONDS_MAX = 20


def test_what_it_is_says_that_identities_are_not_really_checked(browser: Browser) -> None:
    assert browser.ask("GET", "/api/v1/info").json() == {"environment": "test", "sandbox": True, "version": "0.1.0"}


def test_consents_and_divisions_can_be_read_by_anybody(browser: Browser) -> None:
    texts = browser.ask("GET", "/api/v1/consents").json()
    places = browser.ask("GET", "/api/v1/divisions").json()

    assert all(purpose["zh"] and purpose["en"] for purpose in texts["purposes"])
    assert places[0] == {"code": "510000", "name": "四川省"}
    assert {"code": "510107", "name": "武侯区"} in places


def test_other_sites_cannot_act(browser: Browser) -> None:
    foreign = browser.ask("POST", PASSWORDS, {"phone": PHONE}, Origin="https://evil.example")
    null = browser.ask("POST", PASSWORDS, {"phone": PHONE}, Origin="null")
    own = browser.ask("POST", PASSWORDS, {"phone": PHONE}, Origin=ORIGIN)

    assert foreign.json()["code"] == null.json()["code"] == "origin_refused"
    assert own.status_code == 202


def test_a_web_form_cannot_post(browser: Browser) -> None:
    answer = browser.http.post(PASSWORDS, content=b'{"phone":"13800000001"}', headers={"Content-Type": "text/plain"})

    assert answer.status_code == 415
    assert answer.json()["code"] == "content_type_refused"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "body_unreadable"),
        (b"{", 400, "body_unreadable"),
        (b"[1]", 400, "body_unreadable"),
        (b'{"phone":"\xff"}', 400, "body_unreadable"),
        (b'{"phone":"138\\u0000"}', 400, "body_unreadable"),
        (b'{"phone":"\\ud800"}', 400, "body_unreadable"),
        (b'{"phone":1e999}', 400, "body_unreadable"),
        (b'{"phone":1e99}', 422, "input_invalid"),
        (b'{"phone":' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400, "body_unreadable"),
        (b'{"phone":"' + b"1" * 60_000 + b'"}', 422, "input_invalid"),
        (b'{"phone":"' + b"1" * 70_000 + b'"}', 413, "body_too_large"),
        (b'{"phone":"' + b"1" * 10_000_000 + b'"}', 413, "body_too_large"),
    ],
)
def test_bad_bodies_get_one_clear_problem(browser: Browser, content: bytes, status: int, code: str) -> None:
    answer = browser.http.post(PASSWORDS, content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_unknown_addresses_and_methods_are_problems_too(browser: Browser) -> None:
    missing = browser.ask("GET", "/api/v1/nothing")
    method = browser.ask("PUT", "/api/v1/claims", {})

    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.json()["code"]) == (405, "method_refused")


def test_every_answer_carries_the_security_headers(browser: Browser) -> None:
    for answer in (browser.ask("GET", "/api/v1/info"), browser.ask("GET", "/api/v1/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_description_names_every_route_and_body(browser: Browser) -> None:
    described = json.loads(browser.ask("GET", "/api/v1/openapi.json").content)

    claim = described["paths"]["/api/v1/claims"]["post"]
    properties = claim["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"name", "document", "phone", "one_time_password"} <= properties.keys()
    assert "/api/v1/console/venues/{venue_ref}/poster.svg" in described["paths"]


def test_no_route_takes_a_document_number_in_its_address(browser: Browser) -> None:
    described = json.loads(browser.ask("GET", "/api/v1/openapi.json").content)

    parameters = {
        parameter["name"]
        for methods in described["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", [])
    }
    # Our own running numbers, a funnel's step, an indicator: none of them says who somebody is.
    ours = {"venue_ref", "incident_no", "confirmation", "merge_ref", "task_ref", "handover_ref", "run"}
    assert parameters <= {*ours, "step", "measure"}


def test_a_flood_from_one_address_is_stopped(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = (Rate(per_minute=1, burst=3), Rate(per_minute=1, burst=3))
    monkeypatch.setattr(control_parts, "portal_rates", lambda: rates)
    with Control(database, tmp_path).served() as control:
        browser = control.browser()

        answers = [browser.ask("POST", PASSWORDS, {"phone": "nonsense"}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("peer", "address"), [("127.0.0.1", "203.0.113.9"), ("::1", "203.0.113.9"), ("198.51.100.7", "198.51.100.7")]
)
def test_only_the_origin_on_this_machine_says_where_a_request_came_from(peer: str, address: str) -> None:
    scope = {"type": "http", "client": (peer, 4000), "headers": [(b"x-forwarded-for", b"203.0.113.9")]}

    assert api.client_address(Request(scope)) == address  # type: ignore[arg-type]  # as much of a scope as is looked at


def test_claiming_says_so_when_the_database_is_away(postgres_server: TestServer, tmp_path: Path) -> None:
    name = postgres_server.create()
    with Database.open(postgres_server.url_of(name), settings.load({}).database) as database:
        control = Control(database, tmp_path)
        postgres_server.drop(name)
        with control.served():
            started = monotonic_seconds()
            answer = control.browser().ask("POST", PASSWORDS, {"phone": PHONE}, Accept_Language="zh")

    assert answer.status_code == 503
    assert answer.json()["code"] in {"database_unavailable", "database_busy"}
    assert "系统" in answer.json()["detail"]
    assert monotonic_seconds() - started < TOLD_SECONDS_MAX
