"""PostgreSQL away: claiming says so at once, showing and scanning go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.flows.test_nothing_acknowledged_is_lost import new_holder, wait_healthy
from tests.support.running import RunningTianfu, until
from tianfu.platform.postgres import EmbeddedPostgres

ANSWER_SECONDS_MAX = 6.0


@contextmanager
def stopped_database(tianfu: RunningTianfu) -> Iterator[None]:
    """PostgreSQL is stopped, and the supervisor held so that it cannot start it again."""
    server = EmbeddedPostgres(tianfu.var / "postgres")
    tianfu.pause()
    try:
        server.stop()
        yield
    finally:
        tianfu.resume()


def test_claiming_says_so_and_codes_and_scans_go_on(tianfu: RunningTianfu, poster: str) -> None:
    with tianfu.client() as client:
        holder = new_holder(client)
        holder.claim()
        holder.declare()
        until(lambda: holder.code()["colour"] == "green", "a green code")

        with stopped_database(tianfu):
            started = time.monotonic()
            asked = client.post("/api/v1/one-time-passwords", json={"phone": "19900039999"})
            assert asked.status_code == 503
            assert asked.headers["content-type"] == "application/problem+json"
            assert time.monotonic() - started < ANSWER_SECONDS_MAX
            assert holder.code()["colour"] == "green"
            assert holder.scan(poster).status_code == 200

        wait_healthy(tianfu)
        until(
            lambda: client.post("/api/v1/one-time-passwords", json={"phone": "19900039998"}).status_code == 202,
            "claiming to go on",
        )


def test_evidence_reaches_the_phone_within_a_second(tianfu: RunningTianfu) -> None:
    with tianfu.client() as client:
        holder = new_holder(client)
        holder.claim()
        until(lambda: holder.code()["popup"] == "declare", "the code that asks for a declaration")

        holder.declare()

        assert until(lambda: not holder.code()["popup"], "the declaration to count") < 1.0
