"""HTTP/1.1 as far as a load generator needs it: where an answer ends, its status, how long to stay away."""

from __future__ import annotations

from typing import Final

RECEIVE_BYTES: Final = 65_536
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "
_RETRY_AFTER: Final = b"\r\nretry-after: "
# A refusal that names no time: what a phone waits by itself.
RETRY_SECONDS: Final = 1.0


def is_whole(data: bytes) -> bool:
    """Whether `data` is an answer from its first to its last byte."""
    head = data.find(_HEAD_END)
    if head < 0:
        return False
    at = data.find(_LENGTH, 0, head)
    if at < 0:
        # Another server may write its headers in another case.
        at = data[:head].lower().find(_LENGTH)
    at += len(_LENGTH)
    return len(data) >= head + len(_HEAD_END) + int(data[at : data.find(b"\r", at)])


def status(data: bytes) -> bytes:
    """The three digits."""
    return data[9:12]


def retry_after(data: bytes) -> float:
    """The seconds that a refusal asks to stay away, or `RETRY_SECONDS`."""
    head = data[: data.find(_HEAD_END) + 2].lower()
    at = head.find(_RETRY_AFTER)
    if at < 0:
        return RETRY_SECONDS
    at += len(_RETRY_AFTER)
    text = head[at : head.find(b"\r", at)]
    return float(text) if text.isdigit() else RETRY_SECONDS
