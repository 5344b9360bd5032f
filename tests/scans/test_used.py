"""The memory of used codes that the gate processes of a machine share."""

from __future__ import annotations

import fcntl
import io
import multiprocessing
import os
from multiprocessing.pool import Pool
from pathlib import Path

import pytest

from tianfu.platform.observe import Log
from tianfu.scans.used import SAME_SCAN_MS, USED_BYTES, Use, UsedCodes, shared_or_own

NOW_MS = 1_795_000_000_000
CODES = 2_000
PROCESSES = 4


def use(used: UsedCodes, cti: bytes, *, checker: int = 1, at_ms: int = NOW_MS) -> Use:
    return used.use(cti, checker=checker, happened_ms=at_ms, at_ms=at_ms)


def test_what_one_gate_noted_the_other_knows_and_a_later_one_too(tmp_path: Path) -> None:
    first, second = UsedCodes.open(tmp_path), UsedCodes.open(tmp_path)

    assert use(first, b"a" * 8) is Use.FIRST
    assert use(second, b"a" * 8, checker=2) is Use.AGAIN
    assert use(first, b"a" * 8, at_ms=NOW_MS + SAME_SCAN_MS) is Use.SAME_SCAN
    for used in (first, second):
        used.close()
    assert use(UsedCodes.open(tmp_path), b"a" * 8, checker=2) is Use.AGAIN


def test_the_same_scan_at_a_gate_that_did_not_note_it_is_recorded_there(tmp_path: Path) -> None:
    # The first gate may have died after it had noted the code and before its event was on disk.
    died = UsedCodes.open(tmp_path)
    use(died, b"a" * 8)
    died.close()

    restarted = UsedCodes.open(tmp_path)

    assert use(restarted, b"a" * 8, at_ms=NOW_MS + 1) is Use.FIRST
    assert use(restarted, b"a" * 8, checker=2, at_ms=NOW_MS + 2) is Use.AGAIN


def test_what_was_not_recorded_is_forgotten_by_all(tmp_path: Path) -> None:
    first, second = UsedCodes.open(tmp_path), UsedCodes.open(tmp_path)
    use(first, b"a" * 8)
    second.forget(b"a" * 8)
    second.forget(b"b" * 8)

    assert use(first, b"a" * 8, checker=2) is Use.FIRST


def test_of_many_processes_exactly_one_is_the_first_for_each_code(tmp_path: Path) -> None:
    UsedCodes.open(tmp_path).close()
    with Pool(PROCESSES, context=multiprocessing.get_context("spawn")) as pool:
        firsts = pool.starmap(_use_all, [(tmp_path, checker) for checker in range(PROCESSES)], chunksize=1)

    assert sorted(code for each in firsts for code in each) == list(range(CODES))


def _use_all(folder: Path, checker: int) -> list[int]:
    used = UsedCodes.open(folder)
    # Numbers as signing makes them are random; these are spread over the buckets as those would be.
    codes = {number: (number * 2_654_435_761 % 2**32).to_bytes(4, "little") * 2 for number in range(CODES)}
    return [number for number, cti in codes.items() if use(used, cti, checker=checker) is Use.FIRST]


def test_a_process_that_was_stopped_with_the_lock_stops_nobody(tmp_path: Path) -> None:
    used = UsedCodes.open(tmp_path)
    holder = os.open(tmp_path / "codes-1", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)

    assert use(used, b"a" * 8) is Use.FIRST
    assert use(used, b"a" * 8, checker=2) is Use.AGAIN
    os.close(holder)


def test_in_a_full_bucket_the_oldest_gives_way_and_the_newest_are_known() -> None:
    used = UsedCodes()
    codes = [b"same" + number.to_bytes(4, "big") for number in range(9)]
    for number, code in enumerate(codes):
        assert use(used, code, at_ms=NOW_MS + number) is Use.FIRST

    assert [use(used, code, checker=2, at_ms=NOW_MS + 10) for code in codes[1:]] == [Use.AGAIN] * 8
    assert use(used, codes[0], checker=2, at_ms=NOW_MS + 10) is Use.FIRST


def test_a_number_that_looks_like_part_of_another_place_is_not_taken_for_it() -> None:
    used = UsedCodes()
    cti = b"\0" * 8
    assert use(used, cti) is Use.FIRST
    assert use(used, b"\0\0\0\0abcd") is Use.FIRST
    assert use(used, cti, checker=2) is Use.AGAIN


def test_a_clock_that_was_set_back_makes_no_code_new_again() -> None:
    used = UsedCodes()
    use(used, b"a" * 8)

    assert use(used, b"a" * 8, checker=2, at_ms=NOW_MS - 3_600_000) is Use.AGAIN


def test_without_room_for_the_file_a_gate_remembers_by_itself_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError

    monkeypatch.setattr(os, "posix_fallocate", full)
    said = io.StringIO()
    used = shared_or_own(tmp_path, Log("test", stream=said))

    assert use(used, b"a" * 8) is Use.FIRST
    assert use(used, b"a" * 8, checker=2) is Use.AGAIN
    assert said.getvalue().count("OSError") == 1


def test_the_file_has_its_room_from_the_start(tmp_path: Path) -> None:
    UsedCodes.open(tmp_path).close()

    found = (tmp_path / "codes-1").stat()
    assert found.st_size == USED_BYTES
    assert found.st_blocks * 512 >= USED_BYTES
    assert found.st_mode & 0o077 == 0
