"""One turn of the worker: recompute who may have changed, put it on the board, then go on with a takeover.

The order is the order of urgency: fresh evidence first, a change of policy in what time is left.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tianfu.access import lookup_budget
from tianfu.access import store as sessions
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log
from tianfu.policy.compile import Policy
from tianfu.policy.publish import Policies
from tianfu.residents import otp
from tianfu.status import recompute
from tianfu.status.publish import Publisher
from tianfu.status.recompute import Recomputed
from tianfu.status.takeover import Takeover


class Cycle:
    """Keeps statuses and the board in `board_folder` up to date; used by the holder of the status lease, in turns.

    After an error from the database or the board it is closed and another one made: nothing is lost, because what
    was not committed is still queued.
    """

    def __init__(self, database: Database, board_folder: Path, log: Log) -> None:
        """Open nothing yet."""
        self._database = database
        self._board_folder = board_folder
        self._log = log
        self._policies = Policies()
        self._policy: Policy | None = None
        self._takeover = Takeover(database)
        self._publisher: Publisher | None = None
        self._people = 0
        self._changed = 0

    def step(self, at: datetime) -> bool:
        """Do one batch of each; whether there may be more to do at once.

        Raises `NoPolicyInForceError`, `PolicyAlteredError`, `BoardFullError` or a database error.
        """
        with self._database.write(Purpose.WORKER) as write:
            policy = self._policies.in_force(write, at)
            result = recompute.batch(write, policy, at)
        self._note(policy, result)
        self._open(at).put(result.written, at)
        if self._publish(at) or result.people:
            return True
        taken = self._takeover.step(policy, at)
        if taken is None:
            return False
        self._note(policy, taken)
        self._open(at).put(taken.written, at)
        return True

    def heartbeat(self, at: datetime) -> None:
        """Tell the gates that the board is alive, and the log what was done since the last time."""
        with self._database.read(Purpose.WORKER) as read:
            self._open(at).heartbeat(read, at)
        if self._people:
            self._log.info("statuses recomputed", count=self._people, rows=self._changed)
        self._people = self._changed = 0

    def tidy(self, at: datetime) -> None:
        """Forget ended sessions, here and on the board, old one-time passwords and budgets. Once an hour is plenty."""
        with self._database.write(Purpose.WORKER) as write:
            sessions.delete_expired_sessions(write, at)
            otp.forget_old(write, at)
            lookup_budget.forget_old(write, at)
        self._open(at).forget_ended(at)

    def close(self) -> None:
        """Release the board; doing so twice is harmless."""
        if self._publisher is not None:
            self._publisher.close()
        self._publisher = None

    def _publish(self, at: datetime) -> int:
        publisher = self._open(at)
        with self._database.read(Purpose.WORKER) as read:
            return publisher.publish(read, at)

    def _open(self, at: datetime) -> Publisher:
        if self._publisher is None:
            with self._database.read(Purpose.BATCH) as read:
                self._publisher = Publisher.open(self._board_folder, read, at=at)
            if self._publisher.rebuilt:
                self._log.warning("the board was built anew")
        return self._publisher

    def _note(self, policy: Policy, result: Recomputed) -> None:
        if self._policy is None or self._policy.hash != policy.hash:
            self._log.info("a policy is in force", policy=policy.hash)
            self._policy = policy
        self._people += result.people
        self._changed += result.changed
        for error, count in result.failures:
            self._log.error("decisions failed and will be tried again", error=error, count=count)
