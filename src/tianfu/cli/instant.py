"""Instants on the command line."""

from __future__ import annotations

from datetime import datetime

import click

from tianfu.clock import SHANGHAI, parse_instant


def local_text(at: datetime) -> str:
    """`at` as people here read it: Asia/Shanghai, to the minute."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


class InstantParameter(click.ParamType[datetime]):
    """ISO 8601 with an offset, as UTC; anything else is a usage error that shows what is wanted."""

    name = "instant"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant that `value` writes."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_instant(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no instant with an offset, such as 2022-03-05T09:00:00+08:00", param, ctx)
