"""The HTTP providers against a real server that answers well, badly, slowly or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clock import NOON
from tianfu.platform import settings
from tianfu.platform.settings import Environment
from tianfu.residents import documents
from tianfu.residents.proofing import (
    MessageNotSentError,
    ProofingRefusedError,
    ProofingUnavailableError,
    SandboxInProductionError,
    SandboxMessages,
    SandboxProofing,
)
from tianfu.residents.proofing_http import (
    HttpMessages,
    HttpProofing,
    ProofingTokenError,
    open_client,
    providers,
    read_token,
)

TOKEN = "synthetic-token-0123456789"
DOCUMENT = documents.parse("passport", "E12345678", at=NOON)


class Provider:
    """A provider on loopback; `answer` is what it says next."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b'{"verified": true, "reference": "check-1"}'
        self.headers: dict[str, str] = {}
        self.delay_seconds = 0.0
        self.asked: list[tuple[str | None, Any]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                provider.asked.append((self.headers["Authorization"], json.loads(self.rfile.read(length))))
                time.sleep(provider.delay_seconds)
                self.send_response(provider.status)
                for name, value in provider.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(provider.body)))
                self.end_headers()
                self.wfile.write(provider.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/check"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def provider() -> Iterator[Provider]:
    started = Provider()
    yield started
    started.stop()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with open_client(TOKEN, timeout_ms=300) as opened:
        yield opened


def test_a_confirmed_identity_carries_the_providers_reference(provider: Provider, client: httpx.Client) -> None:
    proof = HttpProofing(client, provider.url).prove(name="张三", document=DOCUMENT, ticket="face-1")

    assert proof.provider == "http"
    assert proof.reference == "check-1"
    assert provider.asked == [
        (
            f"Bearer {TOKEN}",
            {"name": "张三", "document": {"type": "passport", "number": "E12345678"}, "ticket": "face-1"},
        )
    ]


def test_a_refused_identity_is_refused(provider: Provider, client: httpx.Client) -> None:
    provider.body = b'{"verified": false}'

    with pytest.raises(ProofingRefusedError):
        HttpProofing(client, provider.url).prove(name="张三", document=DOCUMENT, ticket=None)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (302, b""),
        (200, b"yes"),
        (200, b'{"verified": "true", "reference": "x"}'),
        (200, b'{"verified": true}'),
        (200, b'{"verified": true, "reference": "' + b"x" * 20_000 + b'"}'),
        (200, b'{"verified": true, "reference": "' + b"x" * 129 + b'"}'),
        (200, b"\xff\xfe"),
        (401, b'{"verified": true, "reference": "x"}'),
    ],
)
def test_anything_unclear_is_never_a_yes(provider: Provider, client: httpx.Client, status: int, body: bytes) -> None:
    provider.status, provider.body = status, body
    provider.headers = {"Location": provider.url} if status == 302 else {}

    with pytest.raises(ProofingUnavailableError):
        HttpProofing(client, provider.url).prove(name="张三", document=DOCUMENT, ticket=None)


def test_a_silent_provider_costs_its_time_limit_and_no_more(provider: Provider, client: httpx.Client) -> None:
    provider.delay_seconds = 1.0

    with pytest.raises(ProofingUnavailableError):
        HttpProofing(client, provider.url).prove(name="张三", document=DOCUMENT, ticket=None)


def test_no_provider_at_all_is_said_so(client: httpx.Client) -> None:
    with pytest.raises(ProofingUnavailableError):
        HttpProofing(client, "http://127.0.0.1:1/").prove(name="张三", document=DOCUMENT, ticket=None)


def test_a_message_is_sent_or_said_not_to_be(provider: Provider, client: httpx.Client) -> None:
    messages = HttpMessages(client, provider.url)
    provider.body = b'{"accepted": true}'
    messages.send(phone="+8613800000001", code="012345", language="zh")
    provider.body = b'{"accepted": false}'

    with pytest.raises(MessageNotSentError):
        messages.send(phone="+8613800000001", code="012345", language="zh")
    assert provider.asked[0][1] == {
        "phone": "+8613800000001",
        "template": "one_time_password",
        "code": "012345",
        "language": "zh",
    }


def test_the_token_is_read_from_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "proofing.token"
    with pytest.raises(ProofingTokenError):
        read_token(path)
    path.write_text(TOKEN + "\n")
    path.chmod(0o644)
    with pytest.raises(ProofingTokenError):
        read_token(path)

    path.chmod(0o600)

    assert read_token(path) == TOKEN
    path.write_text("two words of text")
    with pytest.raises(ProofingTokenError):
        read_token(path)


def test_the_sandbox_does_not_exist_in_production() -> None:
    with pytest.raises(SandboxInProductionError):
        SandboxProofing(Environment.PRODUCTION)
    with pytest.raises(SandboxInProductionError):
        SandboxMessages(Environment.PRODUCTION)


def test_the_settings_choose_the_providers(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    token = tmp_path / "keys" / "proofing.token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    environment = {
        "TIANFU_VAR": str(tmp_path),
        "TIANFU_PROOFING": "http",
        "TIANFU_PROOFING_URL": "https://identity.example/check",
        "TIANFU_MESSAGE_URL": "https://messages.example/send",
    }

    proofing, messages = providers(settings.load(environment))
    sandbox, shown = providers(settings.load({"TIANFU_VAR": str(tmp_path)}))

    assert (proofing.is_sandbox, messages.shows_code) == (False, False)
    assert (sandbox.is_sandbox, shown.shows_code) == (True, True)
