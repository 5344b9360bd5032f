"""Residents and operators who speak to a running Tianfu over HTTP, as the web app does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx

from tianfu.synth.county import HOME_DIVISION, resident_number
from tianfu.synth.operators import ACCOUNTS

# The demo county gives serials from 1 up, a few of each day.
SERIAL_BEYOND_THE_DEMO = 990
FIRST_BIRTHDAY = date(1950, 1, 1)


def number_of(serial: int) -> str:
    """A valid number of nobody who is in the demo county; each `serial` from 1 to 20,000 has another."""
    return resident_number(FIRST_BIRTHDAY + timedelta(days=serial), SERIAL_BEYOND_THE_DEMO)


class Holder:
    """A resident with a client and cookies of their own."""

    def __init__(self, client: httpx.Client, number: str, phone: str, name: str = "测试人") -> None:
        self.client = client
        self.number = number
        self.phone = phone
        self.name = name

    def try_to_claim(self) -> httpx.Response:
        """Ask for a password and claim; the last answer."""
        asked = self.client.post("/api/v1/one-time-passwords", json={"phone": self.phone})
        if asked.status_code != 202:
            return asked
        listed = self.client.get("/api/v1/consents")
        if listed.status_code != 200:
            return listed
        consents, sent = listed.json(), asked.json()
        return self.client.post(
            "/api/v1/claims",
            json={
                "name": self.name,
                "document": {"type": "resident_id", "number": self.number},
                "phone": self.phone,
                "challenge": sent["challenge"],
                "one_time_password": sent["sandbox_code"],
                "district": HOME_DIVISION,
                "consents": [purpose["id"] for purpose in consents["purposes"]],
                "consent_version": consents["version"],
                "language": "zh",
            },
        )

    def claim(self) -> None:
        """Claim; fails when it is refused."""
        answer = self.try_to_claim()
        assert answer.status_code == 201, answer.text

    def declare(self) -> None:
        """Declare to be well."""
        body: dict[str, Any] = {"symptoms": [], "temperature_decidegrees": None, "truthful": True}
        answer = self.client.post("/api/v1/me/declarations", json=body)
        assert answer.status_code == 201, answer.text

    def code(self) -> dict[str, Any]:
        """What the gate shows."""
        answer = self.client.get("/gate/v1/code")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def scan(self, poster: str) -> httpx.Response:
        """Scan a venue's poster."""
        return self.client.post("/gate/v1/scan", json={"poster": poster})


def sign_in(client: httpx.Client, username: str) -> dict[str, Any]:
    """Sign one of the demo's operators in."""
    account = next(account for account in ACCOUNTS if account.username == username)
    body = {"username": username, "password": account.password}
    answer = client.post("/api/v1/console/sessions", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found
