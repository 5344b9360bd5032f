"""The follower: keeps this machine's board as another machine's is, over HTTP.

    tianfu board follow https://board.example

It runs where there is no worker, beside the gates. When nothing comes, the board stays, its age grows and is shown; the
follower waits a little longer each time, never at the same moment as the others, and goes on where it stopped.
"""

from __future__ import annotations

import fcntl
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Self

import httpx
import msgspec

from tianfu.clock import monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.platform.observe import Log
from tianfu.status.follow import Follower, Step
from tianfu.status.layout import Table
from tianfu.status.source import BoardChangesGoneError
from tianfu.status.stream import FRAME_BYTES_MAX, Frame, StreamBrokenError, unpack

BACKOFF_SECONDS_MIN: Final = 0.2
BACKOFF_SECONDS_MAX: Final = 30.0
TELL_SECONDS: Final = 1.0
# The source answers within ten seconds; a page of 4 MiB takes as long again at 4 Mbit/s.
TIMEOUT: Final = httpx.Timeout(25.0, connect=5.0)
_SUCCESS: Final = 200
_PROBLEM_BYTES_MAX: Final = 16 * 1024


class SourceUnreachableError(TianfuError):
    """The machine with the board cannot be reached, or answers with something else than a board."""

    code = "board_source_unreachable"
    status = 503
    zh = "无法连接状态数据来源，继续使用已有数据。"
    en = "The source of the status data cannot be reached; what is here stays in use."


class FollowerTakenError(TianfuError):
    """Another process follows with this data folder."""

    code = "board_follower_taken"
    status = 503
    zh = "此数据文件夹已有另一个跟随进程。"
    en = "Another process follows with this data folder already."


class _Problem(msgspec.Struct):
    code: str = ""


class HttpLink:
    """Frames from the source at `url`."""

    def __init__(self, url: str, secret: str) -> None:
        """Ask nothing yet."""
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {secret}"},
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    def page(self, table: Table, after: bytes | None) -> Frame:
        """The next page of a table. Raises `SourceUnreachableError`, `StreamBrokenError`."""
        where = {"after": after.hex()} if after is not None else {}
        return self._frame("/board/v1/snapshot", {"table": str(table.number), **where})

    def changes(self, identity: int, after: int, heard_ms: int) -> Frame:
        """What changed. Raises `BoardChangesGoneError` as well."""
        return self._frame(
            "/board/v1/changes", {"identity": str(identity), "after": str(after), "heard": str(heard_ms)}
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _frame(self, path: str, query: dict[str, str]) -> Frame:
        try:
            with self._client.stream("GET", path, params=query) as answer:
                limit = FRAME_BYTES_MAX if answer.status_code == _SUCCESS else _PROBLEM_BYTES_MAX
                body = _bounded(answer.iter_bytes(), limit)
        except httpx.HTTPError as error:
            raise SourceUnreachableError from error
        if answer.status_code == _SUCCESS:
            return unpack(body)
        if _code(body) == BoardChangesGoneError.code:
            raise BoardChangesGoneError
        raise SourceUnreachableError


def _bounded(parts: Iterator[bytes], limit: int) -> bytes:
    received: list[bytes] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > limit:
            raise StreamBrokenError
        received.append(part)
    return b"".join(received)


def _code(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).code
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


class Progress(NamedTuple):
    """What to tell a person: the table being loaded ("" for changes), rows so far in it, the number reached."""

    loading: str = ""
    rows: int = 0
    position: int = 0

    def after(self, step: Step) -> Self:
        """What is to be told after one more step."""
        rows = step.rows + (self.rows if step.loading == self.loading else 0)
        return self._replace(loading=step.loading, rows=rows, position=step.position)


def follow(
    board: Path, link: HttpLink, log: Log, stopping: threading.Event, *, tell: Callable[[Progress], None]
) -> None:
    """Follow until `stopping` is set; expected failures are logged once each and tried again.

    Raises `FollowerTakenError`.
    """
    chance = random.Random()  # noqa: S311 - spreads the followers, keeps no secret
    with _alone(board):
        follower = Follower(board)
        progress, told_at, backoff, trouble, behind = Progress(), 0.0, BACKOFF_SECONDS_MIN, "", True
        try:
            while not stopping.is_set():
                try:
                    step = follower.step(link)
                except TianfuError as error:
                    if trouble != error.code:
                        log.warning("the follower waits", code=error.code, milliseconds=int(backoff * 1000))
                    trouble = error.code
                    stopping.wait(backoff * chance.uniform(0.5, 1.0))
                    backoff = min(backoff * 2, BACKOFF_SECONDS_MAX)
                    continue
                if trouble or (behind and step.whole):
                    log.info("the follower follows", offset=step.position)
                backoff, trouble, behind = BACKOFF_SECONDS_MIN, "", not step.whole
                progress = progress.after(step)
                if monotonic_seconds() - told_at >= TELL_SECONDS:
                    told_at = monotonic_seconds()
                    tell(progress)
        finally:
            follower.close()


@contextmanager
def _alone(board: Path) -> Iterator[None]:
    """Be the only follower of this folder. Raises `FollowerTakenError`."""
    board.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(board / "follower.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise FollowerTakenError from error
    finally:
        os.close(descriptor)
