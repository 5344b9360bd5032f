"""A board as one file: the frames of its snapshot one after another, then the changes meanwhile, to the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tianfu.status import layout, stream
from tianfu.status.board import BoardWriter
from tianfu.status.follow import take_changes, take_page
from tianfu.status.layout import TABLES
from tianfu.status.source import BoardChangesGoneError, Source
from tianfu.status.stream import HEAD_BYTES, Frame, StreamBrokenError

# A file is written in minutes; a board that changes faster than it is read would never end it.
_CATCH_UP_FRAMES_MAX: Final = 10_000


def frames(source: Source) -> Iterator[Frame]:
    """The whole board in `source` as it is by the end. Raises what `Source` raises, also when it is built anew."""
    begun: Frame | None = None
    for table in TABLES.values():
        after: bytes | None = None
        while True:
            frame = source.page(table, after)
            begun = begun or frame
            if frame.identity != begun.identity:
                raise BoardChangesGoneError
            yield frame
            if frame.whole:
                break
            after = frame.sections[0].rows[-1][0]
    assert begun is not None  # noqa: S101 - there are tables
    position = begun.position
    for _ in range(_CATCH_UP_FRAMES_MAX):
        frame = source.changes(begun.identity, position)
        yield frame
        if frame.whole:
            return
        position = frame.position
    raise BoardChangesGoneError


def read_frames(file: BinaryIO) -> Iterator[Frame]:
    """The frames in `file`. Raises `StreamBrokenError`, also for one that is cut."""
    while head := file.read(HEAD_BYTES):
        yield stream.unpack(head + file.read(stream.frame_bytes(head) - len(head)))


def load(board: Path, file: BinaryIO) -> int:
    """Build a board from `file` beside the one in `board` and switch to it; how many rows of all tables.

    Raises `StreamBrokenError` for a file that is damaged or not whole, `BoardFullError`; the old board stays then.
    """
    writer = BoardWriter.begin_anew(board)
    try:
        rows = _fill(writer, read_frames(file))
    except BaseException:
        writer.discard()
        raise
    (board / layout.ORIGIN_FILE).unlink(missing_ok=True)
    writer.switch()
    writer.close()
    return rows


def _fill(writer: BoardWriter, coming: Iterator[Frame]) -> int:
    rows, followed, identity, whole = 0, 0, 0, False
    last: dict[int, bytes] = {}
    for frame in coming:
        if frame.identity != (identity or frame.identity):
            raise StreamBrokenError
        if frame.kind == stream.KIND_PAGE and len(frame.sections) == 1:
            table = frame.sections[0].table
            followed = followed or frame.position
            numbers = {layout.META_SOURCE: frame.identity, layout.META_FOLLOWED: followed}
            numbers[layout.META_LOADING] = table.number
            rows += take_page(writer, frame, table, last.get(table.number), numbers)
            if frame.sections[0].rows:
                last[table.number] = frame.sections[0].rows[-1][0]
        else:
            rows += take_changes(writer, frame, followed)
            followed, whole = max(followed, frame.position), frame.whole
        identity = frame.identity
    if not whole:
        raise StreamBrokenError
    writer.take({}, {}, {layout.META_LOADING: max(TABLES) + 1})
    return rows
