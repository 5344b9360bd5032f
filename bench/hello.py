"""The baseline: the smallest JSON answer that the same server can give, on a port named on the command line."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.services.http_server import serve

_BODY = b'{"hello":"world"}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))],
}
_END = {"type": "http.response.body", "body": _BODY}


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer anything with the same bytes."""
    del scope, receive
    await send(_START)
    await send(_END)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(hello, host="127.0.0.1", port=int(sys.argv[1]), stopping=lambda: None))
