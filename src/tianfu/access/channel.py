"""The entries by which requests reach a gate: each has a share of it that no other can take.

A session remembers the entry at which it was opened, sealed inside its token, so a request cannot claim another one.
"""

from __future__ import annotations

import enum
from typing import Final

# The header by which an entry's own gateway (a mini-program's, an app's) names itself when it passes a log-in on.
ENTRY_HEADER: Final = "x-tianfu-entry"


class Channel(enum.IntEnum):
    """Where a session was opened. The numbers are part of the token's format and stay."""

    WEB = 0
    WECHAT = 1
    ALIPAY = 2
    APP = 3
    GUARD = 4


# What an entry is sure of when all of them want more than a gate can do; together one. Guards come first: a queue
# at a door is the one thing that must not stand still.
SHARES: Final[dict[int, float]] = {
    Channel.GUARD: 0.25,
    Channel.WECHAT: 0.25,
    Channel.ALIPAY: 0.20,
    Channel.APP: 0.15,
    Channel.WEB: 0.15,
}
_BY_NAME: Final = {channel.name.lower(): channel for channel in Channel if channel is not Channel.GUARD}


def channel_named(name: str | None) -> Channel:
    """The entry with this name; the web for none or an unknown one."""
    return _BY_NAME.get((name or "").lower(), Channel.WEB)
