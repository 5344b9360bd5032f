"""A gate's parts on a real board with real keys, for one synthetic county of a few people."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import httpx

from tianfu.access.channel import SHARES, Channel
from tianfu.access.session import Audience, Session, SessionKeys, new_session_id
from tianfu.clock import monotonic_seconds, now_milliseconds
from tianfu.passcode.show import CodeDesk
from tianfu.platform.admission import Admission
from tianfu.platform.http import Answer, HotRequest, Unsigned
from tianfu.platform.keyring import GateKeys
from tianfu.platform.observe import Log
from tianfu.platform.sign import KeyPurpose
from tianfu.scans.batch import BatchDesk
from tianfu.scans.guard import GuardDesk
from tianfu.scans.venue import VenueDesk
from tianfu.status.bearer import Bearers
from tianfu.status.board import BoardWriter
from tianfu.status.layout import VenueRecord
from tianfu.status.record import BoardRecord, pack
from tianfu.status.watch import Watchers
from tianfu.venues.poster import PosterClaim, poster_text

ORIGIN: Final = "http://localhost:8000"
VENUE: Final = PosterClaim(bytes(range(16)), 3, "510104", "market", '春熙路"菜市场"')
VENUE_REF: Final = 12
GREEN: Final = 1
RED: Final = 3
START_SECONDS_MAX: Final = 60.0
GATE: Final = ("-m", "tianfu.services.gate")
ODD_GATE: Final = (str(Path(__file__).with_name("odd_gate.py")),)


class GateWorld:
    """Keys, a board and the desks over it; `at_ms` is what the desks take for now."""

    def __init__(self, var: Path) -> None:
        """Person 1 is green with a negative test, person 3 red as a contact, others unknown; one venue is open."""
        self.var = var
        self.at_ms = now_milliseconds()
        self.ring = GateKeys.load_or_create(var / "keys" / "gate.json")
        self.writer = BoardWriter.open(var / "board")
        self.put(1, BoardRecord(GREEN, 0, 0, 7, 1, 0, self.at_ms // 60_000 - 125, 0, 0, 1))
        self.put(3, BoardRecord(RED, 1, 3, 7, 0, 0, 0, 0, 0, 2))
        self.put_venue(VenueRecord(VENUE_REF, 3, open=True))
        board = self.writer.reader()
        bearers = Bearers(self.ring, board)
        self.watchers = Watchers(board, Log("test", stream=io.StringIO()))
        self.admission = Admission(SHARES)
        self.code = CodeDesk(
            bearers=bearers,
            board=board,
            ring=self.ring,
            watchers=self.watchers,
            admission=self.admission,
            now_ms=self.now_ms,
        )
        self.venue = VenueDesk(
            bearers=bearers,
            board=board,
            ring=self.ring,
            admission=self.admission,
            public_origin=ORIGIN,
            gate=9,
            now_ms=self.now_ms,
        )
        self.guard = GuardDesk(
            bearers=bearers, board=board, ring=self.ring, admission=self.admission, gate=9, now_ms=self.now_ms
        )
        past = GateKeys.load_or_create(var / "keys" / "gate.json")
        self.batch = BatchDesk(desk=self.guard, keys=self.ring, past_keys=past, now_ms=self.now_ms)

    def now_ms(self) -> int:
        """The desks' clock."""
        return self.at_ms

    def put(self, person: int, record: BoardRecord) -> None:
        """Write one record."""
        self.writer.put([(person, pack(record))], sequence=record.sequence, at_ms=self.at_ms)

    def put_venue(self, record: VenueRecord) -> None:
        """Write the one venue."""
        self.writer.put_venues([(VENUE.venue_id, record)], sequence=1)

    def token(self, audience: Audience, subject: int, *, venue: int = 0, seconds: int = 3600) -> str:
        """A session's token."""
        at_seconds = self.at_ms // 1000
        ends_at = at_seconds + seconds
        entry = Channel.GUARD if audience is Audience.GUARD else Channel.WEB
        session = Session(audience, new_session_id(), subject, venue, "李*", "5101**********123X", ends_at, entry)
        return SessionKeys(self.ring).issue(session, at_seconds)

    def resident(self, person: int) -> str:
        """The token of a resident."""
        return self.token(Audience.RESIDENT, person)

    def guard_token(self, account: int = 500, venue: int = VENUE_REF) -> str:
        """The token of a guard at the venue."""
        return self.token(Audience.GUARD, account, venue=venue)

    def poster(self, claim: PosterClaim = VENUE, purpose: KeyPurpose = KeyPurpose.VENUE) -> str:
        """The poster's text."""
        return poster_text(self.ring.at(self.at_ms // 1000).signers[purpose], claim, ORIGIN)

    def shown_code(self, person: int) -> str:
        """The code that the person's phone shows now."""
        return str(json.loads(whole(self.code.show(request(self.resident(person)))).body)["code"])


def request(token: str | None, body: object = None, *, query: bytes = b"") -> HotRequest:
    """A request as a desk gets it."""
    return HotRequest(
        b"" if body is None else json.dumps(body).encode(), query, None if token is None else token.encode(), "zh"
    )


def whole(answering: Answer | Unsigned) -> Answer:
    """The answer with its signature, if it lacks one."""
    return (
        answering
        if isinstance(answering, Answer)
        else answering.finish((answering,), (answering.signer.sign(answering.data),))[0]
    )


@contextlib.contextmanager
def gate_process(
    var: Path, port: int, *options: str, program: Sequence[str] = GATE, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A gate as a process of its own with `options` and `more` settings, ready; killed at the end if it still lives."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIANFU_")}
    process = subprocess.Popen(
        [sys.executable, *program, "--port", str(port), *options],
        env={**environment, "TIANFU_VAR": str(var), **more},
        stderr=subprocess.PIPE,
    )
    try:
        deadline = monotonic_seconds() + START_SECONDS_MAX
        while monotonic_seconds() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/gate/v1/health", trust_env=False)
                break
        yield process
    finally:
        process.kill()
        process.communicate()
