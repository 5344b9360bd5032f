"""Keeping the signed lists on the board: made once a minute, and at once when somebody must be stopped.

At once means with the next beat of the worker, a second later at most: a credential was killed, the holder of one is
no longer green, or the key file changed. A list that is too long is not made; the other one still is, and the old one
ends by itself, which scanners show as "cannot check".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tianfu.passcode.lists import (
    ENTRIES_MAX,
    NOT_GREEN,
    TOLD_PURPOSES,
    TRUST,
    ListTooLongError,
    TrustList,
    not_green,
    sign_list,
)
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyfile import KeyringBrokenError, KeyringUnwritableError, StoredKey
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.observe import Log
from tianfu.platform.sign import KeyPurpose, Signer
from tianfu.residents import credential_store
from tianfu.status import not_green_store
from tianfu.status import store as statuses
from tianfu.status.cycle import Cycle

EVERY: Final = timedelta(seconds=60)


class SignedLists:
    """Makes the lists; used by the worker that holds the lease, once a beat."""

    def __init__(self, database: Database, var: Path, log: Log, *, life_seconds: int) -> None:
        """Open nothing yet. Lists end `life_seconds` after their making."""
        self._database = database
        self._var = var
        self._log = log
        self._life_seconds = life_seconds
        self._ring: GateKeys | None = None
        self._due_at: datetime | None = None
        self._keys: tuple[StoredKey, ...] = ()
        self._seen = (0, 0)
        self._is_too_long = False

    def begin_anew(self) -> None:
        """Make the lists at the next beat: the board may be another one."""
        self._due_at = None

    def tend(self, cycle: Cycle, at: datetime) -> bool:
        """Make the lists if they are due; whether they were. Without usable keys this is logged and tried again.

        Raises a database error or `BoardFullError`.
        """
        try:
            if self._ring is None:
                self._ring = GateKeys.load_or_create(gate_path(self._var))
            signer = self._ring.at(int(at.timestamp())).signers[KeyPurpose.LIST]
        except (KeyringBrokenError, KeyringUnwritableError) as error:
            if self._due_at is None or at >= self._due_at:
                self._log.error("the lists cannot be signed", code=error.code)
                self._due_at = at + EVERY
            return False
        if not self._is_due(self._ring, at):
            return False
        self._make(cycle, self._ring, signer, at)
        return True

    def _is_due(self, ring: GateKeys, at: datetime) -> bool:
        if self._due_at is None or at >= self._due_at or ring.keys != self._keys:
            return True
        status_sequence, killed_sequence = self._seen
        with self._database.read(Purpose.WORKER) as read:
            return not_green_store.has_news(read, at, status_sequence=status_sequence, killed_sequence=killed_sequence)

    def _make(self, cycle: Cycle, ring: GateKeys, signer: Signer, at: datetime) -> None:
        issued_at = int(at.timestamp())
        expires_at = issued_at + self._life_seconds
        keys = ring.public(issued_at, TOLD_PURPOSES)
        with self._database.write(Purpose.WORKER) as write:
            # Read before the members: what changes meanwhile is looked at once more.
            seen = (statuses.last_sequence(write), credential_store.last_killed(write))
            members = not_green_store.members(write, at, limit=ENTRIES_MAX + 1)
            numbers = {kind: not_green_store.next_number(write, kind, at) for kind in (TRUST, NOT_GREEN)}
        trust = TrustList(numbers[TRUST], issued_at, expires_at, keys)
        made = [(TRUST.encode(), sign_list(signer, trust).encode())]
        try:
            listed = not_green(members, number=numbers[NOT_GREEN], issued_at=issued_at, expires_at=expires_at)
            made.append((NOT_GREEN.encode(), sign_list(signer, listed).encode()))
            self._is_too_long = False
        except ListTooLongError as error:
            if not self._is_too_long:
                self._log.error("the list of what is not green is not made", code=error.code, limit=ENTRIES_MAX)
            self._is_too_long = True
        cycle.put_lists(made, at)
        self._due_at, self._keys, self._seen = at + EVERY, ring.keys, seen
