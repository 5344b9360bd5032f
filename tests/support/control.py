"""The control API for tests: the real application on a real database, spoken to as a browser would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from litestar.testing import TestClient

from tests.support.clock import NOON, FixedClock
from tests.support.status import POLICY_FILE
from tianfu.access import accounts
from tianfu.access.accounts import Account
from tianfu.access.roles import Role
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.pseudonym import Pseudonym
from tianfu.policy import publish
from tianfu.residents import consents
from tianfu.services.control import build

ORIGIN = "http://tianfu.test"
PASSWORD = "correct horse battery"


def resident_id(stem: str) -> str:
    """`stem`, seventeen digits, with its check character."""
    check = (1 - 2 * int(stem, 13)) % 11
    return stem + ("X" if check == 10 else str(check))


# Synthetic: valid in form, sequence numbers of a county that nobody here was registered in.
ZHANG = {"type": "resident_id", "number": resident_id("51010719900307011")}
LI = {"type": "resident_id", "number": resident_id("51010719850218002")}
PASSPORT = {"type": "passport", "number": "E12345678"}
PHONE = "13800000001"
OTHER_PHONE = "13800000002"


def publish_policy(database: Database, at: datetime = NOON) -> None:
    """Put the province's rule set in force."""
    body = POLICY_FILE.read_bytes()
    with database.write(Purpose.WORKER) as write:
        publish.publish(write, body=body, published_by="li.na", approved_by="wang.wei", effective_from=at, at=at)


class Browser:
    """One client with its own cookies."""

    def __init__(self, client: httpx.Client, clock: FixedClock) -> None:
        self.http = client
        self.clock = clock

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        sent = {"Accept-Language": "en"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            if method == "POST":
                sent.setdefault("Content-Type", "application/json")
            return self.http.request(method, path, headers=sent)
        return self.http.request(method, path, json=body, headers=sent)

    def challenge(self, phone: str = PHONE) -> dict[str, str]:
        """A challenge and its password, as the sandbox shows it."""
        answer = self.ask("POST", "/api/v1/one-time-passwords", {"phone": phone})
        assert answer.status_code == 202, answer.text
        content = answer.json()
        return {"challenge": content["challenge"], "one_time_password": content["sandbox_code"]}

    def claim_form(self, **changes: object) -> dict[str, object]:
        form: dict[str, object] = {
            "name": "张小明",
            "document": ZHANG,
            "phone": PHONE,
            "district": "510107",
            "consents": ["claim", "health", "visits"],
            "consent_version": consents.VERSION,
            "language": "zh",
        }
        form |= changes
        if "challenge" not in form:
            form |= self.challenge(str(form["phone"]))
        return form

    def claim(self, **changes: object) -> httpx.Response:
        return self.ask("POST", "/api/v1/claims", self.claim_form(**changes))

    def sign_in(self, username: str, **more: object) -> httpx.Response:
        return self.ask("POST", "/api/v1/console/sessions", {"username": username, "password": PASSWORD} | more)


class Control:
    """The application, its database and its clock; `browser()` opens as many clients as a test needs."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.clock = FixedClock()
        self.folder = folder
        self._transport: httpx.BaseTransport | None = None
        environment = {"TIANFU_VAR": str(folder), "TIANFU_ENV": "test", "TIANFU_PUBLIC_ORIGIN": ORIGIN}
        self.settings = settings.load(environment)
        self.app = build(self.settings, database, clock=self.clock)
        self.pseudonym = Pseudonym(
            RecordKeys.load_or_create(folder / "keys" / "records.json", clock=self.clock), clock=self.clock
        )

    @contextmanager
    def served(self) -> Iterator[Control]:
        """Run the application's event loop."""
        app: Any = self.app
        with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as client:
            self._transport = client._transport
            yield self

    def browser(self) -> Browser:
        """A client without cookies."""
        return Browser(httpx.Client(transport=self._transport, base_url=ORIGIN), self.clock)

    def account(self, username: str, *grants: tuple[Role, str]) -> Account:
        """An operator with the password of the tests."""
        with self.database.write(Purpose.OPERATOR) as write:
            accounts.create(write, username=username, display_name=username, password=PASSWORD, at=self.clock.now())
            for role, district in grants:
                accounts.grant(write, username=username, role=role, district=district)
            found = accounts.find(write, username)
        assert found is not None
        return found

    def account_number(self, username: str) -> int:
        """The number of an account that exists."""
        with self.database.read(Purpose.OPERATOR) as read:
            found = accounts.find(read, username)
        assert found is not None
        return found.account_ref

    def count(self, table: str) -> int:
        queries = {
            "person": "select count(*) from person",
            "resident": "select count(*) from resident",
            "consent": "select count(*) from consent",
            "audit_trail": "select count(*) from audit_trail",
            "evidence_change": "select count(*) from evidence_change",
            "evidence": "select count(*) from evidence",
            "venue": "select count(*) from venue",
        }
        with self.database.read(Purpose.OPERATOR) as read:
            counted: int = read.value(queries[table])
        return counted
