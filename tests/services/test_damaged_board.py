"""The board's files damaged under a gate that serves: it lives on, guesses no colour, and takes up a good board."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import httpx
import lmdb
import pytest

from tests.support.gate import GREEN, RED, GateWorld, gate_process
from tests.support.ports import free_port
from tests.support.running import until
from tianfu.status import layout
from tianfu.status.board import BoardWriter
from tianfu.status.record import BoardRecord, pack

RUBBISH = bytes(range(256))
PEOPLE = 5_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    others = pack(BoardRecord(GREEN, 0, 0, 7, 0, 0, 0, 0, 0, 1))
    made.writer.put([(person, others) for person in range(10, PEOPLE)], sequence=3, at_ms=made.at_ms)
    yield made
    made.writer.close()


def data(var: Path) -> Path:
    folder = layout.current_folder(var / "board")
    assert folder is not None
    return folder / "data.mdb"


def cut_short(var: Path) -> None:
    os.truncate(data(var), data(var).stat().st_size // 3)


def emptied(var: Path) -> None:
    os.truncate(data(var), 0)


def written_over(var: Path) -> None:
    """As `cp` does: the same file, emptied and filled with something longer."""
    length = data(var).stat().st_size
    data(var).write_bytes(RUBBISH * (length // 128))


def written_over_in_place(var: Path) -> None:
    """As a disk does that has lost its mind: no byte fewer."""
    length = data(var).stat().st_size
    with data(var).open("r+b") as handle:
        handle.write(bytes(length))


def replaced_by_rubbish(var: Path) -> None:
    other = data(var).with_name("other")
    other.write_bytes(RUBBISH * 1000)
    other.replace(data(var))


def replaced_by_another_layout(var: Path) -> None:
    """A whole board of a version whose numbers are shorter."""
    folder = var / "board" / "g-000009"
    folder.mkdir()
    with lmdb.open(str(folder), max_dbs=16, map_size=2**20) as other:
        for table in layout.TABLES.values():
            other.open_db(table.name, integerkey=table is layout.PERSONS)
        other.open_db(layout.CHANGES, integerkey=True)
        meta = other.open_db(layout.META)
        with other.begin(write=True) as transaction:
            transaction.put(layout.META_LAYOUT, b"\x63\0\0\0", db=meta)
    (folder / "data.mdb").replace(data(var))


class Reloading:
    """A phone that asks for its code without a pause, and what it was shown."""

    def __init__(self, port: int, token: str) -> None:
        self.colours: list[str] = []
        self.statuses: set[int] = set()
        self._stopping = threading.Event()
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", cookies={"tianfu_session": token}, trust_env=False, timeout=10
        )
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        with self._client as phone, contextlib.suppress(httpx.TransportError):
            while not self._stopping.is_set():
                answer = phone.get("/gate/v1/code")
                self.statuses.add(answer.status_code)
                self.colours.append(answer.json()["colour"])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def is_shown(self, colour: str) -> bool:
        """Whether the latest two answers said so."""
        return self.colours[-2:] == [colour] * 2


@pytest.mark.parametrize(
    "damage",
    [cut_short, emptied, written_over, written_over_in_place, replaced_by_rubbish, replaced_by_another_layout],
)
def test_a_board_damaged_under_a_serving_gate_ends_in_being_checked_until_there_is_a_good_one(
    world: GateWorld, damage: Callable[[Path], None]
) -> None:
    port = free_port()
    world.writer.close()
    with gate_process(world.var, port) as gate, Reloading(port, world.resident(1)) as phone:
        until(lambda: phone.is_shown("green"), "the colour")

        damage(world.var)

        until(lambda: phone.is_shown("checking"), "being checked")
        world.writer = BoardWriter.begin_anew(world.var / "board")
        world.put(1, BoardRecord(RED, 0, 1, 8, 0, 0, 0, 0, 0, 9))
        world.writer.switch()
        until(lambda: phone.is_shown("red"), "the good board")
        assert gate.poll() is None

    assert phone.statuses == {200}


def test_a_board_that_was_removed_and_made_again_under_the_same_name_is_taken_up(world: GateWorld) -> None:
    port = free_port()
    world.writer.close()
    with gate_process(world.var, port) as gate, Reloading(port, world.resident(1)) as phone:
        until(lambda: phone.is_shown("green"), "the colour")

        shutil.rmtree(world.var / "board")
        time.sleep(0.3)
        assert gate.poll() is None
        world.writer = BoardWriter.open(world.var / "board")
        world.put(1, BoardRecord(RED, 0, 1, 8, 0, 0, 0, 0, 0, 9))

        until(lambda: phone.is_shown("red"), "the new board")

    assert phone.statuses == {200}


@pytest.mark.parametrize("pointer", ["g-000077\n", "nowhere\n", ""])
def test_a_pointer_to_nowhere_changes_nothing_until_it_points_to_a_board(world: GateWorld, pointer: str) -> None:
    port = free_port()
    world.writer.close()
    current = world.var / "board" / layout.CURRENT_FILE
    with gate_process(world.var, port) as gate, Reloading(port, world.resident(1)) as phone:
        until(lambda: phone.is_shown("green"), "the colour")

        current.write_text(pointer, encoding="ascii")
        time.sleep(0.3)
        assert (gate.poll(), phone.is_shown("green")) == (None, True)
        world.writer = BoardWriter.begin_anew(world.var / "board")
        world.put(1, BoardRecord(RED, 0, 1, 8, 0, 0, 0, 0, 0, 9))
        world.writer.switch()

        until(lambda: phone.is_shown("red"), "the new board")


@pytest.mark.parametrize("damage", [cut_short, emptied, replaced_by_rubbish, replaced_by_another_layout])
def test_a_gate_that_starts_with_a_damaged_board_says_so_and_takes_up_a_good_one(
    world: GateWorld, damage: Callable[[Path], None]
) -> None:
    port = free_port()
    world.writer.close()
    damage(world.var)

    with gate_process(world.var, port), Reloading(port, world.resident(1)) as phone:
        until(lambda: phone.is_shown("checking"), "being checked")
        world.writer = BoardWriter.begin_anew(world.var / "board")
        world.put(1, BoardRecord(RED, 0, 1, 8, 0, 0, 0, 0, 0, 9))
        world.writer.switch()
        until(lambda: phone.is_shown("red"), "the good board")
