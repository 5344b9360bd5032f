"""The one origin: the gate in process, the control API behind it, the web app beside it.

python -m tianfu.services.origin --control-port 8001 --feeds-port 8002

/gate/…  the gate     /api/…  the control process     /feeds/…  the departments' door     anything else  the web app
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Final

import uvloop

from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.platform.collector import keep_what_is_loaded
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.services.control_proxy import ControlProxy
from tianfu.services.feeds_proxy import FeedsProxy
from tianfu.services.gate import Gate
from tianfu.services.http_server import serve
from tianfu.services.refusal import explained
from tianfu.services.web_pages import WebPages

GATE_PREFIX: Final = "/gate/"
CONTROL_PREFIX: Final = "/api/"
FEEDS_PREFIX: Final = "/feeds/"


class Origin:
    """An ASGI application that hands each request to the part its path belongs to."""

    def __init__(self, *, gate: Gate, control: ControlProxy, pages: WebPages, feeds: FeedsProxy | None = None) -> None:
        """Serve these; without `feeds` departments have another way in."""
        self._gate = gate
        self._control = control
        self._pages = pages
        self._feeds = feeds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        path: str = scope["path"]
        if path.startswith(GATE_PREFIX):
            await self._gate(scope, receive, send)
        elif path.startswith(CONTROL_PREFIX):
            await self._control(scope, receive, send)
        elif self._feeds is not None and path.startswith(FEEDS_PREFIX):
            await self._feeds(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


async def run(settings: Settings, log: Log, *, control_port: int, feeds_port: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    pages = WebPages(settings.web)
    pages.preload()
    gate = await Gate.open(settings, log)
    scheme = settings.server.public_origin.partition("://")[0]
    control = ControlProxy(port=control_port, public_scheme=scheme, log=log)
    feeds = None if feeds_port is None else FeedsProxy(port=feeds_port, public_scheme=scheme, log=log)
    keep_what_is_loaded()
    application = Origin(gate=gate, control=control, pages=pages, feeds=feeds)
    try:
        await serve(
            application,
            host=settings.server.host,
            port=settings.server.port,
            stopping=gate.release,
            protocol=gate.protocol,
        )
    finally:
        await control.close()
        if feeds is not None:
            await feeds.close()
        await gate.close()


def main() -> None:
    """Serve with the settings of the environment; one sentence and exit code 1 when that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m tianfu.services.origin", description="The one public port.")
    parser.add_argument("--control-port", type=int, required=True, help="loopback port of the control process")
    parser.add_argument("--feeds-port", type=int, help="loopback port of the departments' door, where there is one")
    arguments = parser.parse_args()
    log = Log("origin")
    with explained(log):
        settings = load()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, log, control_port=arguments.control_port, feeds_port=arguments.feeds_port))


if __name__ == "__main__":
    main()
