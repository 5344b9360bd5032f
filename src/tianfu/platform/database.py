"""PostgreSQL: a pool per purpose, and handles that can read or write.

A use opens a transaction (`Database.read`, `Database.write`) and hands the `Read` or `Write` to functions in store
files; a store never opens one itself. Values are always parameters: the text of a statement is a literal. Only a
statement that has parameters treats `%` as special.

A dead server costs a caller at most `tianfu.platform.pooled.CONNECTION_WAIT_SECONDS`, and pools recover by themselves
when it is back.
"""

from __future__ import annotations

import enum
import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg import sql as composed
from psycopg_pool import ConnectionPool, TooManyRequests

from tianfu.errors import TianfuError
from tianfu.platform import binary, pooled
from tianfu.platform.pooled import CONNECTION_WAIT_SECONDS, Connection
from tianfu.platform.settings import DatabaseSettings

# Oldest supported release (its number is 15.0 as the server reports it): `nulls not distinct` and MERGE are there.
SERVER_VERSION_MIN: Final = 150_000
_RETRY_AFTER_SECONDS: Final = 5
_STREAM_ROWS: Final = 2_000
# Sent together: some 200 kB.
_COPY_ROWS: Final = 500

Parameters = Sequence[Any] | Mapping[str, Any]


class Purpose(enum.Enum):
    """What a transaction is for: each has its own pool and its own limit on a statement."""

    RESIDENT = "resident"
    OPERATOR = "operator"
    WORKER = "worker"
    BATCH = "batch"


class DatabaseUnavailableError(TianfuError):
    """The database cannot be reached, or was lost on the way.

    Before the end of a `write` nothing was kept. When the connection is lost while the commit is under way the
    outcome is unknown, so a retry must be harmless, as every use of this project is.
    """

    code = "database_unavailable"
    status = 503
    zh = "系统暂时无法访问数据，请稍后再试。"
    en = "The records cannot be reached at the moment. Please try again shortly."


class DatabaseBusyError(TianfuError):
    """The database works but this took too long or met a conflict; nothing was kept, a retry makes sense."""

    code = "database_busy"
    status = 503
    zh = "系统繁忙，请稍后再试。"
    en = "The system is busy. Please try again shortly."


class DatabaseTooOldError(TianfuError):
    """The server is older than PostgreSQL 15."""

    code = "database_too_old"
    status = 500
    zh = "数据库版本过低，需要 PostgreSQL 15 或更高版本。"
    en = "The database server is too old; PostgreSQL 15 or newer is needed."


class DatabaseUrlInvalidError(TianfuError):
    """The database address cannot be understood. The address is not repeated: it may hold a password."""

    code = "database_url_invalid"
    status = 500
    zh = "数据库地址格式不对，请检查 TIANFU_DATABASE_URL。"
    en = "The database address cannot be understood; check TIANFU_DATABASE_URL."


class Read:
    """A read-only transaction: every statement in it sees the same moment, and the server refuses changes."""

    _names = itertools.count(1)

    def __init__(self, connection: Connection) -> None:
        """Made by `Database` only; valid until its `with` block ends."""
        self._active: Connection | None = connection
        self._streams: list[psycopg.ServerCursor[tuple[Any, ...]]] = []

    @property
    def _connection(self) -> Connection:
        """The connection while the transaction lasts; then it serves somebody else, so using it is a bug."""
        if self._active is None:
            message = "the transaction has ended"
            raise RuntimeError(message)
        return self._active

    def rows(self, sql: LiteralString, parameters: Parameters = (), *, binary: bool = False) -> list[tuple[Any, ...]]:
        """Every row of the answer; `binary` makes thousands of numbers and instants cheaper to read."""
        return self._connection.execute(sql, parameters or None, binary=binary).fetchall()

    def row(self, sql: LiteralString, parameters: Parameters = ()) -> tuple[Any, ...] | None:
        """The first row, or None when there is none."""
        return self._connection.execute(sql, parameters or None).fetchone()

    def value(self, sql: LiteralString, parameters: Parameters = ()) -> Any:  # noqa: ANN401 - a column of any type
        """The first column of the first row; None when there is no row."""
        row = self.row(sql, parameters)
        return None if row is None else row[0]

    def stream(self, sql: LiteralString, parameters: Parameters = ()) -> Iterator[tuple[Any, ...]]:
        """The rows one by one from a server-side cursor, in memory for `_STREAM_ROWS` rows whatever the total.

        Ends with the transaction: a stream that was not used up cannot be read further.
        """
        with self._connection.cursor(f"stream_{next(self._names)}") as cursor:
            self._streams.append(cursor)
            cursor.itersize = _STREAM_ROWS
            cursor.execute(sql, parameters or None)
            yield from cursor

    def _end(self) -> None:
        """Let go of the connection, before the transaction ends.

        A stream that somebody still holds would otherwise be closed whenever it is collected, by a statement in the
        middle of the next transaction on this connection.
        """
        self._active = None
        for cursor in self._streams:
            with suppress(psycopg.Error):
                cursor.close()


class Write(Read):
    """A read-write transaction. Each statement sees what was committed before it began, and this one's own changes."""

    def execute(self, sql: LiteralString, parameters: Parameters = ()) -> int:
        """Run one statement; the number of rows it touched."""
        return self._connection.execute(sql, parameters or None).rowcount

    def execute_many(self, sql: LiteralString, rows: Iterable[Parameters]) -> None:
        """Run one statement for each of `rows`, sent together."""
        with self._connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    def copy(self, sql: LiteralString, rows: Iterable[Sequence[Any]]) -> int:
        """Feed `rows` to a `copy table (columns) from stdin` statement; the number of rows stored."""
        with self._connection.cursor() as cursor:
            with cursor.copy(sql) as sink:
                for row in rows:
                    sink.write_row(row)
            return cursor.rowcount

    def copy_binary(self, sql: LiteralString, rows: Sequence[bytes]) -> int:
        """Feed packed rows (`tianfu.platform.binary`) to a `copy … from stdin (format binary)`; the number stored."""
        with self._connection.cursor() as cursor:
            with cursor.copy(sql) as sink:
                sink.write(binary.ROWS_BEGIN)
                for start in range(0, len(rows), _COPY_ROWS):
                    sink.write(b"".join(rows[start : start + _COPY_ROWS]))
                sink.write(binary.ROWS_END)
            return cursor.rowcount


class Listener:
    """Waits for notifications on one channel, on a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        """Made by `Database.listen` only."""
        self._connection = connection

    def wait(self, timeout_seconds: float) -> bool:
        """Whether anything was notified within the time; several notifications may count as one.

        Raises `DatabaseUnavailableError` when the connection is lost: notifications of the time until a new
        listener are lost too, so the caller looks at its tables once after opening one.
        """
        with _translated():
            arrived = list(self._connection.notifies(timeout=timeout_seconds, stop_after=1))
        return bool(arrived)


class Database:
    """One PostgreSQL database; safe to share between threads. Pools open at their first use."""

    def __init__(self, conninfo: str, settings: DatabaseSettings) -> None:
        """See `open`, which checks the server first."""
        self._conninfo = conninfo
        self._settings = settings
        self._pools: dict[Purpose, ConnectionPool[Connection]] = {}
        self._guard = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, url: str, settings: DatabaseSettings) -> Self:
        """The database at `url`; `settings.url` is not looked at.

        Raises `DatabaseUrlInvalidError`, `DatabaseUnavailableError` or `DatabaseTooOldError`.
        """
        try:
            conninfo = pooled.limited(url)
        except psycopg.ProgrammingError:
            raise DatabaseUrlInvalidError from None
        with _translated(), psycopg.connect(conninfo, autocommit=True) as connection:
            version = connection.info.server_version
        require_version(version)
        return cls(conninfo, settings)

    def close(self) -> None:
        """Close every pool; transactions under way finish, new ones raise `DatabaseUnavailableError`."""
        with self._guard:
            self._closed = True
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close(timeout=CONNECTION_WAIT_SECONDS)

    def __enter__(self) -> Self:
        """Close at the end of a `with` block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close."""
        self.close()

    @contextmanager
    def read(self, purpose: Purpose) -> Iterator[Read]:
        """A read-only transaction over one moment. Raises `DatabaseUnavailableError` or `DatabaseBusyError`."""
        with self._transaction(purpose, "begin isolation level repeatable read read only") as connection:
            handle = Read(connection)
            try:
                yield handle
            finally:
                handle._end()  # noqa: SLF001 - its maker ends it

    @contextmanager
    def write(self, purpose: Purpose) -> Iterator[Write]:
        """A transaction that is kept when the block ends well and undone when it raises.

        Raises `DatabaseUnavailableError` or `DatabaseBusyError`.
        """
        with self._transaction(purpose, "begin isolation level read committed read write") as connection:
            handle = Write(connection)
            try:
                yield handle
            finally:
                handle._end()  # noqa: SLF001 - its maker ends it

    @contextmanager
    def listen(self, channel: str) -> Iterator[Listener]:
        """A listener on `channel`, from now on. Raises `DatabaseUnavailableError`."""
        with _translated():
            connection = psycopg.connect(self._conninfo, autocommit=True, application_name=f"tianfu listen {channel}")
        with connection:
            with _translated():
                connection.execute(composed.SQL("listen {}").format(composed.Identifier(channel)))
            yield Listener(connection)

    @contextmanager
    def _transaction(self, purpose: Purpose, begin: LiteralString) -> Iterator[Connection]:
        pool = self._pool(purpose)
        with _translated():
            connection = pooled.begin(pool, begin)
            try:
                yield connection
                connection.execute("commit", prepare=False)
            except BaseException:
                # A connection that cannot roll back is broken, and the pool replaces it.
                with suppress(psycopg.Error):
                    connection.execute("rollback", prepare=False)
                raise
            finally:
                pool.putconn(connection)

    def _pool(self, purpose: Purpose) -> ConnectionPool[Connection]:
        with self._guard:
            if self._closed:
                raise DatabaseUnavailableError
            if purpose not in self._pools:
                self._pools[purpose] = pooled.opened(
                    self._conninfo,
                    name=f"tianfu {purpose.value}",
                    statement_ms=self._statement_ms(purpose),
                    connections_max=self._settings.pool_connections_max,
                )
            return self._pools[purpose]

    def _statement_ms(self, purpose: Purpose) -> int:
        return {
            Purpose.RESIDENT: self._settings.resident_statement_ms,
            Purpose.OPERATOR: self._settings.operator_statement_ms,
            Purpose.WORKER: self._settings.worker_statement_ms,
            Purpose.BATCH: self._settings.batch_statement_ms,
        }[purpose]


def require_version(server_version: int) -> None:
    """Raise `DatabaseTooOldError` unless `server_version` (150004 for 15.4) is recent enough."""
    if server_version < SERVER_VERSION_MIN:
        raise DatabaseTooOldError


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the driver raises for a lost or overloaded server into this module's errors.

    Violated constraints and faults in a statement pass unchanged: stores catch the ones they expect.
    """
    try:
        yield
    except (
        psycopg.errors.QueryCanceled,
        psycopg.errors.LockNotAvailable,
        psycopg.errors.SerializationFailure,
        psycopg.errors.DeadlockDetected,
        TooManyRequests,
    ) as cause:
        raise DatabaseBusyError(retry_after_seconds=_RETRY_AFTER_SECONDS) from cause
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as cause:
        raise DatabaseUnavailableError(retry_after_seconds=_RETRY_AFTER_SECONDS) from cause
