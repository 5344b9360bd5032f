"""What an HTTP answer is made of here: the header sets, the language of the reader, and the one renderer of problems.

Shared by the gate's hot handlers and by the control API, so that a refusal reads the same wherever it comes from.
Nothing in this file does I/O.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple, TypeVar

import msgspec

from tianfu.errors import Fault, InputInvalidError, TianfuError
from tianfu.platform.sign import Signer

Language = Literal["zh", "en"]
Header = tuple[bytes, bytes]
Parsed = TypeVar("Parsed")

# A poster is at most 203 characters and a code 190; a body of 8 KiB holds forty of either.
HOT_BODY_BYTES_MAX: Final = 8 * 1024
_SESSION_TOKEN_BYTES_MAX: Final = 1024
# Browsers send fewer than ten different Accept-Language values; a stranger may send as many as he likes.
_LANGUAGE_HEADERS_REMEMBERED: Final = 256
_LANGUAGE_HEADER_BYTES_MAX: Final = 200

# For every page and file this origin serves. `wasm-unsafe-eval` is for the barcode reader, `blob:` and `data:` for
# its worker, the camera's picture and the drawn code.
CONTENT_SECURITY_POLICY: Final = (
    b"default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data: blob:; media-src 'self' blob:; "
    b"style-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    b"worker-src 'self' blob:"
)
SECURITY_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(self)"),
)
# For JSON: it runs no script and loads nothing, so its policy is the shortest one that says so.
API_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
# For the gate's own JSON, where every header costs half a microsecond: what a browser must not do with it.
JSON_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
_LANGUAGE_RANGE: Final = re.compile(
    rb"\s*(zh|en)(?:-[a-z0-9-]+)?\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)

_FIELD_NAMED: Final = re.compile(r"(?:field|at) `(?:\$\.?)?([^`]*)`")
_FIELD_NAME_LENGTH_MAX: Final = 64


class BodyTooLargeError(TianfuError):
    """The body is over the limit; the rest of it was not kept."""

    code = "body_too_large"
    status = 413
    zh = "提交的内容过大。"
    en = "What was sent is too large."


class BodyUnreadableError(TianfuError):
    """The body is not JSON in UTF-8, or not the kind of JSON asked for."""

    code = "body_unreadable"
    status = 400
    zh = "提交的内容无法识别，应为 UTF-8 编码的 JSON。"
    en = "What was sent cannot be read; it must be JSON in UTF-8."


class ContentTypeRefusedError(TianfuError):
    """A request that changes something must say that it carries JSON, which a foreign web form cannot."""

    code = "content_type_refused"
    status = 415
    zh = "请求类型应为 application/json。"
    en = "The content type must be application/json."


class OriginRefusedError(TianfuError):
    """A request that changes something came from a page of another site."""

    code = "origin_refused"
    status = 403
    zh = "不接受来自其他网站的操作。"
    en = "Requests from other sites are not accepted."


class MethodRefusedError(TianfuError):
    """The address exists, the method does not."""

    code = "method_refused"
    status = 405
    zh = "此地址不支持这种请求方法。"
    en = "This address does not take that method."


class BusyError(TianfuError):
    """A bounded queue is full. Nothing was done; trying again after the seconds given is right."""

    code = "busy"
    status = 503
    zh = "当前使用人数较多，请稍后再试。"
    en = "Too many people at once; please try again in a moment."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        """Ask the caller to wait at least a second."""
        super().__init__(retry_after_seconds=retry_after_seconds)


class Answer(NamedTuple):
    """What a hot handler answers.

    `records` are written to the journal, all of them or none, and durable before the answer leaves; `settled` waits for
    what is already on its way there as well (a repeated request whose first copy wrote the record). `headers` are
    complete but for the content length. `wire` is the same answer as it goes over a connection, where it is made once
    for many: a large one that clients are slow to read is then in memory once.
    """

    body: bytes
    status: int = 200
    records: tuple[bytes, ...] = ()
    settled: bool = False
    headers: tuple[Header, ...] = JSON_HEADERS
    wire: bytes = b""


class Unsigned(NamedTuple):
    """An answer that lacks one signature, of 64 bytes, which `signer` makes of `data`.

    Signing reads tables larger than the nearest cache, so the signatures of many requests are made one after the
    other, and everything else about them before and after (`tianfu.platform.rounds`). `finish` takes several that
    have the same `finish`, with their signatures, and gives their answers in that order; `rest` is for it alone.
    """

    signer: Signer
    data: bytes
    finish: Callable[[Sequence[Unsigned], Sequence[bytes]], list[Answer]]
    rest: object


class HotRequest(NamedTuple):
    """A request as a hot handler sees it. `token` is the session token of the route's cookie, or the bearer's."""

    body: bytes
    query: bytes
    token: bytes | None
    language: Language


@functools.lru_cache(maxsize=_LANGUAGE_HEADERS_REMEMBERED)
def language_of(accept_language: bytes) -> Language:
    """The reader's language by RFC 9110 weights: `en` when English is preferred to Chinese, `zh` otherwise."""
    best: Language = "zh"
    best_weight = 0.0
    for part in accept_language[:_LANGUAGE_HEADER_BYTES_MAX].lower().split(b","):
        match = _LANGUAGE_RANGE.fullmatch(part)
        if match is None:
            continue
        weight = float(match[2]) if match[2] else 1.0
        if weight > best_weight:
            best, best_weight = ("en" if match[1] == b"en" else "zh"), weight
    return best


def problem(error: TianfuError, language: str) -> tuple[int, bytes]:
    """`error` as RFC 9457 problem+json: the HTTP status and the body. `title` belongs to the code, `detail` to now."""
    kind = type(error)
    content: dict[str, object] = {
        "type": f"urn:tianfu:error:{error.code}",
        "title": kind.en if language == "en" else kind.zh,
        "status": error.status,
        "detail": error.sentence(language),
        "code": error.code,
    }
    if error.faults:
        content["faults"] = [
            {"field": fault.field, "code": fault.code, "text": fault.en if language == "en" else fault.zh}
            for fault in error.faults
        ]
    return error.status, msgspec.json.encode(content)


def problem_headers(error: TianfuError, language: str) -> tuple[Header, ...]:
    """The headers that go with `problem`, all but the content length."""
    headers: tuple[Header, ...] = (
        (b"content-type", b"application/problem+json"),
        (b"content-language", b"en" if language == "en" else b"zh"),
        *API_HEADERS,
    )
    if error.retry_after_seconds is not None:
        headers = (*headers, (b"retry-after", b"%d" % error.retry_after_seconds))
    return headers


def parse_json(decoder: msgspec.json.Decoder[Parsed], body: bytes) -> Parsed:
    """`body` as what `decoder` reads.

    Raises `BodyUnreadableError` when it is not JSON in UTF-8, `InputInvalidError` naming the field when it is JSON
    of another shape.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        # The message ends in "… field `name`" and "… at `$.outer`", either or both: the field is outer.name.
        field = ".".join(name for name in reversed(_FIELD_NAMED.findall(str(error))) if name)
        fault = Fault(
            field=field[:_FIELD_NAME_LENGTH_MAX],
            code="shape",
            zh="缺少此项，或类型、长度不对。",
            en="Missing, or of the wrong type or length.",
        )
        raise InputInvalidError(faults=(fault,)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyUnreadableError from error


def session_token(cookies: bytes | None, authorization: bytes | None, cookie: bytes) -> bytes | None:
    """The token of the cookie named, else the bearer's; None when there is neither or it is absurdly long."""
    token = b""
    if cookies is not None and cookie:
        for pair in cookies.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == cookie:
                token = value
                break
    if not token and authorization is not None:
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
    if not token or len(token) > _SESSION_TOKEN_BYTES_MAX or not token.isascii():
        return None
    return token
