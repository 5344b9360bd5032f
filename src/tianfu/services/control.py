"""The control API: residents and operators in one process, for the machine that runs everything.

python -m tianfu.services.control --port 8001
"""

from __future__ import annotations

from tianfu.clock import Clock
from tianfu.console.api import routes as console_routes
from tianfu.platform.api import Edge, application
from tianfu.platform.database import Database
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings
from tianfu.portal.api import credential_routes
from tianfu.portal.api import routes as portal_routes
from tianfu.services.control_parts import console_parts, open_database, portal_parts
from tianfu.services.control_process import run


def build(settings: Settings, database: Database | None = None, *, clock: Clock | None = None) -> Edge:
    """The ASGI application. Opens the database unless it is given one, reads the keys, chooses the providers.

    Raises when any of them cannot be used; once built it answers 503 while the database is away.
    """
    log = Log("control")
    database = database or open_database(settings)
    portal = portal_parts(settings, database, clock=clock)
    return application(
        [
            portal_routes(portal),
            credential_routes(portal),
            console_routes(console_parts(settings, database, log, clock=clock)),
        ],
        title="Tianfu control API",
        public_origin=settings.server.public_origin,
        log=log,
    )


def main() -> None:
    """Serve on loopback until told to stop."""
    run("control", "Residents' and operators' API.", build)


if __name__ == "__main__":
    main()
