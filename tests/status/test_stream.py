from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianfu.status import layout, stream
from tianfu.status.layout import TABLES
from tianfu.status.stream import KIND_CHANGES, KIND_PAGE, Frame, Section, StreamBrokenError

FRAME = Frame(
    KIND_CHANGES,
    identity=7,
    first=3,
    position=9,
    whole=True,
    heartbeat_ms=1_646_107_200_000,
    offset=5,
    venue_offset=2,
    sections=(
        Section(layout.PERSONS, [(stream.person_key(12), b"r" * 24)]),
        Section(layout.SESSIONS, [(b"session1", None), (b"session2", b"\x01" * 8)]),
    ),
)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    numbers = st.integers(0, 2**64 - 1)
    sections = []
    for table in draw(st.lists(st.sampled_from(list(TABLES.values())), max_size=3)):
        keys = st.binary(min_size=table.key_bytes, max_size=table.key_bytes)
        sections.append(Section(table, draw(st.lists(st.tuples(keys, st.none() | st.binary(max_size=40)), max_size=4))))
    return Frame(
        draw(st.sampled_from([KIND_PAGE, KIND_CHANGES])),
        draw(numbers),
        draw(numbers),
        draw(numbers),
        draw(st.booleans()),
        draw(numbers),
        draw(numbers),
        draw(numbers),
        tuple(sections),
    )


@given(frames())
def test_what_was_packed_is_unpacked(frame: Frame) -> None:
    assert stream.unpack(stream.pack(frame)) == frame


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_bytes_that_are_no_frame_are_refused(data: bytes) -> None:
    with pytest.raises(StreamBrokenError):
        stream.unpack(data)


def test_every_altered_byte_and_every_cut_is_refused() -> None:
    data = stream.pack(FRAME)
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 1
        with pytest.raises(StreamBrokenError):
            stream.unpack(bytes(altered))
        with pytest.raises(StreamBrokenError):
            stream.unpack(data[:at])
    with pytest.raises(StreamBrokenError):
        stream.unpack(data + b"x")


def test_a_frame_with_a_sound_checksum_and_nonsense_inside_is_refused() -> None:
    whole = stream.pack(FRAME)[:-32]
    chance = random.Random(3)
    for _ in range(3_000):
        altered = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            altered[chance.randrange(4, len(altered))] = chance.randrange(256)
        data = bytes(altered) + hashlib.sha256(altered).digest()
        try:
            frame = stream.unpack(data)
        except StreamBrokenError:
            continue
        assert stream.pack(frame) == data


def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_read() -> None:
    head = bytearray(stream.pack(FRAME)[: stream.HEAD_BYTES])
    head[-4:] = b"\xff\xff\xff\xff"

    with pytest.raises(StreamBrokenError):
        stream.frame_bytes(bytes(head))


def test_the_bytes_of_a_frame_are_those_that_are_written_down() -> None:
    data = stream.pack(FRAME)

    assert data[:8] == bytes.fromhex("5446424601000201")
    assert data[8:32] == b"".join(number.to_bytes(8, "little") for number in (7, 3, 9))
    assert data[64:69] == (1).to_bytes(1, "little") + (1).to_bytes(4, "little")
    assert data[69:78] == bytes([4, 24, 0, 0, 0, 12, 0, 0, 0])
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()
