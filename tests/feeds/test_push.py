"""The departments' door, over real HTTP: what is let in, and everything that is not."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from tests.support.clock import FixedClock
from tests.support.feeds import csv_file, lab_cells, pseudonym
from tests.support.ports import free_port
from tianfu.audit import trail
from tianfu.clock import SystemClock
from tianfu.errors import InputInvalidError
from tianfu.evidence.sources import SourceUnknownError
from tianfu.feeds.contracts_lab import LAB
from tianfu.feeds.push import admission, client, keys, signature
from tianfu.feeds.push.keys_store import FeedKey
from tianfu.platform.database import Database, Purpose
from tianfu.platform.observe import Log
from tianfu.services import feeds as door
from tianfu.services.feeds_proxy import FeedsProxy
from tianfu.services.http_protocol import BoundedHttpProtocol

PATH = "/feeds/v1/lab"
ROWS = [lab_cells(number) for number in range(3)]


def served(app: FeedsProxy | door.FeedDoor) -> Iterator[str]:
    """The address of `app` on a loopback port, for as long as the caller goes on."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            interface="asgi3",
            http=BoundedHttpProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
        )
    )

    async def serve() -> None:
        await server.serve()
        if isinstance(app, FeedsProxy):
            await app.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def url(database: Database, tmp_path: Path) -> Iterator[str]:
    yield from served(door.FeedDoor(database, pseudonym(tmp_path), Log("test")))


class Department:
    """A department with a key."""

    def __init__(self, database: Database, *, algorithm: str = signature.ED25519, **limits: int) -> None:
        pem, public = keys.generate(algorithm)
        self.private = keys.private_from_pem(pem)
        with database.write(Purpose.OPERATOR) as write:
            self.key: FeedKey = keys.create(
                write,
                source="laboratory",
                feeds=["lab"],
                public_der=public,
                made_by="li.na",
                at=SystemClock().now() - timedelta(seconds=1),
                **limits,
            )

    def signed(self, body: bytes, *, path: str = PATH, nonce: str = "n" * 22, late: int = 0) -> dict[str, str]:
        """Headers over `body`, signed `late` seconds from now."""
        created = int(datetime.now(UTC).timestamp()) + late
        return signature.sign(self.private, self.key.key_id, path=path, body=body, created=created, nonce=nonce)

    def push(self, url: str, rows: list[dict[str, str]], feed: str = "lab") -> httpx.Response:
        return client.push(
            url, feed, csv_file(LAB, rows), key=self.private, key_id=self.key.key_id, at=SystemClock().now()
        )


@pytest.fixture
def department(database: Database) -> Department:
    return Department(database)


def post(url: str, body: bytes, headers: dict[str, str], path: str = PATH) -> httpx.Response:
    return httpx.post(url + path, content=body, headers=headers, trust_env=False, timeout=60)


def why(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    content = answer.json()
    return answer.status_code, content["code"], content.get("faults", [{"code": ""}])[0]["code"]


def evidence(database: Database) -> int:
    with database.read(Purpose.OPERATOR) as read:
        count: int = read.value("select count(*) from evidence")
    return count


@pytest.mark.parametrize("algorithm", signature.ALGORITHMS)
def test_a_signed_file_is_loaded_and_the_answer_is_its_counts(database: Database, url: str, algorithm: str) -> None:
    sender = Department(database, algorithm=algorithm)

    first = sender.push(url, [*ROWS, lab_cells(7, result="?")])
    again = sender.push(url, [*ROWS, lab_cells(7, result="?")])

    assert first.status_code == 200, first.text
    content = first.json()
    assert (content["state"], content["rows"], content["accepted"], content["set_aside"]) == ("loaded", 4, 3, 1)
    assert not content["already_loaded"]
    assert again.json()["already_loaded"]
    assert evidence(database) == 3
    with database.read(Purpose.OPERATOR) as read:
        entries = [row.entry for row in trail.stored_rows(read)]
    assert [(entry.actor_kind, entry.actor) for entry in entries if entry.action == "feed.load"] == [
        ("department", f"key:{sender.key.key_id}")
    ]


def test_the_proxy_of_the_origin_passes_large_bodies_through_whole(url: str, department: Department) -> None:
    proxy = FeedsProxy(port=int(url.rpartition(":")[2]), public_scheme="https", log=Log("test"))
    rows = [lab_cells(number) for number in range(15_000)]
    assert len(csv_file(LAB, rows)) > 2**20
    with contextmanager(served)(proxy) as origin:
        answer = department.push(origin, rows)
        assert (answer.status_code, answer.json()["accepted"]) == (200, 15_000)
        assert why(post(origin, csv_file(LAB, rows), {})) == (401, "feed_signature_refused", "missing")


def _altered_body(department: Department) -> tuple[bytes, dict[str, str]]:
    return csv_file(LAB, ROWS[:1]), department.signed(csv_file(LAB, ROWS))


def _altered_digest(department: Department) -> tuple[bytes, dict[str, str]]:
    body, other = csv_file(LAB, ROWS), csv_file(LAB, ROWS[:1])
    return body, department.signed(other) | {"content-digest": department.signed(body)["content-digest"]}


def _other_path(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    return body, department.signed(body, path="/feeds/v1/cases")


def _late(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    return body, department.signed(body, late=-signature.WINDOW_SECONDS - 5)


def _early(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    return body, department.signed(body, late=signature.WINDOW_SECONDS + 60)


def _changed_nonce(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    headers = department.signed(body)
    return body, headers | {"signature-input": headers["signature-input"].replace("n" * 22, "m" * 22)}


def _short_nonce(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    return body, department.signed(body, nonce="n")


def _less_covered(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    headers = department.signed(body)
    return body, headers | {"signature-input": headers["signature-input"].replace(' "content-digest"', "")}


def _other_algorithm(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    headers = department.signed(body)
    changed = headers["signature-input"].replace(signature.ED25519, signature.ECDSA_P256)
    return body, headers | {"signature-input": changed}


def _unknown_key(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    headers = department.signed(body)
    return body, headers | {"signature-input": headers["signature-input"].replace("laboratory-", "nobody-")}


def _zeros(department: Department) -> tuple[bytes, dict[str, str]]:
    body = csv_file(LAB, ROWS)
    zeros = base64.b64encode(bytes(64)).decode()
    return body, department.signed(body) | {"signature": f"sig1=:{zeros}:"}


def _unsigned(_department: Department) -> tuple[bytes, dict[str, str]]:
    return csv_file(LAB, ROWS), {}


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (_altered_body, "digest"),
        (_altered_digest, "signature"),
        (_other_path, "signature"),
        (_late, "window"),
        (_early, "window"),
        (_changed_nonce, "signature"),
        (_short_nonce, "form"),
        (_less_covered, "form"),
        (_other_algorithm, "signature"),
        (_unknown_key, "key"),
        (_zeros, "signature"),
        (_unsigned, "missing"),
    ],
)
def test_what_is_not_signed_as_agreed_is_refused_and_nothing_is_loaded(
    database: Database,
    url: str,
    department: Department,
    forge: Callable[[Department], tuple[bytes, dict[str, str]]],
    reason: str,
) -> None:
    body, headers = forge(department)

    assert why(post(url, body, headers)) == (401, "feed_signature_refused", reason)
    assert evidence(database) == 0


def test_a_request_that_was_caught_cannot_be_sent_again(database: Database, url: str, department: Department) -> None:
    body = csv_file(LAB, ROWS)
    headers = department.signed(body)

    assert post(url, body, headers).status_code == 200
    assert why(post(url, body, headers)) == (401, "feed_signature_refused", "replay")
    assert evidence(database) == 3


def test_a_revoked_and_an_expired_key_open_nothing(database: Database, url: str, department: Department) -> None:
    with database.write(Purpose.OPERATOR) as write:
        keys.revoke(write, department.key.key_id, by="li.na", at=SystemClock().now())
        keys.revoke(write, department.key.key_id, by="li.na", at=SystemClock().now())
    assert why(department.push(url, ROWS))[2] == "key"

    expired = Department(database)
    with database.write(Purpose.OPERATOR) as write:
        write.execute(
            "update feed_key set created_at = %(at)s - interval '2 days', expires_at = %(at)s where key_id = %(key)s",
            {"at": SystemClock().now(), "key": expired.key.key_id},
        )
    assert why(expired.push(url, ROWS))[2] == "key"
    with database.read(Purpose.OPERATOR) as read:
        actions = [row.entry.action for row in trail.stored_rows(read)]
    assert actions == ["feed.key.create", "feed.key.revoke", "feed.key.create"]


def test_a_key_sends_its_own_feeds_only(url: str, department: Department) -> None:
    assert why(department.push(url, ROWS, "cases"))[:2] == (403, "feed_not_allowed")
    assert why(department.push(url, ROWS, "nothing"))[:2] == (404, "not_found")


def test_a_key_sends_its_rows_a_day_and_no_more(database: Database, tmp_path: Path) -> None:
    sender = Department(database, rows_per_day=5)
    # The door's clock stands still: at midnight the day's rows would begin anew.
    opened = door.FeedDoor(database, pseudonym(tmp_path), Log("test"), clock=FixedClock(SystemClock().now()))

    with contextmanager(served)(opened) as url:
        assert sender.push(url, ROWS).status_code == 200
        over = sender.push(url, [lab_cells(number) for number in range(10, 13)])

        assert why(over)[:2] == (429, "feed_quota")
        assert 0 < int(over.headers["retry-after"]) <= 86_401
        assert sender.push(url, ROWS).json()["already_loaded"]
        assert sender.push(url, [lab_cells(20), lab_cells(21)]).status_code == 200
    assert evidence(database) == 5


def test_a_key_that_asks_too_often_waits(
    database: Database, department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "REQUESTS_PER_MINUTE", 1)
    monkeypatch.setattr(admission, "REQUESTS_BURST", 2)

    with contextmanager(served)(door.FeedDoor(database, pseudonym(tmp_path), Log("test"))) as origin:
        answers = [post(origin, b"x", department.signed(b"x", nonce=f"{number:022d}")) for number in range(3)]

    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert why(answers[-1])[1] == "too_many_requests"


def test_a_file_that_is_no_such_feed_is_refused_whole(database: Database, url: str, department: Department) -> None:
    body = b"name,number\nx,y\n"

    assert why(post(url, body, department.signed(body)))[:2] == (422, "feed_refused")
    assert evidence(database) == 0


def test_a_body_over_the_limit_is_refused_and_the_sender_gets_to_see_it(
    url: str, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "FILE_BYTES_MAX", 2**20)
    body = bytes(3 * 2**20)

    assert why(post(url, body, department.signed(body)))[:2] == (413, "body_too_large")


def test_no_more_loads_at_once_than_fit_the_memory(
    url: str, department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "LOADS_MAX", 0)

    answer = department.push(url, ROWS)

    assert why(answer)[:2] == (503, "busy")
    assert answer.headers["retry-after"] == "5"


def test_what_may_be_sent_is_described(url: str) -> None:
    described = httpx.get(f"{url}/feeds/v1/openapi.json", trust_env=False)
    dictionary = httpx.get(f"{url}/feeds/v1/dictionary", trust_env=False)

    assert described.status_code == dictionary.status_code == 200
    assert any("lab" in path for path in described.json()["paths"])
    assert why(httpx.get(f"{url}{PATH}", trust_env=False))[:2] == (405, "method_refused")
    assert why(httpx.get(f"{url}/feeds/v1/dictionary?x=1", trust_env=False))[:2] == (404, "not_found")


def test_keys_are_made_for_known_sources_and_feeds_only(database: Database) -> None:
    _, public = keys.generate(signature.ED25519)
    for source, feeds, error in (
        ("nobody", ["lab"], SourceUnknownError),
        ("laboratory", ["nothing"], InputInvalidError),
        ("laboratory", [], InputInvalidError),
    ):
        with pytest.raises(error), database.write(Purpose.OPERATOR) as write:
            keys.create(write, source=source, feeds=feeds, public_der=public, made_by="li.na", at=SystemClock().now())
    with pytest.raises(keys.FeedKeyNotFoundError), database.write(Purpose.OPERATOR) as write:
        keys.revoke(write, "nobody", by="li.na", at=SystemClock().now())
    with pytest.raises(InputInvalidError):
        keys.public_from_pem(b"no key")
    with pytest.raises(InputInvalidError):
        keys.private_from_pem(b"no key")
