"""Pooled connections with limits: how long a statement, a lock and a caller may wait.

The mechanism under `tianfu.platform.database`, which decides what a transaction is; nothing else uses it.
"""

from __future__ import annotations

import logging
from typing import Any, Final, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from tianfu.clock import monotonic_seconds

Connection = psycopg.Connection[tuple[Any, ...]]

# A person at a counter waits this long for a connection, no longer; also the pause of a pool between attempts.
CONNECTION_WAIT_SECONDS: Final = 2.0
# More callers than this waiting for one pool means overload: the next is told so at once. 64 callers served by 8
# connections at 20 ms a transaction wait 160 ms.
WAITING_CALLERS_MAX: Final = 64
# Nobody waits longer for a row or table that another transaction holds.
LOCK_WAIT_MS: Final = 2_000
# A transaction that its process forgot gives its locks back after this.
IDLE_IN_TRANSACTION_MS: Final = 30_000
# A server that vanished without a word (cable, power) is noticed after this, on TCP.
_TCP_SILENCE_MS: Final = 10_000
# The pool reports every failed attempt to its logger, with the server's address; callers get an error instead.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())


def limited(url: str) -> str:
    """`url` as a connection string with time limits; instants come back in UTC.

    Raises `psycopg.ProgrammingError` for an address that makes no sense.
    """
    given = conninfo_to_dict(url)
    options = f"{given.get('options') or ''} -c timezone=UTC".strip()
    return make_conninfo(
        url,
        options=options,
        client_encoding="UTF8",
        connect_timeout=int(CONNECTION_WAIT_SECONDS),
        tcp_user_timeout=_TCP_SILENCE_MS,
    )


def opened(conninfo: str, *, name: str, statement_ms: int, connections_max: int) -> ConnectionPool[Connection]:
    """A pool whose connections stop a statement after `statement_ms`, and have no transaction of their own."""

    def limit(connection: Connection) -> None:
        # After connecting, so that options in the address cannot lift the limits.
        connection.execute(
            "select set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            (str(statement_ms), str(LOCK_WAIT_MS), str(IDLE_IN_TRANSACTION_MS)),
        )

    return ConnectionPool(
        conninfo,
        kwargs={"autocommit": True, "application_name": name},
        configure=limit,
        # Nothing is kept open against a dead server: each request starts a fresh attempt.
        min_size=0,
        max_size=connections_max,
        max_waiting=WAITING_CALLERS_MAX,
        timeout=CONNECTION_WAIT_SECONDS,
        reconnect_timeout=CONNECTION_WAIT_SECONDS,
        num_workers=1,
        open=True,
    )


def begin(pool: ConnectionPool[Connection], statement: LiteralString) -> Connection:
    """A connection inside a new transaction.

    After a restart of the server every pooled connection is dead; each is found out here, before anything was done
    on it, and the next one is tried, so that the caller does not notice.
    """
    deadline = monotonic_seconds() + CONNECTION_WAIT_SECONDS
    while True:
        connection = pool.getconn(timeout=max(0.001, deadline - monotonic_seconds()))
        try:
            connection.execute(statement, prepare=False)
        except psycopg.OperationalError:
            pool.putconn(connection)
            if monotonic_seconds() >= deadline:
                raise
        except BaseException:
            pool.putconn(connection)
            raise
        else:
            return connection
