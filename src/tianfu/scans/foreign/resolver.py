"""Asking the issuer of a foreign code what it stands for: the seam, and its HTTP adapter. Hot.

Whatever the other side says is a stranger's word: only an answer of the contract counts (docs/foreign-codes.md), and
anything else, however it looks, is a failure and never a colour.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, Protocol

import httpx
import msgspec

# An answer of the contract has under 200 bytes.
_ANSWER_BYTES_MAX: Final = 4 * 1024
_SUCCESS: Final = 200
_NAME_BYTES_MAX: Final = 64
_LAST_DIGITS: Final = re.compile(r"[0-9A-Za-z]{1,4}", re.ASCII)
# Instants a double or a 32-bit count of seconds can hold; others are no instants.
_INSTANT_MAX: Final = 2**32
# What an address, a network, a peer or its answer can be wrong in.
_NO_ANSWER: Final = (
    *(httpx.HTTPError, httpx.StreamError, httpx.InvalidURL),
    *(msgspec.MsgspecError, UnicodeError, RecursionError),
)


class ResolverFailedError(Exception):
    """There is no answer that could be relied on."""


class Word(NamedTuple):
    """What an issuer says of one of its codes. `colour` is empty unless `state` is `valid`.

    `said_at` is the issuer's own instant (seconds since 1970) for which this holds.
    """

    state: Literal["valid", "expired", "invalid"]
    colour: Literal["", "green", "yellow", "red"]
    masked_name: str
    last_digits: str
    said_at: int


class Resolver(Protocol):
    """Somebody who knows what a foreign code stands for."""

    async def ask(self, text: str) -> Word:
        """The issuer's word. Raises `ResolverFailedError` for anything unclear; may be cancelled at any time."""
        ...


class _Answer(msgspec.Struct):
    """What the contract asks for; other fields are not looked at."""

    state: Literal["valid", "expired", "invalid"]
    checked_at: int
    colour: Literal["green", "yellow", "red"] | None = None
    masked_name: str = ""
    last_digits: str = ""


class HttpResolver:
    """Posts the text of the code to the issuer's address."""

    def __init__(self, client: httpx.AsyncClient, url: str, token: str) -> None:
        """Ask `url` with `client`, as the bearer of `token`."""
        self._client = client
        self._url = url
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            # Compressed, four kilobytes could unfold to gigabytes.
            "Accept-Encoding": "identity",
        }
        self._decoder = msgspec.json.Decoder(_Answer)

    async def ask(self, text: str) -> Word:
        """As the protocol. Only the configured address is asked; nothing in the code or the answer is opened."""
        body = msgspec.json.encode({"code": text})
        received = b""
        try:
            async with self._client.stream("POST", self._url, content=body, headers=self._headers) as response:
                if response.status_code != _SUCCESS or "content-encoding" in response.headers:
                    raise ResolverFailedError
                async for chunk in response.aiter_raw():
                    received += chunk
                    if len(received) > _ANSWER_BYTES_MAX:
                        raise ResolverFailedError
            answer = self._decoder.decode(received)
        except _NO_ANSWER as cause:
            raise ResolverFailedError from cause
        return _word(answer)


def new_client(concurrent_max: int, time_limit_ms: int) -> httpx.AsyncClient:
    """A client for one issuer: as many connections as questions at once, each phase bounded, nothing followed."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(time_limit_ms / 1000),
        limits=httpx.Limits(max_connections=concurrent_max, max_keepalive_connections=concurrent_max),
        follow_redirects=False,
        trust_env=False,
    )


def _word(answer: _Answer) -> Word:
    if not 0 < answer.checked_at < _INSTANT_MAX or (answer.state == "valid") != (answer.colour is not None):
        raise ResolverFailedError
    return Word(
        answer.state,
        answer.colour or "",
        # A name that is not masked, or is no name, is not shown; it is no reason to turn its bearer away.
        answer.masked_name if _is_mask(answer.masked_name) else "",
        answer.last_digits if _LAST_DIGITS.fullmatch(answer.last_digits) else "",
        answer.checked_at,
    )


def _is_mask(name: str) -> bool:
    return "*" in name and name.isprintable() and len(name.encode(errors="replace")) <= _NAME_BYTES_MAX
