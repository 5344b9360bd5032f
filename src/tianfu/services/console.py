"""The operators' API alone, for an installation that keeps it inside the offices' network.

python -m tianfu.services.console --port 8001
"""

from __future__ import annotations

import argparse
import asyncio

from tianfu.console.api import routes
from tianfu.platform.api import Edge, application
from tianfu.platform.database import Database
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.services.control_parts import console_parts, open_database
from tianfu.services.http_server import serve
from tianfu.services.refusal import explained


def build(settings: Settings, database: Database) -> Edge:
    """The ASGI application."""
    log = Log("console")
    return application(
        [routes(console_parts(settings, database, log))],
        title="Tianfu operators' API",
        public_origin=settings.server.public_origin,
        log=log,
    )


def main() -> None:
    """Read the settings and the command line, then serve on loopback until told to stop."""
    parser = argparse.ArgumentParser(prog="tianfu.services.console", description="Operators' API.")
    parser.add_argument("--port", type=int, required=True, help="loopback port")
    arguments = parser.parse_args()
    with explained(Log("console")):
        settings = load()
        with open_database(settings) as database:
            app = build(settings, database)
            asyncio.run(serve(app, host="127.0.0.1", port=arguments.port, stopping=lambda: None))


if __name__ == "__main__":
    main()
