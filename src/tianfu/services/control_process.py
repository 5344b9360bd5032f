"""How an API of the records side runs as a process: settings, database, one ASGI application on loopback.

Serves `portal`, `console`, `control` and `feeds`, which differ only in what they build. A part that cannot be used
(settings, keys, an absent database) ends the process with one sentence; its supervisor starts it again.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.platform.database import Database
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.services.control_parts import open_database
from tianfu.services.http_server import serve
from tianfu.services.refusal import explained

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def run(process: str, description: str, build: Callable[[Settings, Database], Application]) -> None:
    """Read the settings and the command line, then serve what `build` makes until told to stop."""
    parser = argparse.ArgumentParser(prog=f"tianfu.services.{process}", description=description)
    parser.add_argument("--port", type=int, required=True, help="loopback port")
    arguments = parser.parse_args()
    with explained(Log(process)):
        settings = load()
        with open_database(settings) as database:
            app = build(settings, database)
            asyncio.run(serve(app, host="127.0.0.1", port=arguments.port, stopping=lambda: None))
