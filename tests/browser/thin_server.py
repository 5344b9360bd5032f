"""The endpoints a phone prepares its offline hours with, answered beside the real system.

Device certificates and the printed card are answered here; codes and visits go to the real gate, unless it is said to
be away, and what passed is remembered.
"""

from __future__ import annotations

import base64
import json
import struct
import time
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import BrowserContext, Route

from tianfu.passcode import base45
from tianfu.platform.cbor import number, text
from tianfu.platform.cose import sign1
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret

DAY: Final = 86_400
_SHEET: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 105 148" width="105mm" height="148mm">'
    '<rect width="105" height="148" fill="#fff"/><text x="10" y="20" font-size="8">离线码 No. {number}</text></svg>'
)


class ThinServer:
    """Answers for one browser context; remembers what phones sent."""

    def __init__(self, context: BrowserContext) -> None:
        self.certificates: list[bytes] = []
        self.public_keys: list[bytes] = []
        self.visits: list[dict[str, Any]] = []
        self.codes_asked = 0
        self.details_asked = 0
        self.is_away = False
        self.answers_lost = 0
        self.extra: dict[str, Any] = {}
        self._signer = SigningKey(generate_secret(), KeyPurpose.PERSONAL)
        self._card: dict[str, Any] | None = None
        self._cards = 0
        context.route("**/api/portal/device-key", self._certify)
        context.route("**/api/portal/card", self._card_desk)
        context.route("**/api/v1/me/**", self._detail)
        context.route("**/gate/v1/scan", self._scan)
        context.route("**/gate/v1/code", self._code)

    def _certify(self, route: Route) -> None:
        if self.is_away:
            route.abort("internetdisconnected")
            return
        sent = json.loads(route.request.post_data or "")["public_key"]
        key = base64.urlsafe_b64decode(sent + "=")
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        now = int(time.time())
        head = struct.pack(">BBIBIB16s2s33s", 0x87, 0x1A, now + DAY, 0x1A, now, 0x50, bytes(16), b"\x58\x21", key)
        certificate = sign1(self._signer, head + number(7) + text("王*明".encode()) + text(b"431X"))
        self.public_keys.append(key)
        self.certificates.append(certificate)
        body = base64.urlsafe_b64encode(certificate).decode().rstrip("=")
        route.fulfill(json={"certificate": body, "issued_at": now, "expires_at": now + DAY})

    def _card_desk(self, route: Route) -> None:
        if route.request.method == "POST":
            self._cards += 1
            now = int(time.time())
            head = struct.pack(">BBIBIB16s", 0x87, 0x1A, now + 7 * DAY, 0x1A, now, 0x50, bytes(16))
            content = head + number(self._cards) + number(0) + text("王*明".encode()) + text(b"431X")
            code = "HK2:" + base45.encode(sign1(self._signer, content))
            sheet = _SHEET.format(number=self._cards)
            self._card = {"code": code, "expires_at": now + 7 * DAY, "generation": self._cards, "svg": sheet}
        if route.request.method == "DELETE":
            self._card = None
            route.fulfill(status=204)
            return
        route.fulfill(json=self._card)

    def _scan(self, route: Route) -> None:
        sent = json.loads(route.request.post_data or "")
        self.visits.append(sent)
        if self.is_away:
            route.abort("internetdisconnected")
            return
        answer = route.fetch()
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
        answer = route.fetch()
        if answer.ok and self.extra:
            route.fulfill(response=answer, json={**answer.json(), **self.extra})
        else:
            route.fulfill(response=answer)

    def _detail(self, route: Route) -> None:
        self.details_asked += 1
        route.continue_()
