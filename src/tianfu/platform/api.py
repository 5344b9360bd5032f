"""The control API's edge: one Litestar application with the refusals, limits and headers of the gate.

Bodies are read by `read_body`, which reports every field that is wrong and not the first only. Handlers are plain
functions run in threads, because the database driver is synchronous. Everything raised becomes problem+json in the
reader's language by the renderer the gate uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_origin

import msgspec
from litestar import Litestar, Request, Response
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.types import ControllerRouterHandler

from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.platform.asgi import Message, Receive, Scope, Send
from tianfu.platform.http import (
    API_HEADERS,
    BodyTooLargeError,
    BodyUnreadableError,
    ContentTypeRefusedError,
    MethodRefusedError,
    OriginRefusedError,
    language_of,
    problem,
    problem_headers,
)
from tianfu.platform.observe import Log

# A claim, the largest body, is under 2 kB.
API_BODY_BYTES_MAX: Final = 64 * 1024
API_PATH: Final = "/api/v1"
_TOKEN_LENGTH_MAX: Final = 1024
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})

Body = TypeVar("Body", bound=msgspec.Struct)
AnyRequest = Request[Any, Any, Any]


def application(handlers: Sequence[ControllerRouterHandler], *, title: str, public_origin: str, log: Log) -> Edge:
    """The ASGI application over `handlers`, with its description at `/api/v1/openapi.json`."""

    def unexpected(request: AnyRequest, error: Exception) -> Response[bytes]:
        # By its type only: the text of a foreign exception may hold what a person typed.
        log.error("a handler failed", route=request.url.path, error=type(error).__name__)
        return _problem_response(request, TianfuError())

    # The description has a path of its own: below it the framework answers unknown addresses with pages of HTML.
    litestar = Litestar(
        route_handlers=handlers,
        exception_handlers={
            TianfuError: _problem_response,
            HTTPException: _refused_by_framework,
            Exception: unexpected,
        },
        request_max_body_size=API_BODY_BYTES_MAX,
        openapi_config=OpenAPIConfig(
            title=title, version="1", path=f"{API_PATH}/openapi.json", render_plugins=[JsonRenderPlugin(path="/")]
        ),
        logging_config=None,
        debug=False,
    )
    return Edge(litestar, public_origin=public_origin)


class Edge:
    """Wraps the application: keeps other sites' requests out and puts the security headers on every answer."""

    def __init__(self, app: Any, *, public_origin: str) -> None:  # noqa: ANN401 - Litestar's own scope types differ
        """Accept `public_origin` as `Origin`, besides the host that the request was sent to."""
        self._app = app
        self._public_origin = public_origin.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await _send_problem(refusal, headers, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                extra = [pair for pair in API_HEADERS if pair[0] not in given]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _refusal(self, method: str, headers: Mapping[bytes, bytes]) -> TianfuError | None:
        if method not in _CHANGING:
            return None
        origin = headers.get(b"origin")
        # Browsers state the origin of every such request; other programs state none and carry no cookies either.
        if origin not in (None, self._public_origin) and origin.partition(b"://")[2] != headers.get(b"host"):
            return OriginRefusedError()
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if method in _WITH_BODY and kind != b"application/json":
            return ContentTypeRefusedError()
        return None


async def _send_problem(error: TianfuError, headers: Mapping[bytes, bytes], send: Send) -> None:
    language = language_of(headers.get(b"accept-language", b""))
    status, body = problem(error, language)
    lines = [*problem_headers(error, language), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _problem_response(request: AnyRequest, error: TianfuError) -> Response[bytes]:
    language = reader_language(request)
    status, body = problem(error, language)
    headers = {name.decode(): value.decode() for name, value in problem_headers(error, language)}
    kind = headers.pop("content-type")
    return Response(body, status_code=status, media_type=kind, headers=headers)


def _refused_by_framework(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """What the framework refuses by itself, in our words; a malformed path is an address that does not exist."""
    refusals: dict[int, TianfuError] = {405: MethodRefusedError(), 413: BodyTooLargeError()}
    return _problem_response(request, refusals.get(error.status_code, NotFoundError()))


def reader_language(request: AnyRequest) -> str:
    """The reader's language, `zh` or `en`."""
    return language_of(request.headers.get("accept-language", "").encode("latin-1", "replace"))


def client_address(request: AnyRequest) -> str:
    """Where the request came from: the peer, or what the origin on this machine says of its own peer."""
    peer = request.client.host if request.client else "unknown"
    stated = request.headers.get("x-forwarded-for", "")
    return stated if stated and peer in {"127.0.0.1", "::1", "unknown"} else peer


def token_of(request: AnyRequest, cookie: str) -> str:
    """The session token of the cookie, or of a bearer header; empty when there is none that could be one."""
    token = request.cookies.get(cookie, "")
    if not token:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return ""
    return token if len(token) <= _TOKEN_LENGTH_MAX else ""


def session_cookie(name: str, token: str, *, public_origin: str, seconds: int) -> Cookie:
    """The cookie of a session: no script reads it, no other site sends it. `seconds` 0 takes it away."""
    return Cookie(
        key=name,
        value=token,
        path="/",
        max_age=seconds,
        httponly=True,
        samesite="strict",
        secure=public_origin.startswith("https://"),
    )


def read_body(kind: type[Body], body: bytes) -> Body:
    """`body` as `kind`, strictly: no field missing, unknown or of another type.

    Raises `BodyUnreadableError` when it is no JSON object, `InputInvalidError` naming every field that is wrong.
    """
    # PostgreSQL cannot store the character NUL, and no field has a use for it; in JSON it can only come escaped.
    if b"\\u0000" in body:
        raise BodyUnreadableError
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise BodyUnreadableError from cause
    if not isinstance(content, dict):
        raise BodyUnreadableError
    faults: list[Fault] = []
    values = _read_fields(kind, content, "", faults)
    if faults:
        raise InputInvalidError(faults=tuple(faults))
    return kind(**values)


def _read_fields(kind: type[msgspec.Struct], content: dict[str, Any], path: str, faults: list[Fault]) -> dict[str, Any]:
    """The fields of `kind` found in `content`; what is wrong is added to `faults`."""
    values: dict[str, Any] = {}
    fields = msgspec.structs.fields(kind)
    for field in fields:
        name = f"{path}{field.encode_name}"
        if field.encode_name not in content:
            if field.required:
                faults.append(Fault(name, "missing", "缺少此项。", "This is missing."))
            continue
        value = content[field.encode_name]
        inner = field.type if isinstance(field.type, type) and get_origin(field.type) is None else None
        if inner is not None and issubclass(inner, msgspec.Struct) and isinstance(value, dict):
            before = len(faults)
            nested = _read_fields(inner, value, f"{name}.", faults)
            if len(faults) == before:
                values[field.name] = inner(**nested)
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type, strict=True)
        except msgspec.ValidationError:
            faults.append(Fault(name, "type", "类型或取值不对。", "This has the wrong type or value."))
    known = {field.encode_name for field in fields}
    if not content.keys() <= known:
        # The names are the client's own text, so they are not repeated; ours are said.
        ours = ", ".join(field.encode_name for field in fields)
        faults.append(
            Fault(
                path.rstrip("."),
                "unknown_field",
                f"含有未知的字段；可用的字段为 {ours}。",
                f"There are unknown fields; known ones are {ours}.",
            )
        )
    return values


def documented(kind: type[msgspec.Struct]) -> type[Operation]:
    """The `operation_class` that describes `kind` as the JSON body of a handler."""
    (described,), components = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    schema = _inlined(described, components)

    @dataclass
    class WithBody(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(
                content={"application/json": OpenAPIMediaType(schema=_RawSchema(schema))}, required=True
            )

    return WithBody


def _inlined(schema: Any, components: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON of any shape
    """`schema` with every reference replaced by what it names; request bodies are not recursive."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(components[schema["$ref"].rpartition("/")[2]], components)
        return {key: _inlined(value, components) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_inlined(item, components) for item in schema]
    return schema


class _RawSchema(Schema):
    """A JSON schema written as it is."""

    def __init__(self, raw: dict[str, Any]) -> None:
        super().__init__()
        self._raw = raw

    def to_schema(self) -> dict[str, Any]:
        return self._raw
