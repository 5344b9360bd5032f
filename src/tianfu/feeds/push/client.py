"""The sender's side of a push, for departments that have nothing of their own and for the tests."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import httpx

from tianfu.errors import TianfuError
from tianfu.feeds.push import signature

# The other side may wait a minute for the batch before ours, and then take ten seconds.
TIMEOUT: Final = httpx.Timeout(180.0, connect=10.0)


class PushFailedError(TianfuError):
    """The other side cannot be reached, or did not answer in time. Sending the same file again is harmless."""

    code = "push_failed"
    status = 503
    zh = "无法连接接收方，可稍后重新发送同一文件。"
    en = "The other side cannot be reached; sending the same file again later is harmless."


def push(
    url: str, feed: str, data: bytes, *, key: signature.PrivateKey, key_id: str, at: datetime, kind: str = "text/csv"
) -> httpx.Response:
    """POST `data` as `feed` to the installation at `url`, signed `at` now. Raises `PushFailedError`."""
    address = f"{url.rstrip('/')}/feeds/v1/{feed}"
    headers = signature.sign(
        key,
        key_id,
        path=urlsplit(address).path,
        body=data,
        created=int(at.timestamp()),
        nonce=secrets.token_urlsafe(16),
    )
    try:
        return httpx.post(
            address, content=data, headers={**headers, "content-type": kind}, timeout=TIMEOUT, trust_env=False
        )
    except httpx.HTTPError as error:
        raise PushFailedError from error
