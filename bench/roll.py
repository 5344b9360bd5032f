"""Rolling scans from segments into today's buffer, in the turns in which they come: one core, no database.

Two million scans in turns of a hundred thousand, ten seconds' worth at 10,000 a second, all merges of the buffer
included. The baseline does the same for some of them the plain way: each event decoded in Python, sorted as tuples,
without repeats, and written as two arrays and the events.
"""

from __future__ import annotations

import tempfile
import time
from array import array
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from bench.plain import Line
from tianfu.lake import incoming, layout, roll, rows, segment, state
from tianfu.lake.incoming import Offset
from tianfu.scans import event

TARGET: Final = 10_000
TURNS: Final = 20
SCANS_PER_TURN: Final = 100_000
GATE: Final = 1
PEOPLE: Final = 90_000_000
VENUES: Final = 2_000_000
_NOON: Final = datetime(2022, 3, 1, 4, tzinfo=UTC)
_EIGHT_HOURS_MS: Final = 8 * 3_600_000


def measure() -> Line:
    """One pass, some seconds; processor time, so that neighbours on the machine do not count."""
    with tempfile.TemporaryDirectory(prefix="tianfu-bench-") as folder:
        lake = Path(folder)
        spent = 0.0
        for turn in range(TURNS):
            _ship(lake, turn)
            at = _NOON + timedelta(seconds=10 * turn)
            started = time.process_time()
            rolled = roll.roll(lake, at=at, days_kept=30)
            spent += time.process_time() - started
            assert rolled.records == SCANS_PER_TURN, rolled
        assert sum(part.scans for part in state.load(lake).days["2022-03-01"]) == TURNS * SCANS_PER_TURN
    rate, baseline = round(TURNS * SCANS_PER_TURN / spent), round(SCANS_PER_TURN / _plain_seconds())
    return Line(
        name="roll",
        figure=rate,
        unit="scans/s on one core",
        target=TARGET,
        is_met=rate >= TARGET,
        baseline=f"each event decoded in Python {baseline:,}/s, ratio {rate / baseline:.1f}",
        note=f"{TURNS * SCANS_PER_TURN:,} scans in turns of {SCANS_PER_TURN:,}, merges included",
    )


def _scans(turn: int) -> rows.Rows:
    chance = np.random.default_rng(turn)
    found = np.zeros(SCANS_PER_TURN, rows.EVENT)
    found["version"] = event.EVENT_VERSION
    found["kind"] = event.KIND_POSTER
    found["person"] = chance.integers(0, PEOPLE, SCANS_PER_TURN)
    found["venue"] = chance.integers(0, VENUES, SCANS_PER_TURN)
    found["gate"] = GATE
    found["happened_at"] = int(_NOON.timestamp() * 1000) + turn * 10_000 + np.arange(SCANS_PER_TURN) // 10
    found["received_at"] = found["happened_at"]
    found["nonce"] = chance.integers(0, 2**63, SCANS_PER_TURN)
    return found


def _ship(lake: Path, turn: int) -> None:
    """The turn's scans as the shipper leaves them."""
    body = _scans(turn).tobytes()
    folder = incoming.gate_folder(lake, GATE)
    folder.mkdir(parents=True, exist_ok=True)
    first = turn * SCANS_PER_TURN
    records = [body[at : at + event.EVENT_BYTES] for at in range(0, len(body), event.EVENT_BYTES)]
    made = segment.write(folder, GATE, first, records)
    incoming.note(lake, GATE, Offset(made.end, incoming.digest(records[-1])))


def _plain_seconds() -> float:
    """Processor time for one turn's scans the plain way, without any merge."""
    with tempfile.TemporaryDirectory(prefix="tianfu-bench-") as folder:
        lake = Path(folder)
        _ship(lake, 0)
        (item,) = incoming.listed(lake, GATE)
        started = time.process_time()
        known = set()
        visits = []
        for _, scan in incoming.events(item, GATE):
            key = (scan.kind, scan.person, scan.venue, scan.nonce)
            if key not in known:
                known.add(key)
                minute = (scan.happened_at + _EIGHT_HOURS_MS) // 60_000 % layout.DAY_MINUTES
                visits.append((scan.venue, minute, scan.person, scan))
        visits.sort(key=lambda visit: visit[:3])
        by_venue = array("Q", (venue << 39 | minute << 28 | person for venue, minute, person, _ in visits))
        by_person = array("Q", sorted(person << 36 | minute << 25 | venue for venue, minute, person, _ in visits))
        segment.write_synced(lake / "by-venue", by_venue.tobytes())
        segment.write_synced(lake / "by-person", by_person.tobytes())
        segment.write_synced(lake / "events", b"".join(event.pack(scan) for *_, scan in visits))
        return time.process_time() - started
