"""Many codes in one request: a bus at its stop, or what a guard's device kept while it had no network. Hot.

Each code is taken by itself, exactly as a check takes it; one that is refused does not stop the others. All events of
a request become durable together, before it is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, NamedTuple

import msgspec

from tianfu.access.session import Session
from tianfu.errors import TianfuError
from tianfu.passcode.verify import VerifiedCode
from tianfu.platform.admission import RETRY_SECONDS_MAX, retry_after
from tianfu.platform.http import Answer, BusyError, HotRequest, Language, parse_json
from tianfu.platform.keyring import GateKeys
from tianfu.scans.foreign.abroad import Abroad, ForeignUnavailableError, Found
from tianfu.scans.foreign.abroad import words as words_abroad
from tianfu.scans.guard import GuardDesk
from tianfu.scans.offline import happened_at_ms

# A full bus has 60 people, a coach 55 and a train carriage under 120; a device sends its queue in turns.
BATCH_ITEMS_MAX: Final = 100
# The longest code has 438 characters, an item's other fields 60: 100 items have 50,000 bytes.
BATCH_BODY_BYTES_MAX: Final = 64 * 1024
# Reading a code takes up to 0.1 ms, nearly all of it a signature. Everybody else gets a turn after each millisecond.
_ITEMS_AT_ONCE: Final = 10
# Batches take turns at being read, or a hundred of them would each take their millisecond between two of everybody
# else's turns. So many wait half a second at most; that many devices at one gate is the end of an outage.
BATCHES_WAITING_MAX: Final = 50

_TAKEN: Final = b'{"id":"%b","ok":true,%b}'
_REFUSED: Final = b'{"id":"%b","ok":false,"code":"%b","detail":%b}'
_ANSWER: Final = b'{"items":[%b],"server_time":%d}'


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    """One code. `scanned_at` (milliseconds since 1970) is when it was held up, absent for now."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    code: str
    scanned_at: int | None = None


class _BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a bus or a guard's queue sends."""

    items: Annotated[list[_Item], msgspec.Meta(max_length=BATCH_ITEMS_MAX)]


class _Read(NamedTuple):
    """An item's code, which held when it was held up."""

    code: VerifiedCode
    happened_ms: int
    offline: bool


class BatchDesk:
    """The handler for many codes at once."""

    __slots__ = ("_abroad", "_decoder", "_desk", "_inside", "_keys", "_now_ms", "_past_keys", "_turn")

    def __init__(
        self,
        *,
        desk: GuardDesk,
        keys: GateKeys,
        past_keys: GateKeys,
        now_ms: Callable[[], int],
        abroad: Abroad | None = None,
    ) -> None:
        """`past_keys` is the same ring once more, for looking at instants of the past.

        An offline code is checked with the keys of its own time, unless they were retired by hand since. Asking one
        ring for two times in turn would make it build its keys, and all that is remembered with them, again and again.
        Without `abroad` only our own codes are known.
        """
        self._desk = desk
        self._keys = keys
        self._past_keys = past_keys
        self._now_ms = now_ms
        self._abroad = abroad
        self._decoder = msgspec.json.Decoder(_BatchBody)
        self._turn = asyncio.Lock()
        self._inside = 0

    def batch(self, request: HotRequest) -> Awaitable[Answer]:
        """`POST /gate/v1/batch`: for each item what a check would answer, or why it was refused.

        Raises for the session, for a body that cannot be read, and `BusyError` when too many batches wait for a turn;
        then nothing was taken. Sending the same items again is harmless: within the minutes a gate remembers they are
        the same scans, later their events carry the same number and the same time.
        """
        at_ms = self._now_ms()
        guard = self._desk.guard(request, at_ms)
        items = parse_json(self._decoder, request.body).items
        return self._take_all(items, guard, at_ms, request.language)

    async def _take_all(self, items: list[_Item], guard: Session, at_ms: int, language: Language) -> Answer:
        # A ring looks at its file when it is asked about another time; asked about the present first, it always does.
        self._past_keys.at(at_ms // 1000)
        abroad = await self._ask_abroad(items)
        read = await self._read_all(items, abroad, at_ms)
        # From here to the journal nobody else has a turn: a code counts as used only while its event is on its way.
        words: list[bytes] = []
        records: list[bytes] = []
        settled = False
        try:
            for item, found in zip(items, read, strict=True):
                if isinstance(found, TianfuError):
                    words.append(_refused(item, found, language))
                    continue
                if isinstance(found, Found):
                    words.append(_TAKEN % (item.id.encode("ascii"), words_abroad(found, language, at_ms // 1000)))
                    continue
                taken = self._desk.take(
                    found.code, guard, at_ms=at_ms, happened_ms=found.happened_ms, offline=found.offline
                )
                words.append(_TAKEN % (item.id.encode("ascii"), taken.words))
                settled = settled or taken.record is None
                if taken.record is not None:
                    records.append(taken.record)
        except BaseException:
            for record in records:
                self._desk.lost(record)
            raise
        return Answer(_ANSWER % (b",".join(words), at_ms // 1000), settled=settled, records=tuple(records))

    async def _read_all(
        self, items: list[_Item], abroad: dict[int, Found | TianfuError], at_ms: int
    ) -> list[_Read | Found | TianfuError]:
        """What each item is, in its batch's turn. Raises `BusyError`."""
        if self._inside >= BATCHES_WAITING_MAX:
            raise BusyError(retry_after_seconds=retry_after(RETRY_SECONDS_MAX))
        self._inside += 1
        read: list[_Read | Found | TianfuError] = []
        try:
            async with self._turn:
                for number, item in enumerate(items, start=1):
                    try:
                        read.append(abroad.get(number) or self._read(item, at_ms))
                    except TianfuError as error:
                        read.append(error)
                    if number % _ITEMS_AT_ONCE == 0:
                        await asyncio.sleep(0)
        finally:
            self._inside -= 1
        return read

    async def _ask_abroad(self, items: list[_Item]) -> dict[int, Found | TianfuError]:
        """The issuers' words on foreign codes by number of item, asked all at once; each has its own time limit.

        What a foreign code said hours ago cannot be asked, and there is nobody here to record it of.
        """
        abroad = self._abroad
        if abroad is None:
            return {}
        found: dict[int, Found | TianfuError] = {}

        async def ask(number: int, text: str) -> None:
            try:
                found[number] = await abroad.resolve(text)
            except TianfuError as error:
                found[number] = error

        async with asyncio.TaskGroup() as group:
            for number, item in enumerate(items, start=1):
                if not abroad.knows(item.code):
                    continue
                if item.scanned_at is None:
                    group.create_task(ask(number, item.code))
                else:
                    found[number] = ForeignUnavailableError()
        return found

    def _read(self, item: _Item, at_ms: int) -> _Read:
        """The code of an item, if it held when it was held up. Raises what the item is refused with."""
        offline = item.scanned_at is not None
        happened_ms = happened_at_ms(item.scanned_at, at_ms)
        code = self._desk.read(item.code, self._past_keys if offline else self._keys, happened_ms // 1000)
        return _Read(code, happened_ms, offline)


def _refused(item: _Item, error: TianfuError, language: Language) -> bytes:
    sentence = msgspec.json.encode(error.sentence(language))
    return _REFUSED % (item.id.encode("ascii"), error.code.encode("ascii"), sentence)
