"""Ports for what a test starts, which nobody else is given meanwhile: no other test, and no other pytest beside this.

A port that was free a moment ago may be somebody else's when a child gets to listen on it a second later. So these
lie below those that the kernel hands out by itself (32768 and up on Linux), and each pytest takes whole blocks of
them for as long as it lives: who holds a block has the UDP port of its first number.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Final

_LOOPBACK: Final = "127.0.0.1"
_FIRST: Final = 20_000
_BLOCK: Final = 100
# 20,000 to 31,999: below what the kernel hands out.
_BLOCKS: Final = 120


def free_port() -> int:
    """A loopback port that nobody listens on, and that nobody else is given as long as this process lives."""
    return next(_PORTS)


def _ports() -> Iterator[int]:
    for block in range(_FIRST, _FIRST + _BLOCKS * _BLOCK, _BLOCK):
        if _took(block):
            yield from filter(_is_free, range(block + 1, block + _BLOCK))


def _took(block: int) -> bool:
    """Whether the block is ours now, for the rest of this process's life; not when somebody has it."""
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind((_LOOPBACK, block))
    except OSError as error:
        mark.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    mark.detach()  # the descriptor stays open
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True


_PORTS: Final = _ports()
