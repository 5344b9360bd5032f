"""Identity proofing and messages over HTTP, by the contract in docs/proofing.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import httpx
import msgspec

from tianfu.errors import TianfuError
from tianfu.platform import tokenfile
from tianfu.platform.settings import ProofingProvider, Settings
from tianfu.platform.tokenfile import TokenUnusableError
from tianfu.residents.documents import Document
from tianfu.residents.proofing import (
    IdentityProofing,
    MessageNotSentError,
    MessageSender,
    Proof,
    ProofingRefusedError,
    ProofingUnavailableError,
    SandboxMessages,
    SandboxProofing,
)

TOKEN_FILE: Final = "proofing.token"  # noqa: S105 - the name of the file, not what is in it
# An answer of the contract has under 300 bytes.
_ANSWER_BYTES_MAX: Final = 16 * 1024
_REFERENCE_LENGTH_MAX: Final = 128
_CONNECTIONS_MAX: Final = 32
_SUCCESS: Final = 200

Parsed = TypeVar("Parsed")


class ProofingTokenError(TianfuError):
    """The token file is missing, readable by others, or holds no token."""

    code = "proofing_token"
    status = 500
    zh = "实名核验服务的密钥文件缺失、权限过宽或内容有误。"
    en = "The token file of the proofing provider is missing, readable by others, or malformed."


class _IdentityAnswer(msgspec.Struct):
    verified: bool
    reference: str = ""


class _MessageAnswer(msgspec.Struct):
    accepted: bool


def providers(settings: Settings) -> tuple[IdentityProofing, MessageSender]:
    """What the settings name. Raises `SandboxInProductionError` or `ProofingTokenError`."""
    if settings.proofing.provider is ProofingProvider.SANDBOX:
        return SandboxProofing(settings.environment), SandboxMessages(settings.environment)
    assert settings.proofing.identity_url and settings.proofing.message_url  # noqa: PT018, S101 - settings were checked
    token = read_token(settings.var / "keys" / TOKEN_FILE)
    client = open_client(token, timeout_ms=settings.proofing.timeout_ms)
    return (
        HttpProofing(client, settings.proofing.identity_url),
        HttpMessages(client, settings.proofing.message_url),
    )


def read_token(path: Path) -> str:
    """The bearer token in `path`, which only its owner may read. Raises `ProofingTokenError`."""
    try:
        return tokenfile.read_token(path)
    except TokenUnusableError as cause:
        raise ProofingTokenError from cause


def open_client(token: str, *, timeout_ms: int) -> httpx.Client:
    """A client that follows no redirect, keeps few connections, and gives up after the time limit."""
    return httpx.Client(
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        timeout=httpx.Timeout(timeout_ms / 1000),
        limits=httpx.Limits(max_connections=_CONNECTIONS_MAX),
        follow_redirects=False,
        trust_env=False,
    )


class HttpProofing:
    """Asks the identity provider; safe to share between threads."""

    is_sandbox: Final = False

    def __init__(self, client: httpx.Client, url: str) -> None:
        """Post to `url` with `client`, which carries the token."""
        self._client = client
        self._url = url

    def prove(self, *, name: str, document: Document, ticket: str | None) -> Proof:
        """The provider's answer, or its refusal; anything unclear is `ProofingUnavailableError`, never a yes."""
        question = {
            "name": name,
            "document": {"type": document.type.value, "number": document.number},
            "ticket": ticket,
        }
        answer = _post(self._client, self._url, question, _IdentityAnswer)
        if answer is None:
            raise ProofingUnavailableError
        if not answer.verified:
            raise ProofingRefusedError
        if not 1 <= len(answer.reference) <= _REFERENCE_LENGTH_MAX:
            raise ProofingUnavailableError
        return Proof(provider="http", reference=answer.reference)


class HttpMessages:
    """Hands messages to the message service; safe to share between threads."""

    shows_code: Final = False

    def __init__(self, client: httpx.Client, url: str) -> None:
        """Post to `url` with `client`, which carries the token."""
        self._client = client
        self._url = url

    def send(self, *, phone: str, code: str, language: str) -> None:
        """Have `code` sent; anything but a clear acceptance is `MessageNotSentError`."""
        question = {"phone": phone, "template": "one_time_password", "code": code, "language": language}
        answer = _post(self._client, self._url, question, _MessageAnswer)
        if answer is None or not answer.accepted:
            raise MessageNotSentError


def _post(client: httpx.Client, url: str, question: object, kind: type[Parsed]) -> Parsed | None:
    """The answer as `kind`; None when there is none, or it is not one of the contract's."""
    body = msgspec.json.encode(question)
    try:
        with client.stream("POST", url, content=body, headers={"Content-Type": "application/json"}) as response:
            if response.status_code != _SUCCESS:
                return None
            received = b""
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > _ANSWER_BYTES_MAX:
                    return None
        return msgspec.json.decode(received, type=kind)
    except (httpx.HTTPError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
