"""A province without gates: a database with a policy, the worker's parts, and a board that its lists are put on."""

from __future__ import annotations

import io
import json
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from tests.support.clock import NOON, FixedClock
from tests.support.credentials import card_of, card_text
from tests.support.evidence import declaration, people
from tests.support.gate import request
from tests.support.status import append
from tests.support.worker import put_in_force
from tianfu.ids import PersonRef
from tianfu.passcode.handout import ListDesk
from tianfu.passcode.lists import NotGreenList, TrustList, read_not_green, read_trust
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import GateKeys, RecordKeys, gate_path, records_path
from tianfu.platform.observe import Log
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import credentials
from tianfu.residents.credentials import Issue
from tianfu.services.signed_lists import SignedLists
from tianfu.status.cycle import Cycle
from tianfu.status.read import Board

LIFE_SECONDS = 4 * 3600


class Province:
    """A database with a policy, the worker's parts, and a scanner that pinned the root."""

    def __init__(self, database: Database, var: Path) -> None:
        self.database = database
        self.var = var
        self.clock = FixedClock()
        self.log = io.StringIO()
        log = Log("test", stream=self.log)
        self.ring = GateKeys.load_or_create(gate_path(var))
        self.pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(var), clock=self.clock), clock=self.clock)
        self.cycle = Cycle(database, var / "board", log)
        self.lists = SignedLists(database, var, log, life_seconds=LIFE_SECONDS)
        put_in_force(database, at=NOON)

    def work(self, *, after: timedelta = timedelta(0)) -> bool:
        """One beat of the worker; whether lists were made."""
        at = self.clock.advance(after)
        while self.cycle.step(at):
            pass
        self.cycle.heartbeat(at)
        return self.lists.tend(self.cycle, at)

    def seconds(self) -> int:
        return int(self.clock.now().timestamp())

    def green(self, count: int) -> list[PersonRef]:
        """People who have declared to be well."""
        persons = people(self.database, count)
        append(self.database, *(declaration(person, f"D{person}") for person in persons))
        return persons

    def card(self, person: PersonRef, *, days: int = 7) -> tuple[bytes, str]:
        """A card as the portal stores it: its id and text."""
        content = card_of(self.ring, person, self.seconds(), days=days)
        text = card_text(self.ring, content, self.seconds())
        expires_at = datetime.fromtimestamp(content.expires_at, NOON.tzinfo)
        issue = Issue(credential_id=content.credential_id, text=text, issued_at=self.clock.now(), expires_at=expires_at)
        with self.database.write(Purpose.RESIDENT) as write:
            credentials.lock(write, person)
            credentials.issue_card(write, person, issue, pseudonym=self.pseudonym, at=self.clock.now())
        return content.credential_id, text

    def board(self) -> Board:
        """What a gate has open; in this process it may be so only while the worker has not."""
        self.cycle.close()
        return Board.open(self.var / "board")

    def desk(self, board: Board) -> ListDesk:
        return ListDesk(board=board, ring=self.ring, now_ms=lambda: self.seconds() * 1000)

    def texts(self) -> tuple[str, str]:
        """The lists as a gate hands them out."""
        with closing(self.board()) as board:
            desk = self.desk(board)
            trust, not_green = (json.loads(get(request(None)).body)["list"] for get in (desk.trust, desk.not_green))
        return trust, not_green

    def read(self) -> tuple[TrustList, NotGreenList]:
        keys = self.ring.at(self.seconds()).verify
        trust, not_green = self.texts()
        return read_trust(trust, keys), read_not_green(not_green, keys)

    def listed(self, credential_id: bytes) -> bool:
        return self.read()[1].has(credential_id)
