"""The control API: residents and operators in one process, for the machine that runs everything.

python -m tianfu.services.control --port 8001
"""

from __future__ import annotations

import argparse
import asyncio

from tianfu.clock import Clock
from tianfu.console.api import routes as console_routes
from tianfu.platform.api import Edge, application
from tianfu.platform.database import Database
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings, load
from tianfu.portal.api import routes as portal_routes
from tianfu.services.control_parts import console_parts, open_database, portal_parts
from tianfu.services.http_server import serve
from tianfu.services.refusal import explained


def build(settings: Settings, database: Database | None = None, *, clock: Clock | None = None) -> Edge:
    """The ASGI application. Opens the database unless it is given one, reads the keys, chooses the providers.

    Raises when any of them cannot be used; once built it answers 503 while the database is away.
    """
    log = Log("control")
    database = database or open_database(settings)
    return application(
        [
            portal_routes(portal_parts(settings, database, clock=clock)),
            console_routes(console_parts(settings, database, log, clock=clock)),
        ],
        title="Tianfu control API",
        public_origin=settings.server.public_origin,
        log=log,
    )


def main() -> None:
    """Read the settings and the command line, then serve on loopback until told to stop."""
    parser = argparse.ArgumentParser(prog="tianfu.services.control", description="Residents' and operators' API.")
    parser.add_argument("--port", type=int, required=True, help="loopback port")
    arguments = parser.parse_args()
    with explained(Log("control")):
        settings = load()
        with open_database(settings) as database:
            app = build(settings, database)
            asyncio.run(serve(app, host="127.0.0.1", port=arguments.port, stopping=lambda: None))


if __name__ == "__main__":
    main()
