"""Whatever another platform answers is its word by the contract, or no answer at all."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.scans.foreign.resolver import HttpResolver, ResolverFailedError, Word

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["valid", "expired", "invalid", "VALID", 1, None]),
        "colour": st.sampled_from(["green", "yellow", "red", "gold", "", 0, None]),
        "checked_at": st.one_of(st.integers(-(2**70), 2**70), st.just("now"), st.none()),
        "masked_name": st.one_of(st.text(max_size=80), st.text("*陈a\u202e\n", max_size=40), st.integers()),
        "last_digits": st.one_of(st.text(max_size=20), st.text("0123456789X", max_size=5)),
        "surprise": JSON,
    },
)


def asked(status: int, body: bytes) -> Word | None:
    """The word that comes of an answer; None when there is none."""

    async def run() -> Word | None:
        transport = httpx.MockTransport(lambda _: httpx.Response(status, stream=httpx.ByteStream(body)))
        async with httpx.AsyncClient(transport=transport) as client:
            try:
                return await HttpResolver(client, "https://codes.example.cn/check", "token").ask("GDHC:1")
            except ResolverFailedError:
                return None

    return asyncio.run(run())


@given(status=st.sampled_from([200, 200, 200, 500]), body=st.one_of(st.binary(max_size=300), JSON.map(json.dumps)))
def test_bytes_of_any_kind_are_no_word(status: int, body: bytes | str) -> None:
    assert asked(status, body if isinstance(body, bytes) else body.encode("utf-8", "replace")) is None


@given(content=NEARLY)
def test_of_what_is_nearly_an_answer_only_the_contracts_words_come_through(content: dict[str, object]) -> None:
    word = asked(200, json.dumps(content).encode())

    if word is None:
        return
    assert (word.state == "valid") == (word.colour in {"green", "yellow", "red"})
    assert word.masked_name == "" or ("*" in word.masked_name and word.masked_name.isprintable())
    assert len(word.last_digits) <= 4
    assert word.last_digits.isascii()
    assert 0 < word.said_at < 2**32


@pytest.mark.parametrize("url", ["https://codes.example.cn:99999/", "https://[", "nonsense"])
def test_an_address_that_cannot_be_asked_is_no_answer(url: str) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await HttpResolver(client, url, "token").ask("GDHC:1")

    with pytest.raises(ResolverFailedError):
        asyncio.run(run())
