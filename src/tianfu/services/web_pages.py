"""Answers the web app's pages and files over ASGI: GET and HEAD, conditional, compressed where the client takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tianfu.errors import NotFoundError, TianfuError
from tianfu.platform.asgi import Receive, Scope, Send
from tianfu.platform.http import SECURITY_HEADERS, MethodRefusedError, language_of
from tianfu.services.control_proxy import send_problem
from tianfu.services.web_files import File, WebFiles, WebMissingError, headers

NOT_MODIFIED: Final = 304


class WebPages:
    """An ASGI application over the built web app; says so in one sentence while there is none."""

    def __init__(self, folder: Path) -> None:
        """Read `folder` now if it is there, otherwise when somebody asks."""
        self._folder = folder
        self._files: WebFiles | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a page or a file."""
        del receive
        request: dict[bytes, bytes] = dict(scope["headers"])
        try:
            file = self._find(scope)
        except TianfuError as error:
            await send_problem(error, language_of(request.get(b"accept-language", b"")), send)
            return
        packed = file.packed is not None and b"gzip" in request.get(b"accept-encoding", b"")
        answer = [*headers(file, packed=packed), *SECURITY_HEADERS]
        if request.get(b"if-none-match") == file.etag.encode("ascii"):
            await send({"type": "http.response.start", "status": NOT_MODIFIED, "headers": answer})
            await send({"type": "http.response.body", "body": b""})
            return
        body = file.packed if packed and file.packed is not None else file.body
        answer.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def preload(self) -> None:
        """Read and compress the files before the first request; a missing app is reported then, not now."""
        try:
            self._files = WebFiles.read(self._folder)
        except WebMissingError:
            self._files = None

    def _find(self, scope: Scope) -> File:
        if scope["method"] not in {"GET", "HEAD"}:
            raise MethodRefusedError
        if self._files is None:
            self._files = WebFiles.read(self._folder)
        file = self._files.find(scope["path"])
        if file is None:
            raise NotFoundError
        return file
