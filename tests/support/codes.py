"""Keys and sessions for tests of codes: real ones, in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

from tests.support.clock import NOON, FixedClock
from tianfu.access.session import Audience, Session
from tianfu.platform import keychange, keyfile
from tianfu.platform.keyfile import KeyUse, StoredKey
from tianfu.platform.keyring import GATE_KIND, RECORDS_KIND, RECORDS_USES, GateKeys

AT = int(NOON.timestamp())
"""The instant of `FixedClock()` in seconds."""

HOLDER = Session(
    audience=Audience.RESIDENT,
    session_id=b"sess-001",
    subject=12_345,
    venue=0,
    masked_name="*小明",
    masked_document="51**************1X",
    expires_at=AT + 3600,
)


def gate_ring(folder: Path) -> GateKeys:
    """A gate's ring made at `AT`."""
    return GateKeys.load_or_create(folder / "keys" / "gate.json", clock=FixedClock())


def rotate(path: Path, use: KeyUse, at_seconds: int) -> StoredKey:
    """Rotate as `tianfu keys rotate` does; the new key."""
    kind = RECORDS_KIND if use in RECORDS_USES else GATE_KIND
    return keyfile.change(path, kind, lambda content: keychange.rotated(content, use, at_seconds)).keys[-1]


def retire(path: Path, use: KeyUse, key_id: str, at_seconds: int) -> None:
    """Retire as `tianfu keys retire` does."""
    kind = RECORDS_KIND if use in RECORDS_USES else GATE_KIND
    keyfile.change(path, kind, lambda content: keychange.retired(content, use, key_id, at_seconds))
