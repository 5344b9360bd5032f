"""What the commands of `tianfu trace screen` share: the database, the incident, and where they are sat at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from tianfu.clock import SystemClock
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose, Write
from tianfu.services.installation import installed_database
from tianfu.tracing import incidents
from tianfu.tracing.incidents import Incident

CHANNEL: Final = "terminal"


@contextmanager
def installed() -> Iterator[Database]:
    """The database of this installation."""
    with installed_database(settings.load()) as database:
        yield database


@contextmanager
def writing(number: str) -> Iterator[tuple[Write, Incident, datetime]]:
    """A transaction, the incident of that number and the present instant. Raises `IncidentNotFoundError`."""
    at = SystemClock().now()
    with installed() as database, database.write(Purpose.BATCH) as write:
        yield write, incidents.find(write, number), at
