"""Another province's platform on loopback, which answers well, slowly, wrongly or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "synthetic-token-of-the-gate"
CODE = "GDHC:0123456789ABCDEF"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        """Say nothing: a gate that hangs up on us is what some tests are about."""


class OtherProvince:
    """The platform; its fields are what it does next."""

    def __init__(self) -> None:
        self.status = 200
        self.content: dict[str, Any] = {
            "state": "valid",
            "colour": "green",
            "masked_name": "陈*",
            "last_digits": "047X",
        }
        self.said_seconds_ago = 0
        self.raw: bytes | None = None
        self.headers: dict[str, str] = {}
        self.delay_seconds = 0.0
        self.asked: list[tuple[str | None, Any]] = []
        province = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                province.asked.append((self.headers["Authorization"], json.loads(self.rfile.read(length))))
                time.sleep(province.delay_seconds)
                body = province.raw if province.raw is not None else province._answer()
                self.send_response(province.status)
                for name, value in province.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/check"

    def _answer(self) -> bytes:
        return json.dumps({"checked_at": int(time.time()) - self.said_seconds_ago} | self.content).encode()

    def describe(self, folder: Path, **changes: str | int) -> Path:
        """The file of issuers that names this platform, its token file in `folder/keys` beside it."""
        keys = folder / "keys"
        keys.mkdir(mode=0o700, exist_ok=True)
        token = keys / "foreign-gd.token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        fields: dict[str, Any] = {
            "id": "gd",
            "zh": "广东健康码",
            "en": "Guangdong health code",
            "prefixes": ["GDHC:"],
            "url": self.url,
        } | changes
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
        path = folder / "issuers.toml"
        path.write_text("\n".join(["[[issuer]]", *lines, ""]), encoding="utf-8")
        return path

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def other_province() -> Iterator[OtherProvince]:
    """A platform that is stopped in the end."""
    made = OtherProvince()
    try:
        yield made
    finally:
        made.stop()
