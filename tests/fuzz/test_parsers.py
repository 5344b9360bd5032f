"""Every parser that a stranger can reach, fed with genuine input that was cut, turned, doubled and spliced.

Each refuses with an error of its own and nothing else, in at most 10 ms of processor time.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.platform.test_asgi import MemoryJournal
from tests.support.credentials import Phone, card_of, card_text
from tests.support.gate import ORIGIN, GateWorld, request
from tests.support.lists import not_green_text, pinned, trust_text
from tianfu.access.session import SessionKeys
from tianfu.errors import TianfuError
from tianfu.lake import segment
from tianfu.lake.segment import SegmentBrokenError
from tianfu.passcode import base45, bundle, card, device, token
from tianfu.passcode.bundle import Bundle, TrustFileInvalidError
from tianfu.passcode.handout import root
from tianfu.passcode.lists import LIST_CHARACTERS_MAX, ListInvalidError, read_not_green, read_trust
from tianfu.passcode.offline import Trust
from tianfu.passcode.verify import verify
from tianfu.platform import base64url
from tianfu.platform.cbor import read_bytes, read_text
from tianfu.platform.cose import CodeInvalidError, open1, sign1
from tianfu.platform.hot import HotDesk, Route
from tianfu.platform.http import language_of, session_token
from tianfu.platform.observe import Log
from tianfu.platform.shortcut import Shortcut
from tianfu.platform.sign import KeyPurpose
from tianfu.scans import event
from tianfu.scans.batch import BATCH_BODY_BYTES_MAX
from tianfu.scans.event import EventUnreadableError, ScanEvent
from tianfu.scans.foreign.resolver import HttpResolver, ResolverFailedError
from tianfu.status import layout, stream
from tianfu.status.stream import Frame, Section, StreamBrokenError
from tianfu.venues.poster import PosterInvalidError, read_poster
from tianfu.venues.vehicle import VehicleClaim, vehicle_text

SECONDS_MAX = 0.010
# Other processes push ours out of the caches: the quickest of some runs is what the input costs.
RUNS = 7
TEXT_MAX = 2_000
# What a body may have at most, in the shapes that have broken parsers of JSON.
BODY_MAX = BATCH_BODY_BYTES_MAX
# A text and a byte string, one after the other.
ITEMS = b"\x63abc\x58\x20" + bytes(32)


class Parser(NamedTuple):
    """What reads, the errors that are its own, and genuine input."""

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    genuine: tuple[bytes, ...]


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def answered(handler: Callable[[Any], Any], token_text: str) -> Callable[[bytes], object]:
    """A handler of the gate with this body, waited for where it waits."""

    def read(data: bytes) -> object:
        answer = handler(request(token_text)._replace(body=data))
        return asyncio.run(answer) if inspect.iscoroutine(answer) else answer

    return read


def foreign(data: bytes) -> object:
    """What the resolver makes of an answer from another province."""

    async def ask() -> object:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(data)))
        async with httpx.AsyncClient(transport=transport) as client:
            return await HttpResolver(client, "https://gd.example/check", "token").ask("GDHC:1")

    return asyncio.run(ask())


def of_codes(world: GateWorld) -> dict[str, Parser]:
    """What reads codes, lists and what is inside them."""
    at = world.at_ms // 1000
    ring = world.ring
    keys = ring.at(at)
    live, printed, phone = world.shown_code(1), card_text(ring, card_of(ring, 1, at), at), Phone(ring, 1, at)
    poster = world.poster()
    vehicle = vehicle_text(keys.signers[KeyPurpose.VEHICLE], VehicleClaim(bytes(16), 1, "bus", "川A1", "公交"), ORIGIN)
    codes = tuple(text.encode() for text in (live, printed, phone.text(at)))
    lists = tuple(text.encode() for text in (trust_text(ring, at), not_green_text(ring, at, [bytes(16)])))
    scanner = Trust(pinned(ring, at), ORIGIN)
    scanner.take_trust(lists[0].decode())
    scanner.take_not_green(lists[1].decode())
    message = base45.decode(live[4:])
    payload = open1(message, keys.verify, KeyPurpose.PERSONAL).payload
    trusted = Bundle(1, ORIGIN, root(pinned(ring, at)).keys, lists[0].decode(), lists[1].decode())
    return {
        "codes": Parser(lambda data: verify(text_of(data), ring, at), (TianfuError,), codes),
        "without network": Parser(lambda data: scanner.verdict(text_of(data), at), (), (*codes, poster.encode())),
        "poster": Parser(
            lambda data: read_poster(text_of(data), keys.verify, ORIGIN),
            (PosterInvalidError,),
            (poster.encode(), vehicle.encode()),
        ),
        "trust list": Parser(lambda data: read_trust(text_of(data), keys.verify), (ListInvalidError,), lists),
        "not-green list": Parser(
            lambda data: read_not_green(text_of(data), keys.verify), (ListInvalidError,), lists[::-1]
        ),
        "trust file": Parser(bundle.read, (TrustFileInvalidError,), (bundle.write(trusted),)),
        "base45": Parser(lambda data: base45.decode(text_of(data)), (ValueError,), tuple(code[4:] for code in codes)),
        "base64url": Parser(lambda data: base64url.decode(text_of(data)), (ValueError,), (lists[0][4:],)),
        "cose": Parser(lambda data: open1(data, keys.verify, KeyPurpose.PERSONAL), (CodeInvalidError,), (message,)),
        "content of a code": Parser(token.decode, (CodeInvalidError,), (payload,)),
        "content of a card": Parser(card.decode, (CodeInvalidError,), (card.encode(card_of(ring, 1, at)),)),
        "content of a certificate": Parser(device.decode, (CodeInvalidError,), (device.encode(phone.content),)),
        "signed content of a card": Parser(
            lambda data: verify("HK2:" + base45.encode(sign1(keys.signers[KeyPurpose.CARD], data)), ring, at),
            (TianfuError,),
            (card.encode(card_of(ring, 1, at)),),
        ),
        "cbor": Parser(lambda data: read_bytes(data, read_text(data, 0)[1]), (ValueError, IndexError), (ITEMS,)),
    }


def of_the_wire(world: GateWorld, folder: Path) -> dict[str, Parser]:
    """What reads requests, answers of other platforms, and what machines of ours send each other."""
    at = world.at_ms // 1000
    live, printed = world.shown_code(1), card_text(world.ring, card_of(world.ring, 1, at), at)
    resident, guard = world.resident(1), world.guard_token()
    scan = json.dumps({"poster": world.poster(), "nonce": "aa" * 8, "scanned_at": world.at_ms}).encode()
    check = json.dumps({"code": live}).encode()
    item = {"id": "0" * 16, "code": printed, "scanned_at": world.at_ms - 1}
    batch = json.dumps({"items": [item, item | {"code": live}]}).encode()
    get = f"GET /gate/v1/code?fresh=1 HTTP/1.1\r\nHost: x\r\nCookie: tianfu_session={resident}\r\n\r\n".encode()
    post = b"POST /gate/v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    routes = {("GET", "/gate/v1/code"): Route(world.code.show, b"tianfu_session")}
    routes |= {("POST", "/gate/v1/check"): Route(world.guard.check, b"tianfu_operator")}
    shortcut = Shortcut(HotDesk(routes, journal=MemoryJournal(), public_origin=ORIGIN, log=Log("test")))
    rows = Section(layout.TABLES[min(layout.TABLES)], [])
    frame = Frame(
        stream.KIND_CHANGES, 5, 1, 2, whole=True, heartbeat_ms=world.at_ms, offset=3, venue_offset=4, sections=(rows,)
    )
    visit = event.pack(ScanEvent(1, 1, 0, 1, 12, 0, 9, 0, world.at_ms, world.at_ms, bytes(8)))
    written = segment.write(folder, 9, 0, [visit, visit])
    word = {"state": "valid", "colour": "green", "checked_at": at, "masked_name": "陈*", "last_digits": "047X"}

    def read_segment(data: bytes) -> object:
        written.path.write_bytes(data)
        return segment.read(written, 9)

    return {
        "session": Parser(lambda data: SessionKeys(world.ring).open(data, at), (TianfuError,), (resident.encode(),)),
        "cookies": Parser(
            lambda data: (session_token(data, data, b"tianfu_session"), language_of(data)), (), (get, b"zh;q=0.5,en")
        ),
        "scan": Parser(answered(world.venue.scan, resident), (TianfuError,), (scan,)),
        "check": Parser(answered(world.guard.check, guard), (TianfuError,), (check,)),
        "batch": Parser(answered(world.batch.batch, guard), (TianfuError,), (batch,)),
        "short way": Parser(shortcut.take, (), (get, post % (len(check), check))),
        "foreign answer": Parser(foreign, (ResolverFailedError,), (json.dumps(word).encode(),)),
        "frame of a board": Parser(stream.unpack, (StreamBrokenError,), (stream.pack(frame),)),
        "segment": Parser(read_segment, (SegmentBrokenError,), (written.path.read_bytes(),)),
        "event": Parser(event.unpack, (EventUnreadableError,), (visit,)),
    }


NAMES = (
    *("codes", "without network", "poster", "trust list", "not-green list", "trust file", "base45", "base64url"),
    *("cose", "content of a code", "content of a card", "content of a certificate", "signed content of a card"),
    *("cbor", "session", "cookies", "scan", "check", "batch", "short way", "foreign answer", "frame of a board"),
    *("segment", "event"),
)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Parser]]:
    world = GateWorld(tmp_path_factory.mktemp("fuzz"))
    yield of_codes(world) | of_the_wire(world, tmp_path_factory.mktemp("segments"))
    world.writer.close()


# One change to what is there: where (a share of the length), how, and with what.
changes = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(("flip", "cut", "drop", "insert", "replace", "double", "swap")),
    st.one_of(
        st.binary(max_size=24),
        st.sampled_from(
            (b"\0", b"\xff" * 8, b"\x9f", b"\xfb", b"\x7b" + b"\xff" * 8, b"\\u0000", b'"', b"[" * 40, b"1e999")
        ),
    ),
)


def changed(data: bytes, change: tuple[float, str, bytes]) -> bytes:
    share, how, piece = change
    at = int(share * len(data))
    if how == "flip":
        return data[:at] + bytes(byte ^ (piece[0] if piece else 1) for byte in data[at : at + 1]) + data[at + 1 :]
    if how == "cut":
        return data[:at]
    if how == "drop":
        return data[:at] + data[at + len(piece) + 1 :]
    if how == "insert":
        return data[:at] + piece + data[at:]
    if how == "replace":
        return data[:at] + piece + data[at + len(piece) :]
    return data[:at] + data if how == "double" else data[at:] + data[:at]


def seconds(parser: Parser, data: bytes) -> float:
    """The processor time that the input takes. Fails with whatever is raised that is no error of the parser's own."""
    started = time.thread_time()
    with contextlib.suppress(*parser.errors):
        parser.read(data)
    return time.thread_time() - started


def require_quick(parser: Parser, data: bytes, most: float = SECONDS_MAX) -> None:
    took = seconds(parser, data)
    if took > most:
        took = min(seconds(parser, data) for _ in range(RUNS))
    assert took <= most, f"{took * 1e3:.1f} ms for {data[:200]!r}"


def test_every_parser_is_named_and_takes_what_is_genuine(known: dict[str, Parser]) -> None:
    assert tuple(known) == NAMES
    for name, parser in known.items():
        for data in parser.genuine[:1]:
            assert parser.read(data) is not None, name


@pytest.mark.parametrize("name", NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(which=st.integers(0, 3), turned=st.lists(changes, min_size=1, max_size=4))
def test_changed_input_ends_in_an_error_of_the_parsers_own_and_soon(
    known: dict[str, Parser], name: str, which: int, turned: list[tuple[float, str, bytes]]
) -> None:
    parser = known[name]
    data = parser.genuine[which % len(parser.genuine)]
    for change in turned:
        data = changed(data, change)

    require_quick(parser, data)


@pytest.mark.parametrize("name", NAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.one_of(st.binary(max_size=TEXT_MAX), st.text(max_size=TEXT_MAX).map(str.encode)))
def test_noise_ends_in_an_error_of_the_parsers_own_and_soon(known: dict[str, Parser], name: str, data: bytes) -> None:
    require_quick(known[name], data)


def monsters(genuine: bytes) -> Iterator[bytes]:
    """As large as the gate lets anything in, in shapes that have broken others."""
    for piece in (
        b"[",
        b'{"a":',
        b'"\\u0041',
        b"9",
        b"-",
        b" ",
        b"\0",
        b"\xff",
        b"A",
        b":",
        b"%2e",
        b"\xf0\x9f\x98\x80",
    ):
        yield (piece * BODY_MAX)[:BODY_MAX]
        yield (genuine[:4] + piece * BODY_MAX)[:BODY_MAX]
        yield (genuine[: len(genuine) // 2] + piece * BODY_MAX)[:BODY_MAX]
    yield (genuine * (BODY_MAX // len(genuine) + 1))[:BODY_MAX]


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_input_ends_in_an_error_of_the_parsers_own_and_soon(known: dict[str, Parser], name: str) -> None:
    parser = known[name]
    for data in monsters(parser.genuine[0]):
        require_quick(parser, data)


@pytest.mark.parametrize("name", ["trust list", "not-green list"])
def test_a_list_of_the_greatest_length_that_nobody_signed_is_refused_soon(known: dict[str, Parser], name: str) -> None:
    for data in (b"HKL:" + b"A" * (LIST_CHARACTERS_MAX - 4), known[name].genuine[0][:60] + b"A" * 1_300_000):
        # A thousand times as long as a code: decoding it and hashing what came out is most of it on any machine.
        decoding = Parser(lambda text: sha256(urlsafe_b64decode(text[4 : len(text) // 4 * 4])), (), ())
        least = min(seconds(decoding, data) for _ in range(RUNS))
        require_quick(known[name], data, max(SECONDS_MAX, 4 * least))


def test_a_body_of_many_items_that_are_no_codes_is_read_soon(known: dict[str, Parser]) -> None:
    """Whoever sends a hundred good codes pays for a hundred signatures; whoever sends nonsense gets nothing done."""
    items = [{"id": f"{number:016x}", "code": "HK1:" + "%" * 500} for number in range(100)]

    require_quick(known["batch"], msgspec.json.encode({"items": items}))
