"""The operators' API alone, for an installation that keeps it inside the offices' network.

python -m tianfu.services.console --port 8001
"""

from __future__ import annotations

from tianfu.console.api import routes
from tianfu.platform.api import Edge, application
from tianfu.platform.database import Database
from tianfu.platform.observe import Log
from tianfu.platform.settings import Settings
from tianfu.services.control_parts import console_parts
from tianfu.services.control_process import run


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
    """Serve on loopback until told to stop."""
    run("console", "Operators' API.", build)


if __name__ == "__main__":
    main()
