"""Which codes were checked already at the gates of this machine: every code is good for one scan. Hot.

A code can be accepted for 100 s, a device-bound one for 150 s (its life and what clocks are off); what was checked is
remembered for the longer of these. A printed card is no code of one use (`UsedCodes.again`).

The memory is a file of fixed size that every gate process of the machine maps, so it outlives any of them. Places are
found by the code's number: buckets of eight, and in a full one what was noted longest ago gives way. The same code at
two machines shows later, in the lake, where both events carry its number.
"""

from __future__ import annotations

import enum
import fcntl
import mmap
import os
import struct
from pathlib import Path
from typing import Final, Self

from tianfu.passcode.verify import ONE_TIME_SECONDS_MAX
from tianfu.platform.observe import Log
from tianfu.platform.recent import Recent

# A guard's camera reads the same code again while it is still in the picture.
SAME_SCAN_MS: Final = 3_000
_LIFE_MS: Final = ONE_TIME_SECONDS_MAX * 1000

# Number of the code, when and by whom it was first met, when it was noted (milliseconds since 1970).
_SLOT: Final = struct.Struct("<8sQQ")
_SLOTS_A_BUCKET: Final = 8
_BUCKET: Final = struct.Struct("<" + _SLOT.format[1:] * _SLOTS_A_BUCKET)
# 2 million places are 14,000 checks a second for 150 s, in 50 MB. Past it the oldest are forgotten early, and a replay
# of one shows in the lake only.
_BUCKETS: Final = 2**18
USED_BYTES: Final = _BUCKETS * _BUCKET.size
# Milliseconds until the year 2109 and 4 million accounts share 64 bits; beyond, two look alike once in a lifetime.
_CHECKER_BITS: Final = 22
_CHECKER_MASK: Final = 2**_CHECKER_BITS - 1
_INSTANT_MASK: Final = 2 ** (64 - _CHECKER_BITS) - 1
_NAME: Final = "codes-1"
# 14,000 checks a second for the three seconds of one scan.
_OWN_MAX: Final = 42_000
# Another process has the file for a microsecond, and is given the processor if it lost it just then. If it was stopped
# with the file in its hands, nobody waits for it.
_TRIES: Final = 500


class Use(enum.Enum):
    """How a code comes before a guard: for the first time, still in the same scan, or again.

    The same scan is told only by the process that noted it: its event is recorded already, or waits for it. Another
    process, or the next after one that died, says the first time, and the event is recorded (again).
    """

    FIRST = 1
    SAME_SCAN = 2
    AGAIN = 3


class UsedCodes:
    """Remembers the codes checked, by `cti`. For one thread of each process."""

    __slots__ = ("_descriptor", "_own", "_places")

    def __init__(self, descriptor: int = -1) -> None:
        """Share the open file, of `USED_BYTES`; without one remember for this process alone, starting with nothing."""
        self._descriptor = descriptor
        self._places = mmap.mmap(descriptor, USED_BYTES)
        # What this process noted itself. The file outlives a process that died between noting a code and recording its
        # event, so only of its own notes does a process know that the event is on its way.
        self._own: Recent[bytes, bytes] = Recent(_OWN_MAX)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """What the gates of this machine share in `folder`. Raises `OSError`, also when the disk has no room for it."""
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Room for all of it now: a page that cannot be had later would end the process.
            os.posix_fallocate(descriptor, 0, USED_BYTES)
            return cls(descriptor)
        except OSError:
            os.close(descriptor)
            raise

    def close(self) -> None:
        """Release the file; what was noted stays for the others."""
        self._places.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def use(self, cti: bytes, *, checker: int, happened_ms: int, at_ms: int) -> Use:
        """Note that `checker` (an account, bound to one venue) met the code at `happened_ms`, and say which use it is.

        `at_ms` is now; the two differ for a scan that is sent later, and what is sent twice has the same
        `happened_ms`.
        """
        return self._note(cti, checker, happened_ms, at_ms, one_time=True)

    def again(self, cti: bytes, *, checker: int, happened_ms: int, at_ms: int) -> Use:
        """As `use`, for what may be shown as often as its holder likes: a first use, or still the same scan."""
        return self._note(cti, checker, happened_ms, at_ms, one_time=False)

    def forget(self, cti: bytes) -> None:
        """Take a use back whose event could not be recorded, so that trying again is the first use."""
        begin = _begin(cti)
        self._own.forget(cti)
        locked = self._lock()
        try:
            place = _place(self._places[begin : begin + _BUCKET.size], cti)
            if place >= 0:
                self._places[begin + place : begin + place + _SLOT.size] = bytes(_SLOT.size)
        finally:
            if locked:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _note(self, cti: bytes, checker: int, happened_ms: int, at_ms: int, *, one_time: bool) -> Use:
        begin = _begin(cti)
        locked = self._lock()
        try:
            bucket = self._places[begin : begin + _BUCKET.size]
            place = _place(bucket, cti)
            if place < 0:
                noted = _BUCKET.unpack(bucket)[2::3]
                place = noted.index(min(noted)) * _SLOT.size
            else:
                _, met, noted_ms = _SLOT.unpack_from(bucket, place)
                # What was noted in the future was noted before a clock was set back.
                if at_ms - noted_ms <= _LIFE_MS:
                    same = met & _CHECKER_MASK == checker & _CHECKER_MASK
                    if same and abs((happened_ms & _INSTANT_MASK) - (met >> _CHECKER_BITS)) <= SAME_SCAN_MS:
                        return Use.SAME_SCAN if self._own.get(cti) is not None else Use.FIRST
                    if one_time:
                        return Use.AGAIN
            met = (happened_ms & _INSTANT_MASK) << _CHECKER_BITS | checker & _CHECKER_MASK
            self._places[begin + place : begin + place + _SLOT.size] = _SLOT.pack(cti, met, at_ms)
            self._own.put(cti, cti)
            return Use.FIRST
        finally:
            if locked:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _lock(self) -> bool:
        """Be alone with the file; False when there is nobody to share it with, or somebody does not let go of it."""
        if self._descriptor < 0:
            return False
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.sched_yield()
                continue
            return True
        return False


def shared_or_own(folder: Path, log: Log) -> UsedCodes:
    """What the gates of this machine share, or, where that cannot be had, a memory of this process's own."""
    try:
        return UsedCodes.open(folder)
    except OSError as error:
        log.error("codes used at other gates of this machine are not known", error=type(error).__name__)
        return UsedCodes()


def _begin(cti: bytes) -> int:
    return int.from_bytes(cti[:4], "little") % _BUCKETS * _BUCKET.size


def _place(bucket: bytes, cti: bytes) -> int:
    """Where in its bucket the code is noted; -1 when it is not."""
    place = bucket.find(cti)
    while place > 0 and place % _SLOT.size:
        place = bucket.find(cti, place + 1)
    return place
