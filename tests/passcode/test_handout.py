"""Handing out lists: who has the latest one is told so, and a long one costs the gate its bytes once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gate import GateWorld, request
from tests.support.lists import LIFE, not_green_text, trust_text
from tianfu.passcode.handout import LONG_PER_SECOND_MAX, ListDesk
from tianfu.passcode.lists import ENTRIES_MAX, FILTER_BYTES_MAX, HASHES, NotGreenList, sign_list
from tianfu.platform.hot import http_bytes
from tianfu.platform.http import BusyError
from tianfu.platform.sign import KeyPurpose


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path)
    yield made
    made.writer.close()


@pytest.fixture
def desk(world: GateWorld) -> ListDesk:
    return ListDesk(board=world.writer.reader(), ring=world.ring, now_ms=world.now_ms)


def longest(world: GateWorld, number: int = 1) -> bytes:
    at = world.at_ms // 1000
    made = NotGreenList(number, at, at + LIFE, ENTRIES_MAX, HASHES, b"\x5a" * FILTER_BYTES_MAX)
    return sign_list(world.ring.at(at).signers[KeyPurpose.LIST], made).encode()


def test_who_has_the_latest_list_gets_none_and_who_has_another_gets_it(world: GateWorld, desk: ListDesk) -> None:
    at = world.at_ms // 1000
    text = not_green_text(world.ring, at, number=70_000)
    world.writer.put_lists([(b"not-green", text.encode()), (b"trust", trust_text(world.ring, at, number=3).encode())])

    for query, whole in ((b"number=70000", False), (b"number=69999", True), (b"number=070000", True), (b"", True)):
        said = json.loads(desk.not_green(request(None, query=query)).body)
        assert said == {"list": text if whole else None}
    assert json.loads(desk.trust(request(None, query=b"number=3")).body) == {"list": None}


def test_a_newer_list_is_handed_out_a_second_later_at_most(world: GateWorld, desk: ListDesk) -> None:
    at = world.at_ms // 1000
    first, second = (not_green_text(world.ring, at, number=number) for number in (1, 2))
    world.writer.put_lists([(b"not-green", first.encode())])
    assert json.loads(desk.not_green(request(None)).body) == {"list": first}
    world.writer.put_lists([(b"not-green", second.encode())])

    world.at_ms += 1_000
    assert json.loads(desk.not_green(request(None)).body) == {"list": second}


def test_in_one_second_so_many_long_lists_are_handed_out_and_no_more(world: GateWorld, desk: ListDesk) -> None:
    world.writer.put_lists([(b"not-green", longest(world))])

    for _ in range(LONG_PER_SECOND_MAX):
        desk.not_green(request(None))
    with pytest.raises(BusyError):
        desk.not_green(request(None))
    assert desk.not_green(request(None, query=b"number=1")).body == b'{"list":null}'
    world.at_ms += 1_000
    assert len(desk.not_green(request(None)).body) > len(longest(world))


def test_a_long_list_is_in_memory_once_however_many_are_slow_to_read_it(world: GateWorld, desk: ListDesk) -> None:
    world.writer.put_lists([(b"not-green", longest(world))])

    first, second = (desk.not_green(request(None)) for _ in range(2))

    assert http_bytes(first) is http_bytes(second)
    assert http_bytes(first).endswith(first.body)
