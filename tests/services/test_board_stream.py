"""A source and followers as processes of their own, over loopback, killed at any moment."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.status.test_board import AT_MS, rows
from tests.status.test_follow import change, content
from tests.support.ports import free_port
from tests.support.worker import wait_until
from tianfu.status import layout, sizes, stream
from tianfu.status.board import BoardWriter
from tianfu.status.layout import VenueRecord

PEOPLE = 400_000  # about 10 MB: three pages


@contextlib.contextmanager
def process(*arguments: str, var: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process on a data folder, killed at the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIANFU_")}
    with (var / "log.txt").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, *arguments], env={**environment, "TIANFU_VAR": str(var)}, stdout=log, stderr=log
        )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@contextlib.contextmanager
def source_process(var: Path) -> Iterator[str]:
    """A source over the board in `var`; its address."""
    port = free_port()
    with process("-m", "tianfu.services.board_source", "--port", str(port), var=var) as started:
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert started.poll() is None
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(url + "/board/v1/changes", trust_env=False).status_code == 401
            return False

        wait_until(answers)
        yield url


def follower_process(var: Path, url: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return process("-c", "from tianfu.cli.main import main; main()", "board", "follow", url, var=var)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Path, Path, BoardWriter]]:
    """Data folders of a machine with a filled board and of one without, which share a secret; the board's writer."""
    here, there = tmp_path / "here", tmp_path / "there"
    for var in (here, there):
        (var / "keys").mkdir(parents=True)
        (var / "keys" / "board.secret").write_text("a-secret-of-a-test-that-is-long-enough\n")
        (var / "keys" / "board.secret").chmod(0o600)
    writer = BoardWriter.open(here / "board")
    for first in range(1, PEOPLE, 100_000):
        writer.put(rows(range(first, first + 100_000)), sequence=first, at_ms=AT_MS)
    writer.put_venues([(bytes([n]) * 16, VenueRecord(n, 2, open=True)) for n in range(1, 50)], sequence=9)
    yield here, there, writer
    writer.close()


def followed(var: Path) -> int:
    """Up to which change the board in `var` holds everything; 0 while there is none."""
    found = sizes.measure(var / "board")
    return 0 if found is None else found.followed


def has_all_of(writer: BoardWriter, var: Path) -> bool:
    return followed(var) == writer.number(layout.META_CHANGES)


@pytest.mark.slow
def test_a_follower_killed_at_any_moment_ends_with_the_same_board(machines: tuple[Path, Path, BoardWriter]) -> None:
    here, there, writer = machines
    chance = random.Random(4)
    with source_process(here) as url:
        for turn in range(1, 13):
            with follower_process(there, url) as follower:
                change(writer, turn)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    follower.wait(timeout=chance.uniform(0.3, 0.9))
                follower.send_signal(signal.SIGKILL)
                follower.wait()
            change(writer, 100 + turn)
        with follower_process(there, url) as follower:
            wait_until(lambda: has_all_of(writer, there))
            for turn in range(200, 260):
                change(writer, turn)
            writer.heartbeat(AT_MS + 99_000)
            wait_until(lambda: has_all_of(writer, there))
            follower.terminate()
            assert follower.wait(timeout=60) == 0
    writer.close()

    assert content(there / "board") == content(here / "board")


def test_a_follower_waits_for_a_source_that_is_away_and_goes_on_when_it_is_back(
    machines: tuple[Path, Path, BoardWriter],
) -> None:
    here, there, writer = machines
    port = free_port()
    arguments = ("-m", "tianfu.services.board_source", "--port", str(port))
    with follower_process(there, f"http://127.0.0.1:{port}") as follower:
        with process(*arguments, var=here):
            wait_until(lambda: has_all_of(writer, there))
        change(writer, 1)
        with process(*arguments, var=here):
            wait_until(lambda: has_all_of(writer, there))
        assert follower.poll() is None


def test_nothing_is_said_without_the_secret_and_nonsense_is_refused(
    machines: tuple[Path, Path, BoardWriter],
) -> None:
    here, _, writer = machines
    secret = {"Authorization": "Bearer a-secret-of-a-test-that-is-long-enough"}
    with source_process(here) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": secret["Authorization"] + "x"}):
            answer = client.get("/board/v1/snapshot?table=1", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "board_secret_refused")
        refused = {
            "/board/v1/snapshot": 422,
            "/board/v1/snapshot?table=9": 422,
            "/board/v1/snapshot?table=1&after=zz": 422,
            "/board/v1/snapshot?table=1&after=00": 422,
            "/board/v1/changes?identity=x&after=1": 422,
            "/board/v1/changes?identity=1&after=1": 410,
            f"/board/v1/changes?identity={writer.number(layout.META_IDENTITY)}&after=99999999999": 410,
            "/board/v1/else": 404,
        }
        for path, status in refused.items():
            assert client.get(path, headers=secret).status_code == status, path
        assert client.post("/board/v1/snapshot?table=1", headers=secret).status_code == 405
        page = stream.unpack(client.get("/board/v1/snapshot?table=1", headers=secret).content)
        assert not page.whole


def test_a_second_follower_of_one_folder_is_refused(machines: tuple[Path, Path, BoardWriter]) -> None:
    here, there, writer = machines
    with source_process(here) as url, follower_process(there, url):
        wait_until(lambda: has_all_of(writer, there))
        with follower_process(there, url) as second:
            assert second.wait(timeout=60) == 2
