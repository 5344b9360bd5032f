"""The residents' API alone, for an installation that runs it apart from the operators' one.

python -m tianfu.services.portal --port 8001
"""

from __future__ import annotations

from tianfu.platform.api import Edge, application
from tianfu.platform.database import Database
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings
from tianfu.portal.api import credential_routes, routes
from tianfu.services.control_parts import portal_parts
from tianfu.services.control_process import run


def build(settings: Settings, database: Database) -> Edge:
    """The ASGI application."""
    parts = portal_parts(settings, database)
    return application(
        [routes(parts), credential_routes(parts)],
        title="Tianfu residents' API",
        public_origin=settings.server.public_origin,
        log=Log("portal"),
    )


def main() -> None:
    """Serve on loopback until told to stop."""
    run("portal", "Residents' API.", build)


if __name__ == "__main__":
    main()
