from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.lake.test_ship import GATE, folders, in_the_lake, record_scans
from tests.support.worker import wait_until
from tianfu.lake import incoming
from tianfu.platform.observe import Log
from tianfu.services.shipper import Shipper


def events(stream: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in stream.getvalue().splitlines()]


def test_a_journal_in_trouble_is_reported_once_and_stops_no_other(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 2)
    broken = tmp_path / "journal" / "gate-00001"
    record_scans(broken, 1)
    (broken / "data.mdb").write_bytes(b"nonsense" * 4096)
    stream = io.StringIO()
    shipper = Shipper(tmp_path, Log("test", stream=stream))

    for _ in range(3):
        shipper.turn()

    assert in_the_lake(lake) == [0, 1]
    assert events(stream) == ["a journal is not moved on", "a journal was moved on"]


def test_the_process_moves_what_gates_write_and_stops_when_told(tmp_path: Path) -> None:
    journal, lake = folders(tmp_path)
    record_scans(journal, 3)
    process = subprocess.Popen(
        [sys.executable, "-m", "tianfu.services.shipper"],
        env={**os.environ, "TIANFU_VAR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: len(incoming.segments(lake, GATE)) == 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
    assert in_the_lake(lake) == [0, 1, 2]
