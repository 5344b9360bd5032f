"""What a follower does with answers that are no board: nothing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.status.test_stream import FRAME
from tianfu.platform import secretfile
from tianfu.platform.secretfile import SharedSecretError
from tianfu.services import board_follower
from tianfu.services.board_follower import HttpLink, SourceUnreachableError
from tianfu.status import layout, stream
from tianfu.status.source import BoardChangesGoneError
from tianfu.status.stream import StreamBrokenError

SOUND = stream.pack(FRAME)


@contextlib.contextmanager
def answering(status: int, body: bytes, *, length: int | None = None) -> Iterator[HttpLink]:
    """A link to a server that answers everything with `body`, said to be `length` bytes long."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    link = HttpLink(f"http://127.0.0.1:{server.server_port}", "secret")
    try:
        yield link
    finally:
        link.close()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_sound_frame_is_taken() -> None:
    with answering(200, SOUND) as link:
        assert link.page(layout.PERSONS, None) == link.changes(1, 1, 0) == FRAME


@pytest.mark.parametrize(
    "body", [b"", b"<html>captive portal</html>", SOUND[:-1], SOUND + b"x", SOUND[:90] + b"\xff" + SOUND[91:]]
)
def test_an_answer_that_is_no_sound_frame_is_refused(body: bytes) -> None:
    with answering(200, body) as link, pytest.raises(StreamBrokenError):
        link.changes(1, 1, 0)


def test_an_answer_that_ends_early_counts_as_none() -> None:
    with answering(200, SOUND[:50], length=len(SOUND)) as link, pytest.raises(SourceUnreachableError):
        link.changes(1, 1, 0)


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_follower, "FRAME_BYTES_MAX", 1_000)

    with answering(200, b"x" * 1_000_000) as link, pytest.raises(StreamBrokenError):
        link.page(layout.VENUES, b"v" * 16)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (410, b'{"code":"board_changes_gone"}', BoardChangesGoneError),
        (410, b"gone", SourceUnreachableError),
        (401, b'{"code":"board_secret_refused"}', SourceUnreachableError),
        (302, SOUND, SourceUnreachableError),
        (500, b"", SourceUnreachableError),
    ],
)
def test_another_status_is_no_board_and_only_one_means_a_snapshot(
    status: int, body: bytes, error: type[Exception]
) -> None:
    with answering(status, body) as link, pytest.raises(error):
        link.changes(1, 1, 0)


def test_the_shared_secret_is_made_once_for_its_owner_alone_and_refused_when_others_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "board.secret"

    made = secretfile.read_or_create(path)

    assert secretfile.read_or_create(path) == secretfile.read(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert secretfile.same(f"Bearer {made}".encode(), f"Bearer {made}")
    path.chmod(0o640)
    with pytest.raises(SharedSecretError):
        secretfile.read(path)
    for content in ("short", "x" * 40 + " y", ""):
        path.write_text(content)
        path.chmod(0o600)
        with pytest.raises(SharedSecretError):
            secretfile.read(path)
