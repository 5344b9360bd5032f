"""From stored statuses to the board that the gates read.

The board remembers the number of the last change it holds, so publishing goes on where it stopped, whatever crashed;
the same rows again do no harm. A board that is lost, damaged or of another database is built anew beside the old one
and taken into use in one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from tianfu.access import store as sessions
from tianfu.access.session import SESSION_LIFE_SECONDS_MAX
from tianfu.ids import PersonRef
from tianfu.platform.database import Read
from tianfu.policy.model import Decision
from tianfu.policy.rules import POPUP_DECLARE, Block
from tianfu.status import record, store
from tianfu.status.board import BoardWriter
from tianfu.status.layout import ORIGIN_FILE, BoardUnreadableError, VenueRecord, current_folder
from tianfu.status.record import BoardRecord
from tianfu.status.store import Status, Written
from tianfu.venues import store as venues

# Written to the board in one transaction of about 50 ms; readers never wait for it.
PUBLISH_ROWS_MAX: Final = 5_000
# A rebuild writes sorted rows by the page: 20,000 are 5 MB as Python values.
REBUILD_ROWS: Final = 20_000

_SECONDS_PER_MINUTE: Final = 60
_SEQUENCE_MODULUS: Final = 2**32
_COLOURS: Final = {word: number for number, word in enumerate(record.COLOURS)}
_POPUPS: Final = {word: number for number, word in enumerate(record.POPUPS)}
_REASONS: Final = {word: number for number, word in enumerate(record.REASON_CLASSES)}
_TESTS: Final = {word: number for number, word in enumerate(record.TEST_RESULTS)}


def board_record(status: Status) -> BoardRecord:
    """What the gate needs of a decision.

    A lapse is rounded up to the minute and a sample down. A decision that never changes has lapse 0. The popup is the
    class of the one shown; the flags say what any of the active ones blocks, and the add-ons.
    """
    decision = status.decision
    test = decision.test
    return BoardRecord(
        colour=_COLOURS[decision.colour.value],
        popup=_POPUPS[_popup_class(decision)],
        reason=_REASONS[decision.reasons[0].reason_class if decision.reasons else ""],
        rule_set=decision.policy_number,
        test=0 if test is None else _TESTS[test.result.value],
        flags=_flags(decision) | status.add_ons << record.ADD_ONS_SHIFT,
        sampled_at=0 if test is None else _minute(test.sampled_at),
        lapses_at=_lapse(decision),
        decided_at=_minute(decision.at),
        sequence=status.sequence % _SEQUENCE_MODULUS,
    )


def _popup_class(decision: Decision) -> str:
    """The coarse word for the popup shown; one that no rule shows is its own."""
    if decision.popups:
        return decision.popups[0].popup_class
    return "" if decision.popup is None else POPUP_DECLARE


def _flags(decision: Decision) -> int:
    blocked = {block for popup in decision.popups for block in popup.blocks}
    code = record.BLOCKS_CODE if Block.CODE.value in blocked else 0
    scan = record.BLOCKS_SCAN if Block.SCAN.value in blocked else 0
    return code | scan


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // _SECONDS_PER_MINUTE


def _lapse(decision: Decision) -> int:
    if decision.next_change_at is None:
        return 0
    return -int(-decision.next_change_at.timestamp() // _SECONDS_PER_MINUTE)


class Publisher:
    """Keeps one board up to date. Only the holder of the status lease makes one."""

    def __init__(self, writer: BoardWriter, *, rebuilt: bool) -> None:
        """Use `open`. `rebuilt` says whether the board had to be built anew."""
        self.rebuilt = rebuilt
        self._writer = writer
        self._revoked: frozenset[bytes] = frozenset()
        # Every change up to this number is on the board; the board's own offset may be lower, where numbers were drawn
        # and not used.
        self._complete_to = writer.offset()

    @classmethod
    def open(cls, folder: Path, read: Read, *, at: datetime) -> Self:
        """The board in `folder`, built anew from the database unless it is this database's board.

        Raises `BoardFullError`. While it is built anew the old board stays in use; a rebuild that is interrupted is
        started again next time.
        """
        identity = str(store.database_identity(read))
        writer = _usable(folder, identity, read)
        if writer is not None:
            return cls(writer, rebuilt=False)
        writer = _build_anew(folder, read, at)
        (folder / ORIGIN_FILE).write_text(identity, encoding="ascii")
        return cls(writer, rebuilt=True)

    def put(self, written: Written, at: datetime) -> None:
        """Bring to the board what was just written and committed, unless the board is not that far yet.

        Saves `publish` from reading it again; whatever this leaves out, `publish` finds.
        """
        if self._complete_to != written.before:
            return
        statuses = written.statuses
        for start in range(0, len(statuses), PUBLISH_ROWS_MAX):
            part = statuses[start : start + PUBLISH_ROWS_MAX]
            self._writer.put(_rows(part), sequence=part[-1].sequence, at_ms=_milliseconds(at))
        self._complete_to = written.last

    def publish(self, read: Read, at: datetime) -> int:
        """Bring the board a step on; how many records were written. 0 means that it holds everything `read` sees."""
        statuses = store.changed_since(read, self._complete_to, PUBLISH_ROWS_MAX)
        if statuses:
            self._writer.put(_rows(statuses), sequence=statuses[-1].sequence, at_ms=_milliseconds(at))
            self._complete_to = statuses[-1].sequence
        return len(statuses) + _put_venues(self._writer, read)

    def heartbeat(self, read: Read, at: datetime) -> None:
        """Tell the gates which sessions ended early, and that at `at` the board was complete up to its offset."""
        revoked = frozenset(sessions.revoked_sessions(read, at))
        if new := revoked - self._revoked:
            self._writer.revoke(sorted(new), at_ms=_milliseconds(at))
        self._revoked = revoked
        self._writer.heartbeat(_milliseconds(at))

    def forget_ended(self, at: datetime) -> None:
        """Drop the sessions revoked so long ago that no session of that time can still live."""
        self._writer.forget_revoked(before_ms=_milliseconds(at) - SESSION_LIFE_SECONDS_MAX * 1000)

    def close(self) -> None:
        """Release the board's files; doing so twice is harmless."""
        self._writer.close()


def _usable(folder: Path, identity: str, read: Read) -> BoardWriter | None:
    """The writer of the board that is there, if it can be read and is one of this database's."""
    try:
        origin = (folder / ORIGIN_FILE).read_text(encoding="ascii").strip()
        if origin != identity or current_folder(folder) is None:
            return None
        writer = BoardWriter.open(folder)
    except (FileNotFoundError, UnicodeDecodeError, BoardUnreadableError):
        return None
    # A board ahead of its database was filled before the database was set back to a backup.
    if writer.offset() > store.last_sequence(read):
        writer.close()
        return None
    return writer


def _build_anew(folder: Path, read: Read, at: datetime) -> BoardWriter:
    """A full board of what `read` sees, in use by readers when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ORIGIN_FILE).unlink(missing_ok=True)
    writer = BoardWriter.begin_anew(folder)
    try:
        after = PersonRef(0)
        while page := store.page(read, after=after, limit=REBUILD_ROWS):
            writer.put(_rows(page), sequence=0, at_ms=0)
            after = page[-1].person
        while _put_venues(writer, read):
            pass
        writer.put((), sequence=store.last_sequence(read), at_ms=_milliseconds(at))
        writer.switch()
    except BaseException:
        writer.close()
        raise
    return writer


def _rows(statuses: Sequence[Status]) -> Iterator[tuple[int, bytes]]:
    return ((status.person, record.pack(board_record(status))) for status in statuses)


def _put_venues(writer: BoardWriter, read: Read) -> int:
    """Write a step of the venues that changed; how many."""
    changed = venues.changed_since(read, writer.venue_offset(), PUBLISH_ROWS_MAX)
    if changed:
        rows = [
            (venue.venue_id, VenueRecord(venue.venue_ref, venue.generation, venue.closed_at is None))
            for venue in changed
        ]
        writer.put_venues(rows, sequence=changed[-1].sequence)
    return len(changed)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
