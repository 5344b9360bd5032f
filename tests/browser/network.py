"""What lies between a phone and the real system: it can be away, lose an answer, and remembers what passed."""

from __future__ import annotations

import base64
import json
from typing import Any

from playwright.sync_api import BrowserContext, Route


class Network:
    """The network of one browser context."""

    def __init__(self, context: BrowserContext) -> None:
        self.certificates: list[bytes] = []
        self.public_keys: list[bytes] = []
        self.visits: list[dict[str, Any]] = []
        # The status of each that reached the gate, whether the phone heard it or not.
        self.visits_answered: list[int] = []
        self.codes_asked = 0
        self.details_asked = 0
        self.is_away = False
        self.answers_lost = 0
        self.busy_seconds = 0
        # Put over what the gate says with a code: what it leaves out under heavy use cannot be had from a quiet one.
        self.said_instead: dict[str, Any] = {}
        context.route("**/api/portal/device-key", self._certify)
        context.route("**/api/v1/me/**", self._detail)
        context.route("**/gate/v1/scan", self._scan)
        context.route("**/gate/v1/code", self._code)

    def _certify(self, route: Route) -> None:
        if self.is_away:
            route.abort("internetdisconnected")
            return
        answer = route.fetch()
        self.public_keys.append(bytes_of(json.loads(route.request.post_data or "")["public_key"]))
        self.certificates.append(bytes_of(answer.json()["certificate"]))
        route.fulfill(response=answer)

    def _scan(self, route: Route) -> None:
        self.visits.append(json.loads(route.request.post_data or ""))
        if self.is_away:
            route.abort("internetdisconnected")
            return
        answer = route.fetch()
        self.visits_answered.append(answer.status)
        if self.answers_lost > 0:
            self.answers_lost -= 1
            route.abort("connectionreset")
            return
        route.fulfill(response=answer)

    def _code(self, route: Route) -> None:
        self.codes_asked += 1
        if self.is_away:
            route.abort("internetdisconnected")
            return
        if self.busy_seconds:
            route.fulfill(status=503, headers={"Retry-After": str(self.busy_seconds)}, json={"code": "gate_busy"})
            return
        answer = route.fetch()
        if answer.ok and self.said_instead:
            route.fulfill(response=answer, json={**answer.json(), **self.said_instead})
        else:
            route.fulfill(response=answer)

    def _detail(self, route: Route) -> None:
        self.details_asked += 1
        route.continue_()


def bytes_of(text: str) -> bytes:
    """What unpadded base64url stands for."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
