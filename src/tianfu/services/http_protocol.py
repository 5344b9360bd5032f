"""uvicorn's HTTP protocol with a bounded head, and with our problem+json where no application can answer yet."""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tianfu.errors import TianfuError
from tianfu.platform.http import problem, problem_headers

# Request line and headers of a phone or a browser are about 1 kB, with the longest session token 2 kB. What is read
# at once may be up to 256 kB and is not cut; a head that needs more reads than that is refused here.
HEAD_BYTES_MAX: Final = 32 * 1024
_LANGUAGE: Final = "zh"  # whoever sends no readable head has not said which language they read


class RequestUnreadableError(TianfuError):
    """What came is no HTTP request."""

    code = "request_unreadable"
    status = 400
    zh = "请求无法识别。"
    en = "This is not a request that can be read."


class HeadTooLargeError(TianfuError):
    """The request line and headers are over the limit."""

    code = "head_too_large"
    status = 431
    zh = "请求头过大。"
    en = "The headers of the request are too large."


_REASONS: Final = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. A head over `HEAD_BYTES_MAX` or no HTTP at all is refused and the connection closed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own parameters
        super().__init__(*arguments, **options)
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that is not complete yet."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # None until the first head is complete
        if cycle is not None and not cycle.response_complete:
            self._head_bytes = 0  # the head was complete; its body is the application's to bound
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self._refuse(HeadTooLargeError())

    def send_400_response(self, msg: str) -> None:
        """Say in our own form that this was no HTTP; `msg` is uvicorn's word for it."""
        del msg
        self._refuse(RequestUnreadableError())

    def _refuse(self, error: TianfuError) -> None:
        status, body = problem(error, _LANGUAGE)
        headers = (
            *problem_headers(error, _LANGUAGE),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        )
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, _REASONS[status], head, body))
        self.transport.close()
