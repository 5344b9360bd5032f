"""What a process that takes over city codes' holders works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Write
from tianfu.platform.pseudonym import Pseudonym

AnnounceAll = Callable[[Write, Sequence[PersonRef], datetime], None]
"""Told of new holders in their transaction, so that a status is computed for them."""


class Desk(msgspec.Struct, frozen=True):
    """A process's own connection, keys and whom to tell of new holders."""

    database: Database
    pseudonym: Pseudonym
    announce: AnnounceAll


OpenDesk = Callable[[], Desk]
"""Opens a desk in the process that calls it; can be sent to another process."""
