"""The seam to those who confirm identities and send messages, and the sandbox that stands in for them.

Identity proofing (name, document and, with the provider's own app, face) and message delivery are services of others.
What a client says of its own verification counts for nothing: only the answer of the provider does.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from tianfu.errors import TianfuError
from tianfu.platform.settings import Environment
from tianfu.residents.documents import Document

TICKET_LENGTH_MAX: Final = 512
# A name that the sandbox refuses, so that the refusal can be seen.
SANDBOX_REFUSED_NAME: Final = "测试拒绝"


class ProofingRefusedError(TianfuError):
    """The provider says that name and document (and face, where asked) do not belong together."""

    code = "proofing_refused"
    status = 422
    zh = "实名核验未通过，请核对姓名和证件号码。"
    en = "Your identity could not be confirmed; please check the name and the document number."


class ProofingUnavailableError(TianfuError):
    """The provider did not answer, or not in the agreed form. Nothing was decided."""

    code = "proofing_unavailable"
    status = 503
    zh = "实名核验服务暂不可用，请稍后再试。"
    en = "Identities cannot be confirmed at the moment; please try again shortly."


class MessageNotSentError(TianfuError):
    """The message service did not accept the message."""

    code = "message_not_sent"
    status = 503
    zh = "短信暂时无法发送，请稍后再试。"
    en = "The message could not be sent; please try again shortly."


class SandboxInProductionError(TianfuError):
    """A sandbox provider was about to be used for real people."""

    code = "sandbox_in_production"
    status = 500
    zh = "正式环境不能使用沙箱实名核验。"
    en = "The sandbox provider is refused in production."


class Proof(msgspec.Struct, frozen=True):
    """An identity confirmed. `reference` is the provider's own key for the check, for disputes later."""

    provider: str
    reference: str


class IdentityProofing(Protocol):
    """Confirms that a name and a document belong to the person who asks."""

    @property
    def is_sandbox(self) -> bool:
        """Whether nothing is really checked; the screen then says so."""
        ...

    def prove(self, *, name: str, document: Document, ticket: str | None) -> Proof:
        """The proof. `ticket` is what the provider's own face check gave the client, if anything.

        Takes as long as its time limit at most; asking again is harmless. Raises `ProofingRefusedError` or
        `ProofingUnavailableError`.
        """
        ...


class MessageSender(Protocol):
    """Sends one-time passwords to phones."""

    @property
    def shows_code(self) -> bool:
        """Whether no message leaves the machine and the code is to be shown on the screen instead."""
        ...

    def send(self, *, phone: str, code: str, language: str) -> None:
        """Send `code` to `phone` (E.164). Raises `MessageNotSentError`."""
        ...


class SandboxProofing:
    """Accepts every well-formed document but for one name. Refuses to exist in production."""

    is_sandbox: Final = True

    def __init__(self, environment: Environment) -> None:
        """Raise `SandboxInProductionError` where real people are served."""
        if environment is Environment.PRODUCTION:
            raise SandboxInProductionError

    def prove(self, *, name: str, document: Document, ticket: str | None) -> Proof:  # noqa: ARG002 - nothing is checked
        """A proof that says it comes from the sandbox."""
        if name == SANDBOX_REFUSED_NAME:
            raise ProofingRefusedError
        return Proof(provider="sandbox", reference="sandbox")


class SandboxMessages:
    """Sends nothing; the answer to the request carries the code, and the screen shows it and says why."""

    shows_code: Final = True

    def __init__(self, environment: Environment) -> None:
        """Raise `SandboxInProductionError` where real people are served."""
        if environment is Environment.PRODUCTION:
            raise SandboxInProductionError

    def send(self, *, phone: str, code: str, language: str) -> None:
        """Nothing."""
