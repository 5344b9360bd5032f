from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from tianfu.errors import TianfuError
from tianfu.platform import asgi
from tianfu.platform.asgi import HotApp, Message
from tianfu.platform.hot import HotDesk, Route, Told
from tianfu.platform.http import HOT_BODY_BYTES_MAX, Answer, BusyError, HotRequest
from tianfu.platform.journalfile import JournalFullError
from tianfu.platform.observe import Log

JSON = (b"content-type", b"application/json")
ORIGIN = "http://localhost:8000"


class MemoryJournal:
    """Keeps what is appended, or fails as told."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.failure: TianfuError | None = None
        self.settlings = 0

    def take(self, records: Sequence[bytes], told: Told) -> None:
        asyncio.get_running_loop().call_soon(self._tell, list(records), told)

    def _tell(self, records: list[bytes], told: Told) -> None:
        if self.failure is None:
            self.records += records
        told(self.failure)

    def when_settled(self, told: Told) -> None:
        self.settlings += 1
        told(None)


class Sent:
    """What came back."""

    def __init__(self, messages: list[Message]) -> None:
        assert [message["type"] for message in messages[:2]] == ["http.response.start", "http.response.body"]
        self.status: int = messages[0]["status"]
        self.headers: dict[bytes, bytes] = dict(messages[0]["headers"])
        self.body: bytes = b"".join(message.get("body", b"") for message in messages[1:])
        assert not messages[-1].get("more_body", False)
        assert self.headers[b"content-length"] == str(len(self.body)).encode()

    @property
    def code(self) -> str:
        assert self.headers[b"content-type"] == b"application/problem+json"
        return str(json.loads(self.body)["code"])


def echo(request: HotRequest) -> Answer:
    return Answer(repr((request.body, request.query, request.token, request.language)).encode())


class Harness:
    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.log = io.StringIO()
        self.lost: list[bytes] = []
        routes = {
            ("GET", "/echo"): Route(echo, b"tianfu_session"),
            ("POST", "/echo"): Route(echo, b"tianfu_session"),
            ("POST", "/record"): Route(lambda _: Answer(b"{}", records=(b"r" * 44,)), lost=self.lost.append),
            ("POST", "/records"): Route(
                lambda _: Answer(b"{}", records=(b"r" * 44, b"s" * 44)), lost=self.lost.append, body_bytes_max=20_000
            ),
            ("POST", "/again"): Route(lambda _: Answer(b"{}", settled=True)),
            ("GET", "/later"): Route(self.later),
            ("GET", "/broken"): Route(self.broken),
        }
        self.desk = HotDesk(routes, journal=self.journal, public_origin=ORIGIN, log=Log("test", stream=self.log))
        self.app = HotApp(self.desk)

    async def later(self, request: HotRequest) -> Answer:
        await asyncio.sleep(0)
        return echo(request)

    def broken(self, request: HotRequest) -> Answer:
        raise KeyError(request)

    def send(
        self,
        method: str,
        path: str,
        *headers: tuple[bytes, bytes],
        body: list[bytes] | None = None,
        receive: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    ) -> Sent:
        parts = list(body or [b""])
        sent: list[Message] = []

        async def next_part() -> dict[str, Any]:
            if not parts:
                return {"type": "http.disconnect"}
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def collect(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "query_string": b"q=1", "headers": list(headers)}
        asyncio.run(self.app(scope, receive or next_part, collect))
        self.unread = parts
        return Sent(sent)


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_handler_gets_body_query_token_and_language(harness: Harness) -> None:
    answer = harness.send(
        "POST",
        "/echo",
        (b"content-type", b"application/json; charset=utf-8"),
        (b"cookie", b"other=1; tianfu_session=abc.def; tianfu_operator=xyz"),
        (b"accept-language", b"en"),
        body=[b"on", b"e"],
    )

    assert answer.status == 200
    assert answer.body == repr((b"one", b"q=1", b"abc.def", "en")).encode()
    assert answer.headers[b"cache-control"] == b"no-store"


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        ([(b"cookie", b"tianfu_session=")], None),
        ([(b"cookie", b"tianfu_session=" + b"x" * 2000)], None),
        ([(b"cookie", b"tianfu_session=\xff")], None),
        ([(b"cookie", b"not_tianfu_session=a")], None),
        ([(b"authorization", b"Bearer abc")], b"abc"),
        ([(b"authorization", b"Basic abc")], None),
        ([(b"cookie", b"tianfu_session=a"), (b"authorization", b"Bearer b")], b"a"),
    ],
)
def test_the_token_is_the_cookie_or_the_bearer_and_nothing_else(
    harness: Harness, headers: list[tuple[bytes, bytes]], token: bytes | None
) -> None:
    answer = harness.send("GET", "/echo", *headers)

    assert answer.body == repr((b"", b"q=1", token, "zh")).encode()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("HEAD", "/echo", 405, "method_refused"),
        ("PUT", "/echo", 405, "method_refused"),
        ("GET", "/record", 405, "method_refused"),
        ("GET", "/broken", 500, "internal"),
    ],
)
def test_refusals_are_problems(harness: Harness, method: str, path: str, status: int, code: str) -> None:
    answer = harness.send(method, path)

    assert (answer.status, answer.code) == (status, code)
    assert answer.headers[b"content-language"] == b"zh"


def test_a_bug_tells_the_client_nothing_and_the_log_where_to_look(harness: Harness) -> None:
    answer = harness.send("GET", "/broken", (b"cookie", b"tianfu_session=secret"))

    assert b"KeyError" not in answer.body
    line = json.loads(harness.log.getvalue())
    assert (line["route"], line["error"]) == ("/broken", "KeyError")
    assert "secret" not in harness.log.getvalue()


@pytest.mark.parametrize("kind", [None, b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data"])
def test_a_post_must_say_that_it_carries_json(harness: Harness, kind: bytes | None) -> None:
    headers = [] if kind is None else [(b"content-type", kind)]

    answer = harness.send("POST", "/record", *headers)

    assert (answer.status, answer.code) == (415, "content_type_refused")
    assert harness.journal.records == []


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (b"http://localhost:8000", 200),
        (b"http://127.0.0.1:8000", 200),
        (b"https://evil.example", 403),
        (b"http://127.0.0.1:8001", 403),
        (b"null", 403),
    ],
)
def test_a_page_of_another_site_cannot_change_anything(harness: Harness, origin: bytes, status: int) -> None:
    answer = harness.send("POST", "/record", JSON, (b"origin", origin), (b"host", b"127.0.0.1:8000"))

    assert answer.status == status
    assert len(harness.journal.records) == (1 if status == 200 else 0)


def test_a_body_declared_too_large_is_refused_in_the_readers_language_and_thrown_away(harness: Harness) -> None:
    answer = harness.send(
        "POST", "/echo", JSON, (b"content-length", b"10000000"), (b"accept-language", b"en"), body=[b"x" * 65536] * 160
    )

    assert (answer.status, answer.code) == (413, "body_too_large")
    assert answer.headers[b"connection"] == b"close"
    assert "too large" in json.loads(answer.body)["detail"]
    assert harness.unread == []


def test_an_endless_body_is_refused_once_it_is_over_the_limit_and_read_no_further_than_the_bound(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi, "_DISCARD_BYTES_MAX", 1_000_000)
    served = 0

    async def endless() -> dict[str, Any]:
        nonlocal served
        served += 65_536
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}

    answer = harness.send("POST", "/echo", JSON, receive=endless)

    assert answer.status == 413
    assert served < 1_000_000 + 3 * 65_536


def test_a_body_of_exactly_the_limit_is_read(harness: Harness) -> None:
    answer = harness.send("POST", "/echo", JSON, body=[b"x" * HOT_BODY_BYTES_MAX])

    assert answer.status == 200


@pytest.mark.parametrize("length", [b"-1", b"abc", b"1e3", b""])
def test_a_malformed_length_is_unreadable(harness: Harness, length: bytes) -> None:
    assert harness.send("POST", "/echo", JSON, (b"content-length", length)).status == 400


def test_an_absurd_length_is_too_large_and_not_a_crash(harness: Harness) -> None:
    assert harness.send("POST", "/echo", JSON, (b"content-length", b"9" * 5000)).status == 413


def test_an_answer_with_a_record_leaves_after_the_record_is_durable(harness: Harness) -> None:
    answer = harness.send("POST", "/record", JSON)

    assert answer.status == 200
    assert harness.journal.records == [b"r" * 44]


def test_an_answer_that_repeats_another_waits_for_what_is_on_its_way(harness: Harness) -> None:
    assert harness.send("POST", "/again", JSON).status == 200
    assert harness.journal.settlings == 1


def test_a_record_that_was_not_made_durable_is_told_to_client_and_handler(harness: Harness) -> None:
    harness.journal.failure = JournalFullError()

    answer = harness.send("POST", "/record", JSON)

    assert (answer.status, answer.code) == (503, "journal_full")
    assert answer.headers[b"retry-after"] == b"30"
    assert harness.lost == [b"r" * 44]


def test_an_answer_with_several_records_leaves_after_all_are_durable(harness: Harness) -> None:
    assert harness.send("POST", "/records", JSON).status == 200

    assert harness.journal.records == [b"r" * 44, b"s" * 44]


def test_of_several_records_that_were_not_made_durable_the_handler_hears_of_each(harness: Harness) -> None:
    harness.journal.failure = JournalFullError()

    assert harness.send("POST", "/records", JSON).code == "journal_full"
    assert harness.lost == [b"r" * 44, b"s" * 44]


def test_a_route_may_take_larger_bodies_than_the_others(harness: Harness) -> None:
    assert harness.send("POST", "/records", JSON, body=[b"x" * 10_000, b"x" * 10_000]).status == 200
    assert harness.send("POST", "/records", JSON, body=[b"x" * 10_000, b"x" * 10_001]).code == "body_too_large"
    assert harness.send("POST", "/records", JSON, (b"content-length", b"20001")).code == "body_too_large"
    assert harness.send("POST", "/echo", JSON, body=[b"x" * 10_000]).code == "body_too_large"


def test_a_handler_may_answer_later(harness: Harness) -> None:
    assert harness.send("GET", "/later").status == 200


def test_where_too_many_bodies_trickle_the_oldest_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_BODIES_READING_MAX", 1)
    harness = Harness()
    statuses: list[int] = []

    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    async def at_once() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def note(message: Message) -> None:
        if "status" in message:
            statuses.append(message["status"])

    async def run() -> None:
        scope = {"type": "http", "method": "POST", "path": "/echo", "query_string": b"", "headers": [JSON]}
        slow = asyncio.create_task(harness.app(scope, never, note))
        await asyncio.sleep(0)
        await harness.app(scope, at_once, note)
        await slow

    asyncio.run(run())

    assert sorted(statuses) == [200, BusyError.status]


def test_answers_are_counted_by_known_path_and_status(harness: Harness) -> None:
    harness.send("GET", "/echo")
    harness.send("GET", "/echo")
    harness.send("GET", "/some/secret/path")

    assert harness.desk.answers == {("/echo", 200): 2, ("other", 404): 1}
