"""What a gate says of itself: a word for the supervisor, counts for the monitoring. No personal data in either."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tianfu.platform.admission import Admission
from tianfu.platform.hot import HotDesk
from tianfu.platform.http import API_HEADERS, Answer, HotRequest
from tianfu.platform.journal import ClosedJournal, Journal
from tianfu.platform.keyring import GateKeys
from tianfu.scans.foreign.abroad import Abroad
from tianfu.status.read import AGE_UNKNOWN_SECONDS, Board
from tianfu.status.watch import Watchers

_TEXT_HEADERS = ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), *API_HEADERS)


class GateHealth:
    """The handlers `GET /gate/v1/health` and `GET /gate/v1/metrics`."""

    def __init__(
        self,
        *,
        board: Board,
        journal: Journal | ClosedJournal,
        watchers: Watchers,
        ring: GateKeys,
        admission: Admission,
        age_max_seconds: int,
        now_ms: Callable[[], int],
    ) -> None:
        """`counted` is to be set to the desk once it exists, `abroad` where foreign codes are known."""
        self._board = board
        self._journal = journal
        self._watchers = watchers
        self._ring = ring
        self._admission = admission
        self._age_max_seconds = age_max_seconds
        self._now_ms = now_ms
        self.counted: HotDesk | None = None
        self.abroad: Abroad | None = None

    def health(self, request: HotRequest) -> Answer:
        """Always 200 while the process answers; `status` is `ok`, or `checking` when colours cannot be shown."""
        del request
        age = self._board.age_seconds(self._now_ms())
        broken = isinstance(self._journal, ClosedJournal)
        known = self._board.is_present and age <= self._age_max_seconds
        content = {
            "status": "ok" if known else "checking",
            "board": "present" if self._board.is_present else "absent",
            "board_age_seconds": None if age == AGE_UNKNOWN_SECONDS else age,
            "journal": self._journal.reason.code if isinstance(self._journal, ClosedJournal) else "open",
            "journal_end": None if isinstance(self._journal, ClosedJournal) else self._journal.end(),
            "keys": "ok" if self._ring.trouble is None else self._ring.trouble.code,
            "recording": not broken,
            "degraded": self._admission.left_out,
        }
        return Answer(msgspec.json.encode(content))

    def metrics(self, request: HotRequest) -> Answer:
        """Counts since the start, in the text format of Prometheus."""
        del request
        lines = [
            f"tianfu_gate_board_age_seconds {self._board.age_seconds(self._now_ms())}",
            f"tianfu_gate_watchers {len(self._watchers)}",
            f"tianfu_gate_degradation_level {self._admission.level}",
            f"tianfu_gate_refused_total {self._admission.refused}",
            f"tianfu_gate_full_rounds_total {self._admission.rounds_full}",
            f"tianfu_gate_round_room {self._admission.room}",
        ]
        if isinstance(self._journal, Journal):
            lines.append(f"tianfu_gate_journal_records_total {self._journal.end()}")
        answers = {} if self.counted is None else self.counted.answers
        lines += [
            f'tianfu_gate_answers_total{{route="{route}",status="{status}"}} {count}'
            for (route, status), count in sorted(answers.items())
        ]
        if self.abroad is not None:
            lines += self.abroad.metrics()
        return Answer(("\n".join(lines) + "\n").encode("ascii"), headers=_TEXT_HEADERS)
