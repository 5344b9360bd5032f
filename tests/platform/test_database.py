"""Pools and handles: what each may do, how long it may take, and what a caller sees when the server is gone."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest

from tests.support.running import until
from tianfu.clock import monotonic_seconds
from tianfu.platform import settings
from tianfu.platform.database import (
    Database,
    DatabaseBusyError,
    DatabaseTooOldError,
    DatabaseUnavailableError,
    DatabaseUrlInvalidError,
    Purpose,
    Write,
    require_version,
)
from tianfu.platform.pooled import CONNECTION_WAIT_SECONDS
from tianfu.platform.postgres import EmbeddedPostgres

LIMITS = settings.load({}).database
# The wait for a connection, and some room for a busy machine.
TOLD_WITHIN_SECONDS = CONNECTION_WAIT_SECONDS + 10.0
# Far below the wait of the test, which is how long somebody who is not woken would sleep.
WOKEN_SECONDS_MAX = 20.0


@pytest.fixture
def server(folder_for_server: Path) -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, to stop and kill."""
    server = EmbeddedPostgres(folder_for_server / "data", durable=False)
    server.start()
    yield server
    server.stop()


def number_people(write: Write, count: int) -> int:
    return write.execute("insert into person (first_seen_at) select now() from generate_series(1, %s)", (count,))


def count_people(database: Database) -> int:
    with database.read(Purpose.WORKER) as read:
        count: int = read.value("select count(*) from person")
        return count


def test_a_write_is_kept_when_its_block_ends_well(database: Database) -> None:
    with database.write(Purpose.WORKER) as write:
        assert number_people(write, 3) == 3

    assert count_people(database) == 3


def test_a_write_is_undone_when_its_block_raises(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write(Purpose.WORKER) as write:
            number_people(write, 3)
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()

    assert count_people(database) == 0


def test_a_read_handle_cannot_change_anything_even_when_the_statement_tries(database: Database) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.read(Purpose.WORKER) as read:
        read.rows("insert into person (first_seen_at) values (now()) returning person_ref")

    assert count_people(database) == 0


def test_every_statement_of_a_read_sees_the_same_moment(database: Database) -> None:
    with database.read(Purpose.WORKER) as read:
        before = read.value("select count(*) from person")
        with database.write(Purpose.WORKER) as write:
            number_people(write, 1)

        assert read.value("select count(*) from person") == before == 0


def test_rows_row_and_value_answer_from_the_same_statement(database: Database) -> None:
    with database.read(Purpose.RESIDENT) as read:
        assert read.rows("select n, n %% 2 from generate_series(1, %s) as n", (3,)) == [(1, 1), (2, 0), (3, 1)]
        assert read.row("select 7, 'seven'") == (7, "seven")
        assert read.row("select 7 where false") is None
        assert read.value("select 5 % 3") == 2
        assert read.value("select 7 where false") is None
        assert read.value("select %(name)s", {"name": "by name"}) == "by name"


def test_a_stream_gives_every_row_in_order_without_holding_them_all(database: Database) -> None:
    with database.read(Purpose.BATCH) as read:
        stream = read.stream("select n from generate_series(1, %s) as n", (5_001,))
        other = read.stream("select n from generate_series(1, 3) as n")

        assert [next(stream), next(other), next(stream)] == [(1,), (1,), (2,)]
        assert sum(1 for _ in stream) == 4_999


def test_a_stream_that_was_left_open_disturbs_no_later_transaction(database_url: str) -> None:
    limits = msgspec.structs.replace(LIMITS, pool_connections_max=2)
    with Database.open(database_url, limits) as database:
        with database.read(Purpose.BATCH) as read:
            left_open = read.stream("select n from generate_series(1, 100000) as n")
            assert next(left_open) == (1,)

        with database.write(Purpose.BATCH) as write:
            number_people(write, 1)
            with pytest.raises(psycopg.InterfaceError):
                list(left_open)
            number_people(write, 1)

        assert count_people(database) == 2


def test_a_handle_is_dead_when_its_transaction_has_ended(database: Database) -> None:
    with database.write(Purpose.WORKER) as write:
        pass

    with pytest.raises(RuntimeError, match="has ended"):
        number_people(write, 1)


def test_copy_stores_many_rows_and_counts_them(database: Database) -> None:
    at = "2022-03-01T04:00:00+00:00"

    with database.write(Purpose.BATCH) as write:
        stored = write.copy("copy person (first_seen_at) from stdin", ((at,) for _ in range(1_000)))
        write.execute_many("insert into person (first_seen_at) values (%s)", [(at,), (at,)])

    assert stored == 1_000
    assert count_people(database) == 1_002


def test_instants_come_back_aware_and_in_utc(database: Database) -> None:
    with database.read(Purpose.WORKER) as read:
        at = read.value("select timestamptz '2022-03-01T12:00:00+08:00'")

    assert at.isoformat() == "2022-03-01T04:00:00+00:00"


@pytest.mark.parametrize("purpose", list(Purpose))
def test_each_purpose_has_its_own_limit_on_a_statement(database: Database, purpose: Purpose) -> None:
    expected = getattr(LIMITS, f"{purpose.value}_statement_ms")

    with database.read(purpose) as read:
        seen = read.row(
            "select extract(epoch from current_setting('statement_timeout')::interval) * 1000,"
            " current_setting('application_name'), current_setting('idle_in_transaction_session_timeout'),"
            " current_setting('lock_timeout')"
        )

    assert seen == (expected, f"tianfu {purpose.value}", "30s", "2s")


def test_a_statement_over_its_limit_is_stopped_and_told_as_busy(database_url: str) -> None:
    limits = msgspec.structs.replace(LIMITS, resident_statement_ms=1_000)

    with Database.open(database_url, limits) as database:
        with pytest.raises(DatabaseBusyError) as told, database.read(Purpose.RESIDENT) as read:
            read.value("select pg_sleep(60)")
        assert told.value.retry_after_seconds

        with database.read(Purpose.RESIDENT) as read:
            assert read.value("select 1") == 1


def test_waiting_for_a_lock_ends_as_busy(database: Database) -> None:
    with database.write(Purpose.WORKER) as holder:
        holder.execute("lock table person in access exclusive mode")

        with pytest.raises(DatabaseBusyError), database.write(Purpose.WORKER) as waiter:
            number_people(waiter, 1)


def test_a_pool_with_no_connection_left_says_so_within_its_wait(database_url: str) -> None:
    limits = msgspec.structs.replace(LIMITS, pool_connections_max=2)

    with (
        Database.open(database_url, limits) as database,
        database.read(Purpose.RESIDENT),
        database.read(Purpose.RESIDENT),
    ):
        began = monotonic_seconds()
        with pytest.raises(DatabaseUnavailableError), database.read(Purpose.RESIDENT):
            pass
        assert monotonic_seconds() - began < TOLD_WITHIN_SECONDS

        # The pools of other purposes are not touched by it.
        with database.read(Purpose.WORKER) as read:
            assert read.value("select 1") == 1


def test_a_violated_constraint_reaches_the_store_that_expects_it(database: Database) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.write(Purpose.WORKER) as write:
        write.execute("insert into read_budget (account_ref, day, reads) values (99, '2022-01-01', 0)")


def test_a_closed_database_refuses(database: Database) -> None:
    database.close()

    with pytest.raises(DatabaseUnavailableError), database.read(Purpose.WORKER):
        pass


def test_an_address_that_makes_no_sense_is_refused_without_repeating_it() -> None:
    with pytest.raises(DatabaseUrlInvalidError) as refused:
        Database.open("postgresql://someone:secret@/x?nonsense=1", LIMITS)

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_address_where_nobody_listens_is_told_quickly(tmp_path: Path) -> None:
    began = monotonic_seconds()

    with pytest.raises(DatabaseUnavailableError):
        Database.open(f"postgresql://postgres@/postgres?host={tmp_path}", LIMITS)

    assert monotonic_seconds() - began < TOLD_WITHIN_SECONDS


@pytest.mark.parametrize(
    ("version", "accepted"), [(140_012, False), (149_999, False), (150_000, True), (180_004, True)]
)
def test_a_server_older_than_15_is_refused(version: int, accepted: bool) -> None:  # noqa: FBT001 - a table's column
    if accepted:
        require_version(version)
        return
    with pytest.raises(DatabaseTooOldError):
        require_version(version)


def test_a_dead_server_is_told_quickly_and_pools_recover_by_themselves(
    server: EmbeddedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    with Database.open(server.url, LIMITS) as database:
        _open_connections(database, 4)
        server.stop()

        for _ in range(2):
            began = monotonic_seconds()
            with pytest.raises(DatabaseUnavailableError), database.read(Purpose.RESIDENT):
                pass
            assert monotonic_seconds() - began < TOLD_WITHIN_SECONDS

        server.start()
        until(lambda: _answers(database), "the pool to recover")


def test_a_restart_between_two_transactions_goes_unnoticed(server: EmbeddedPostgres) -> None:
    with Database.open(server.url, LIMITS) as database:
        _open_connections(database, 4)
        server.stop()
        server.start()

        for _ in range(6):
            with database.read(Purpose.RESIDENT) as read:
                assert read.value("select 1") == 1


def test_a_server_lost_inside_a_transaction_is_told_as_unavailable(server: EmbeddedPostgres) -> None:
    def lose_the_server(write: Write) -> None:
        os.kill(write.value("select pg_backend_pid()"), signal.SIGTERM)
        write.value("select pg_sleep(2)")

    with Database.open(server.url, LIMITS) as database:
        with pytest.raises(DatabaseUnavailableError), database.write(Purpose.WORKER) as write:
            lose_the_server(write)

        with database.read(Purpose.WORKER) as read:
            assert read.value("select 1") == 1


def test_a_listener_hears_what_is_notified_after_a_commit_and_only_then(database: Database) -> None:
    with database.listen("tianfu_evidence") as listener:
        assert listener.wait(0.0) is False
        with database.write(Purpose.WORKER) as write:
            write.execute("notify tianfu_evidence")
            assert listener.wait(0.05) is False

        assert listener.wait(60.0) is True
        assert listener.wait(0.0) is False


def test_a_listener_wakes_at_once(database: Database) -> None:
    def notify() -> None:
        with database.write(Purpose.WORKER) as write:
            write.execute("notify tianfu_evidence")

    with database.listen("tianfu_evidence") as listener:
        notifier = threading.Timer(0.2, notify)
        notifier.start()
        began = monotonic_seconds()

        assert listener.wait(60.0) is True

        assert monotonic_seconds() - began < WOKEN_SECONDS_MAX
        notifier.join()


def test_a_listener_whose_server_is_gone_says_so(server: EmbeddedPostgres) -> None:
    with Database.open(server.url, LIMITS) as database, database.listen("tianfu_evidence") as listener:
        server.stop()

        with pytest.raises(DatabaseUnavailableError):
            listener.wait(60.0)


def _answers(database: Database) -> bool:
    try:
        with database.read(Purpose.RESIDENT) as read:
            return bool(read.value("select 1") == 1)
    except DatabaseUnavailableError:
        return False


def _open_connections(database: Database, count: int) -> None:
    """Let the resident pool grow to `count` connections."""
    if count:
        with database.read(Purpose.RESIDENT):
            _open_connections(database, count - 1)
