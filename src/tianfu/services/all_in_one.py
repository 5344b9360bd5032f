"""Everything on one machine: checks, database, keys, rules and demo county, then eight processes kept alive.

    supervisor ── PostgreSQL     embedded, unless TIANFU_DATABASE_URL names another
               ├─ worker         decides, publishes the board
               ├─ shipper        moves the gate's journal into the lake
               ├─ roller         makes days of it, erases old ones
               ├─ tracer         from a positive to the list of contacts
               ├─ control        residents' and operators' API, loopback only
               ├─ feeds          departments' files over HTTP, loopback only
               └─ origin         the gate, the web app, and the way to control and feeds: the one public port

What dies is started again. SIGINT or SIGTERM stops all of it. A supervisor that is killed takes its children with it
(see `services.child`); PostgreSQL survives that and is taken up by the next start.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import httpx

from tianfu.clock import SystemClock, monotonic_seconds
from tianfu.errors import TianfuError
from tianfu.platform.observe import Log
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.settings import Settings
from tianfu.services import checks, prepare
from tianfu.services.supervise import QUICK_DEATHS_TOLD, Child, stop_all

TEND_SECONDS: Final = 0.1
POSTGRES_CHECK_SECONDS: Final = 1.0
# A first start loads the demo county into the board; later ones answer within two seconds.
HEALTHY_SECONDS_MAX: Final = 60.0
HEALTH_POLL_SECONDS: Final = 0.1
HTTP_OK: Final = 200
# One of each process behind the origin.
HEALTHY_PATHS: Final = ("/gate/v1/health", "/api/v1/info", "/feeds/v1/openapi.json")

Say = Callable[[str], None]


class NotHealthyError(TianfuError):
    """The processes run and yet do not answer."""

    code = "not_healthy"
    status = 500
    zh = "系统未能在一分钟内就绪，原因见数据文件夹中 log 下的日志。"
    en = "The system did not become ready within a minute; the logs under log in the data folder say why."


class AllInOne:
    """The supervisor. `run` returns after a signal; every failure to start is a `TianfuError`."""

    def __init__(self, settings: Settings, *, say: Say, log: Log) -> None:
        """`say` gets a line for the person at each step; `log` the machine's lines."""
        self._settings = settings
        self._say = say
        self._log = log
        self._stopping = threading.Event()
        self._postgres = None if settings.database.url else EmbeddedPostgres(settings.var / "postgres")

    def run(self, *, ready: Callable[[], None]) -> None:
        """Start, call `ready` once everything answers, keep everything alive, stop on a signal."""
        server = self._settings.server
        checks.require_port(server.host, server.port)
        checks.require_folder(self._settings.var)
        with checks.alone(self._settings.var), self._signals():
            children: list[Child] = []
            try:
                url = self._start_database()
                children = self._start(url)
                self._wait_healthy(children)
                if not self._stopping.is_set():
                    ready()
                self._tend(children)
            finally:
                self._say("stopping …")
                stop_all(list(reversed(children)))
                if self._postgres is not None:
                    self._postgres.stop()

    def _start_database(self) -> str:
        if self._postgres is None:
            url = self._settings.database.url or ""
        else:
            with self._step("starting PostgreSQL"):
                url = self._postgres.start()
        prepare.prepare(self._settings, url, at=SystemClock().now(), step=self._step)
        return url

    def _start(self, url: str) -> list[Child]:
        control_port, feeds_port = checks.free_port(), checks.free_port()
        environment = {**os.environ, "TIANFU_DATABASE_URL": url, "TIANFU_VAR": str(self._settings.var)}
        logs = self._settings.var / "log"
        children = [
            Child(name, arguments, environment=environment, log_folder=logs)
            for name, arguments in (
                ("worker", ["tianfu.services.worker"]),
                ("shipper", ["tianfu.services.shipper"]),
                ("roller", ["tianfu.services.roller"]),
                ("tracer", ["tianfu.services.tracer"]),
                ("control", ["tianfu.services.control", "--port", str(control_port)]),
                ("feeds", ["tianfu.services.feeds", "--port", str(feeds_port)]),
                (
                    "origin",
                    ["tianfu.services.origin", "--control-port", str(control_port), "--feeds-port", str(feeds_port)],
                ),
            )
        ]
        for child in children:
            child.start()
        return children

    def _wait_healthy(self, children: list[Child]) -> None:
        """Return when gate, control API and feeds' door answer through the one origin. Raises `NotHealthyError`."""
        server = self._settings.server
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(server.host, server.host)  # noqa: S104 - asked, not bound
        deadline = monotonic_seconds() + HEALTHY_SECONDS_MAX
        with (
            self._step("starting worker, control, feeds and origin"),
            httpx.Client(base_url=f"http://{host}:{server.port}", timeout=2.0, trust_env=False) as client,
        ):
            while not self._stopping.is_set():
                if all(_answers(client, path) for path in HEALTHY_PATHS):
                    return
                for child in children:
                    child.tend(self._log)
                for child in children:
                    if child.quick_deaths >= QUICK_DEATHS_TOLD:
                        raise NotHealthyError(
                            zh=f"{child.name} 进程反复退出，系统未能启动，原因见 {child.log_path}。",
                            en=f"The {child.name} process keeps ending, so nothing was started; see {child.log_path}.",
                        )
                if monotonic_seconds() > deadline:
                    raise NotHealthyError
                self._stopping.wait(HEALTH_POLL_SECONDS)

    def _tend(self, children: list[Child]) -> None:
        told: set[str] = set()
        check_postgres_at = monotonic_seconds()
        while not self._stopping.wait(TEND_SECONDS):
            for child in children:
                child.tend(self._log)
                if child.quick_deaths >= QUICK_DEATHS_TOLD and child.name not in told:
                    told.add(child.name)
                    self._say(f"{child.name} keeps ending right after its start; see {child.log_path}")
                elif child.quick_deaths == 0:
                    told.discard(child.name)
            if self._postgres is not None and monotonic_seconds() >= check_postgres_at:
                self._tend_postgres(self._postgres)
                check_postgres_at = monotonic_seconds() + POSTGRES_CHECK_SECONDS

    def _tend_postgres(self, postgres: EmbeddedPostgres) -> None:
        """Start the embedded server again when it has gone; the gate goes on meanwhile, the rest waits."""
        if postgres.is_running():
            return
        self._log.warning("process ended", process="postgres")
        try:
            postgres.start()
        except TianfuError as error:
            self._log.error("the database does not start", error=error.code)
        else:
            self._log.info("process restarted", process="postgres")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn the signals that ask for an end into the flag that the loops watch."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self._stopping.set()

        asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [(number, signal.signal(number, stop)) for number in asked]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        """Say what begins, and how long it took when that was worth telling."""
        self._say(f"{what} …")
        started = monotonic_seconds()
        yield
        took = monotonic_seconds() - started
        if took >= 1:
            self._say(f"{what}: done in {took:.1f} s")


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == HTTP_OK
    except httpx.HTTPError:
        return False
