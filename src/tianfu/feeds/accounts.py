"""Bulk evidence needs two people."""

from __future__ import annotations

from tianfu.access.two_people import are_two
from tianfu.errors import TianfuError


class FeedNeedsTwoError(TianfuError):
    """Bulk evidence was loaded and approved, or withdrawn and approved, by one person."""

    code = "feed_needs_two"
    status = 422
    zh = "批量数据须由两名不同的人员分别经办和批准。"
    en = "Bulk evidence needs two different people: one to act, another to approve."


def require_two(first: str | None, second: str | None) -> None:
    """Raise `FeedNeedsTwoError` unless both are there and are two people."""
    if not are_two(first, second):
        raise FeedNeedsTwoError
