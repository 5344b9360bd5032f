"""PostgreSQL away: claiming says so at once, showing and scanning go on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows.test_nothing_acknowledged_is_lost import new_holder, wait_healthy
from tests.support.holders import Holder
from tests.support.posters import first_poster
from tests.support.running import RunningTianfu, until
from tests.support.storm import Storm
from tianfu.platform.postgres import EmbeddedPostgres

# Two seconds for a connection, and the rest for a busy machine.
ANSWER_SECONDS_MAX = 20.0
# The promise is a second; this bound only catches what is broken.
COUNTED_SECONDS_MAX = 10.0
# `make soak` keeps the database away for ten minutes.
OUTAGE_SECONDS = int(os.environ.get("SOAK_OUTAGE_SECONDS", "12"))
BACK_SECONDS_MAX = 60.0
SEED = 20_261_125


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


def test_evidence_reaches_the_phone_within_a_second(
    tianfu: RunningTianfu, record_testsuite_property: Callable[[str, object], None]
) -> None:
    with tianfu.client() as client:
        holder = new_holder(client)
        holder.claim()
        until(lambda: holder.code()["popup"] == "declare", "the code that asks for a declaration")

        holder.declare()

        took = until(lambda: not holder.code()["popup"], "the declaration to count")

    record_testsuite_property("declaration_to_code_ms", round(took * 1000, 1))
    assert took < COUNTED_SECONDS_MAX


@pytest.mark.slow
def test_colours_go_on_with_their_age_until_it_is_too_great_and_come_back_and_no_scan_is_lost(
    folder_for_system: Path,
) -> None:
    age_max = OUTAGE_SECONDS // 2
    tianfu = RunningTianfu.start(folder_for_system / "outage" / "var", TIANFU_BOARD_AGE_MAX_SECONDS=str(age_max))
    try:
        storm = Storm(tianfu, first_poster(tianfu), SEED)
        with tianfu.client() as client:
            holder = new_holder(client)
            holder.claim()
            holder.declare()
            until(lambda: holder.code()["colour"] == "green", "a green code")
            storm.start()
            try:
                shown = _shown_without_database(tianfu, holder)
                wait_healthy(tianfu)
                until(lambda: holder.code()["colour"] == "green", "the colour", seconds=BACK_SECONDS_MAX)
                until(lambda: holder.code()["board_age_seconds"] <= 2, "a young board")
            finally:
                storm.stop()

        assert {colour for age, colour in shown if age < age_max} == {"green"}
        assert {colour for age, colour in shown if age > age_max} == {"checking"}
        assert max(age for age, _ in shown) >= OUTAGE_SECONDS - 2
        assert not storm.wrong()
        assert {status for _, status in storm.answers} == {200}
        assert storm.account.acknowledged
    finally:
        tianfu.stop()


def _shown_without_database(tianfu: RunningTianfu, holder: Holder) -> list[tuple[int, str]]:
    """Age of the board and colour, again and again, while the database is away."""
    shown = []
    with stopped_database(tianfu):
        until_at = time.monotonic() + OUTAGE_SECONDS
        while time.monotonic() < until_at:
            code = holder.code()
            assert code["code"], code
            shown.append((code["board_age_seconds"], code["colour"]))
            time.sleep(0.25)
    return shown
