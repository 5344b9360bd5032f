from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianfu.errors import TianfuError
from tianfu.platform.http import BusyError
from tianfu.platform.journal import PENDING_RECORDS_MAX, ClosedJournal, Journal, JournalTakenError
from tianfu.platform.journalfile import JournalBrokenError, JournalFile, JournalFullError

RECORD = 44
SMALL_MAP_BYTES = 256 * 1024


def record(number: int) -> bytes:
    return number.to_bytes(RECORD, "big")


async def append_all(folder: Path, numbers: range, *, map_bytes: int = 16 * 1024 * 1024) -> None:
    journal = Journal.open(folder, loop=asyncio.get_running_loop(), map_bytes=map_bytes)
    try:
        await asyncio.gather(*(journal.append(record(number)) for number in numbers))
    finally:
        await asyncio.to_thread(journal.close)


def test_what_was_acknowledged_is_there_in_order_after_reopening(tmp_path: Path) -> None:
    asyncio.run(append_all(tmp_path, range(1000)))
    asyncio.run(append_all(tmp_path, range(1000, 1500)))

    file = JournalFile.open(tmp_path)

    assert file.end() == 1500
    assert file.read(0, 2000) == [(number, record(number)) for number in range(1500)]
    file.close()


def test_records_that_wait_together_are_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    write = JournalFile.write

    def counted(self: JournalFile, records: list[bytes]) -> None:
        commits.append(len(records))
        write(self, records)

    monkeypatch.setattr(JournalFile, "write", counted)

    asyncio.run(append_all(tmp_path, range(200)))

    assert sum(commits) == 200
    assert len(commits) < 10


def test_records_taken_together_are_told_of_together(tmp_path: Path) -> None:
    async def run() -> list[TianfuError | None]:
        journal = Journal.open(tmp_path, loop=asyncio.get_running_loop())
        told: list[TianfuError | None] = []
        journal.take([record(1), record(2), record(3)], told.append)
        await journal.append(record(4))
        journal.when_settled(told.append)
        assert [found for _, found in journal.read(0, 10)] == [record(number) for number in (1, 2, 3, 4)]
        await asyncio.to_thread(journal.close)
        return told

    assert asyncio.run(run()) == [None, None]


def test_records_of_one_request_become_durable_in_one_value_and_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path, loop=asyncio.get_running_loop())
        await journal.append(*(record(number) for number in range(100)))
        assert journal.read(0, 200) == [(number, record(number)) for number in range(100)]
        with journal._file._environment.begin(journal._file._records) as transaction:
            assert transaction.stat(journal._file._records)["entries"] == 1
        await asyncio.to_thread(journal.close)

    asyncio.run(run())


def test_records_of_one_request_that_do_not_fit_the_queue_are_refused_together(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path, loop=asyncio.get_running_loop())
        accepted: list[asyncio.Future[None]] = []

        def overfill() -> None:
            while True:
                accepted.append(journal.append(*[record(len(accepted))] * 100))

        with pytest.raises(BusyError):
            overfill()
        await asyncio.gather(*accepted)
        assert len(accepted) * 100 > PENDING_RECORDS_MAX - 100
        assert journal.end() == len(accepted) * 100
        await asyncio.to_thread(journal.close)

    asyncio.run(run())


def test_a_waiter_that_is_cancelled_does_not_cancel_the_batch(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path, loop=asyncio.get_running_loop())

        async def wait(number: int) -> None:
            await journal.append(record(number))

        tasks = [asyncio.create_task(wait(number)) for number in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [None, None]
        assert journal.end() == 3
        await asyncio.to_thread(journal.close)

    asyncio.run(run())


def test_a_full_queue_is_busy_at_once_and_drains(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path, loop=asyncio.get_running_loop())
        accepted: list[asyncio.Future[None]] = []

        def overfill() -> None:
            while True:
                accepted.append(journal.append(record(len(accepted))))

        with pytest.raises(BusyError) as busy:
            overfill()
        assert len(accepted) >= PENDING_RECORDS_MAX
        assert busy.value.retry_after_seconds == 1
        await asyncio.gather(*accepted)
        assert journal.end() == len(accepted)
        await asyncio.to_thread(journal.close)

    asyncio.run(run())


def test_a_full_journal_refuses_keeps_what_it_has_and_takes_more_once_trimmed(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path, loop=asyncio.get_running_loop(), map_bytes=SMALL_MAP_BYTES)
        acknowledged = 0

        async def fill() -> None:
            nonlocal acknowledged
            while True:
                await journal.append(record(acknowledged))
                acknowledged += 1

        with pytest.raises(JournalFullError):
            await fill()
        assert journal.read(0, 200_000) == [(number, record(number)) for number in range(acknowledged)]
        journal._file.trim(acknowledged)
        await journal.append(record(7))
        assert journal.end() == acknowledged + 1
        await asyncio.to_thread(journal.close)

    asyncio.run(run())


def fill(file: JournalFile) -> None:
    with contextlib.suppress(JournalFullError):
        while True:
            file.write([record(1)] * 40)


@pytest.mark.parametrize("values_max", [1, 7, 256])
def test_a_full_journal_can_be_emptied_in_small_steps_and_filled_again(tmp_path: Path, values_max: int) -> None:
    file = JournalFile.open(tmp_path, map_bytes=SMALL_MAP_BYTES)
    for _ in range(3):
        fill(file)
        end = file.end()

        while file.trim(end, values_max=values_max):
            pass

        assert (file.start(), file.end()) == (end - 40, end)
    file.close()


def test_a_disk_that_is_full_fails_the_batch_and_a_later_one_succeeds(tmp_path: Path) -> None:
    # A file size limit stands for the full disk: the kernel refuses the write in the same place.
    script = """
import asyncio, resource, sys
from pathlib import Path
from tianfu.platform.journal import Journal
from tianfu.platform.journalfile import JournalFullError
async def run():
    journal = Journal.open(Path(sys.argv[1]), loop=asyncio.get_running_loop())
    good = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, -1))
    try:
        while True:
            await journal.append(good.to_bytes(44, "big"))
            good += 1
    except JournalFullError:
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    await journal.append(good.to_bytes(44, "big"))
    print(good + 1, journal.end())
    assert [record for _, record in journal.read(0, 10**6)] == [n.to_bytes(44, "big") for n in range(good + 1)]
    await asyncio.to_thread(journal.close)
asyncio.run(run())
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    acknowledged, end = done.stdout.split()
    assert int(acknowledged) == int(end) > 1


def test_a_second_process_with_the_same_number_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal.open(tmp_path, loop=asyncio.get_running_loop())
        with pytest.raises(JournalTakenError):
            Journal.open(tmp_path, loop=asyncio.get_running_loop())
        await asyncio.to_thread(journal.close)
        again = Journal.open(tmp_path, loop=asyncio.get_running_loop())
        await asyncio.to_thread(again.close)

    asyncio.run(run())


def test_a_file_that_is_no_journal_is_refused_with_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"not a journal" * 1000)

    with pytest.raises(JournalBrokenError):
        JournalFile.open(tmp_path)


def test_a_truncated_file_is_refused_instead_of_killing_the_process(tmp_path: Path) -> None:
    for number in range(20):
        asyncio.run(append_all(tmp_path, range(number * 500, number * 500 + 500)))
    data = tmp_path / "data.mdb"
    os.truncate(data, data.stat().st_size * 2 // 3)
    script = """
import sys
from pathlib import Path
from tianfu.platform.journalfile import JournalFile
JournalFile.open(Path(sys.argv[1]))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "JournalBrokenError" in done.stderr


def test_a_closed_journal_says_why_it_takes_nothing() -> None:
    closed = ClosedJournal(JournalFullError())

    with pytest.raises(JournalFullError):
        closed.take([record(1)], print)
    with pytest.raises(JournalFullError):
        closed.when_settled(print)


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    start=st.integers(0, 400),
    limit=st.integers(1, 400),
    upto=st.integers(0, 900),
)
def test_reading_and_trimming_agree_with_a_list(batches: list[int], start: int, limit: int, upto: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = JournalFile.open(Path(folder), map_bytes=4 * 1024 * 1024)
        everything: list[tuple[int, bytes]] = []
        for size in batches:
            numbers = range(len(everything), len(everything) + size)
            file.write([record(number) for number in numbers])
            everything.extend((number, record(number)) for number in numbers)

        assert file.read(start, limit) == everything[start : start + limit]
        trimmed = file.trim(upto)

        assert trimmed <= upto
        assert file.end() == len(everything)
        assert file.start() == trimmed
        assert file.read(start, limit) == everything[max(start, trimmed) :][:limit]
        assert file.trim(upto) == 0
        file.close()
