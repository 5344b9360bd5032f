"""The built web app, held in memory and answered by exact name.

Every file is read once, so a request can only name what was there: no path of a request ever reaches the disk.
Hashed assets may be kept for ever; everything else is asked for again with its ETag. Text is also held compressed.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tianfu.errors import TianfuError

ASSETS_PREFIX: Final = "/assets/"
# The whole app is about 3 MB with the code reader; a folder far above that is the wrong folder.
WEB_BYTES_MAX: Final = 64 * 1024 * 1024
COMPRESS_BYTES_MIN: Final = 1_024

TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
PACKED_ALREADY: Final = frozenset({".png", ".woff2", ".ico"})


class WebMissingError(TianfuError):
    """The web app has not been built."""

    code = "web_missing"
    status = 503
    zh = "网页尚未构建，请先运行 make setup。"
    en = "The web app has not been built; run: make setup"


class File(NamedTuple):
    """One file as it is answered."""

    body: bytes
    packed: bytes | None
    content_type: str
    etag: str
    immutable: bool


class WebFiles:
    """All files of the built app by the path of their address."""

    def __init__(self, files: Mapping[str, File]) -> None:
        """Keep `files`; `read` makes them from a folder."""
        self._files = files

    @classmethod
    def read(cls, folder: Path) -> WebFiles:
        """Everything below `folder`. Raises `WebMissingError` without an index.html or with more than 64 MiB."""
        if not (folder / "index.html").is_file():
            raise WebMissingError
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        if sum(path.stat().st_size for path in paths) > WEB_BYTES_MAX:
            raise WebMissingError(
                zh=f"网页文件夹超过 {WEB_BYTES_MAX} 字节，请检查 TIANFU_WEB。",
                en=f"The web folder holds more than {WEB_BYTES_MAX} bytes; check TIANFU_WEB.",
            )
        return cls({f"/{path.relative_to(folder).as_posix()}": _file(path, folder) for path in paths})

    def find(self, path: str) -> File | None:
        """The file at `path`; for an address without a file ending the page that routes it; None for neither."""
        found = self._files.get(path)
        if found is not None:
            return found
        if "." in path.rsplit("/", 1)[-1]:
            return None
        is_console = path == "/console" or path.startswith("/console/")
        return self._files.get("/console.html" if is_console and "/console.html" in self._files else "/index.html")


def headers(file: File, *, packed: bool) -> Iterable[tuple[bytes, bytes]]:
    """The headers of an answer with `file`, without the length and the security headers."""
    kept = b"public, max-age=31536000, immutable" if file.immutable else b"no-cache"
    yield b"content-type", file.content_type.encode("ascii")
    yield b"cache-control", kept
    yield b"etag", file.etag.encode("ascii")
    yield b"vary", b"accept-encoding"
    if packed:
        yield b"content-encoding", b"gzip"


def _file(path: Path, folder: Path) -> File:
    body = path.read_bytes()
    packed = None
    if len(body) >= COMPRESS_BYTES_MIN and path.suffix not in PACKED_ALREADY:
        packed = gzip.compress(body, compresslevel=6, mtime=0)
    return File(
        body=body,
        packed=packed if packed is not None and len(packed) < len(body) else None,
        content_type=TYPES.get(path.suffix, "application/octet-stream"),
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        immutable=f"/{path.relative_to(folder).as_posix()}".startswith(ASSETS_PREFIX),
    )
