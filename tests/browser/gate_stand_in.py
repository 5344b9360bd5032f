"""What a guard's page asks of a gate, where a test needs another answer than the running gate would give.

Lists cannot be made old and networks cannot be cut in the running Tianfu, so answers are given here, signed with the
real keys of that Tianfu. Whatever a test has not changed goes to the real gate.
"""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Callable

import httpx
from playwright.sync_api import Page, Route

from tests.support.offline_codes import (
    ToldKey,
    card,
    card_content,
    certificate,
    compressed,
    key_of,
    not_green_list,
    root,
    showing,
    told,
    trust_list,
)
from tests.support.running import RunningTianfu
from tianfu.clock import now_milliseconds
from tianfu.passcode import base45
from tianfu.passcode.card import read_card
from tianfu.passcode.lists import NotGreenList, read_not_green
from tianfu.passcode.token import Token, encode
from tianfu.platform.cose import sign1
from tianfu.platform.keyring import GateKeys, GateKeySet
from tianfu.platform.sign import KeyPurpose, SigningKey


class Trouble(enum.Enum):
    """How a gate can be away."""

    CUT = "no connection"
    BUSY = "503 with Retry-After"
    SILENT = "no answer"
    PORTAL = "somebody else's page with status 200"


class GateStandIn:
    """The gate as one page sees it."""

    def __init__(self, page: Page, tianfu: RunningTianfu) -> None:
        """Stand between `page` and the gate of `tianfu`."""
        self.trouble: Trouble | None = None
        # The paths below /gate/v1/ that the page asked for, answered or not.
        self.asked: list[str] = []
        self.batches: list[list[dict[str, object]]] = []
        self.answers: dict[str, Callable[[], object]] = {}
        self._tianfu = tianfu
        page.route("**/gate/v1/**", self._route)

    @property
    def now(self) -> int:
        """Seconds since 1970."""
        return now_milliseconds() // 1000

    def signer(self, purpose: KeyPurpose) -> SigningKey:
        """The running gate's own key."""
        found = self._keys().signers[purpose]
        assert isinstance(found, SigningKey)
        return found

    def told(self) -> list[ToldKey]:
        """The keys of a trust list."""
        purposes = (KeyPurpose.PERSONAL, KeyPurpose.CARD, KeyPurpose.DEVICE, KeyPurpose.LIST)
        return [told(purpose.value, self.signer(purpose)) for purpose in purposes]

    def serve_lists(self, *, made_at: int, listed: tuple[bytes, ...] = (), number: int = 1) -> None:
        """Hand out lists made at that instant instead of the gate's."""
        signer = self.signer(KeyPurpose.LIST)
        trust = trust_list(signer, self.told(), made_at, number_=number)
        not_green = not_green_list(signer, listed, made_at, number_=number)
        self.answers["lists/root"] = lambda: root([told("list", signer)])
        self.answers["lists/trust"] = lambda: {"list": trust}
        self.answers["lists/not-green"] = lambda: {"list": not_green}

    def not_green(self) -> NotGreenList:
        """The list that the running gate hands out now."""
        answer = httpx.get(f"{self._tianfu.address}/gate/v1/lists/not-green", trust_env=False, timeout=30)
        return read_not_green(answer.json()["list"], self._keys().verify)

    def credential_of(self, card_code: str) -> bytes:
        """By what lists know a card."""
        return read_card(card_code, self._keys().verify).card.credential_id

    def dynamic(self, at: int, colour: int = 1) -> str:
        """A dynamic code made at that instant."""
        content = encode(Token(at + 90, at, os.urandom(8), os.urandom(8), colour, 7, "*小明", "431X"))
        return "HK1:" + base45.encode(sign1(self.signer(KeyPurpose.PERSONAL), content))

    def card(self, credential_id: bytes) -> str:
        """A printed card of yesterday."""
        return card(self.signer(KeyPurpose.CARD), card_content(credential_id, self.now - 86_400))

    def phones_own(self, credential_id: bytes) -> str:
        """A device-bound code shown now."""
        phone = key_of("phone")
        made = certificate(self.signer(KeyPurpose.DEVICE), credential_id, compressed(phone), self.now - 3600)
        return showing(made, phone, self.now)

    def _keys(self) -> GateKeySet:
        return GateKeys.load_or_create(self._tianfu.var / "keys" / "gate.json").at(self.now)

    def _route(self, route: Route) -> None:
        path = route.request.url.split("/gate/v1/")[1]
        self.asked.append(path)
        if path == "batch" and self.trouble is None:
            self.batches.append(json.loads(route.request.post_data or "{}")["items"])
        if self.trouble is not None:
            self._fail(route, self.trouble)
        elif path in self.answers:
            route.fulfill(json=self.answers[path]())
        else:
            route.continue_()

    def _fail(self, route: Route, trouble: Trouble) -> None:
        if trouble is Trouble.CUT:
            route.abort("internetdisconnected")
        elif trouble is Trouble.BUSY:
            route.fulfill(status=503, json={"code": "busy", "detail": "busy"}, headers={"Retry-After": "1"})
        elif trouble is Trouble.PORTAL:
            route.fulfill(status=200, content_type="text/html", body="<h1>green: please log in to the hotel</h1>")
