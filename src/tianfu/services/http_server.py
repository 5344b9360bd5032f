"""How a process serves HTTP: uvicorn with uvloop and httptools, no access log, bounded connections, a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import Callable, Generator
from typing import Any, Final

import uvicorn

from tianfu.services.http_protocol import CONNECTIONS_MAX, SWEEP_SECONDS, BoundedHttpProtocol

# Files, the journal and the log need descriptors of their own.
_OTHER_DESCRIPTORS: Final = 1_000
# Longer than mobile networks keep a silent connection; the phone's next request reuses it.
_KEEP_ALIVE_SECONDS: Final = 75
_STOP_SECONDS_MAX: Final = 3


class _Server(uvicorn.Server):
    """A server that ends when told to, and leaves it to its caller how the process ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do nothing: uvicorn would raise the signal again after serving, before the caller could close its files."""
        yield


async def serve(
    app: Any,  # noqa: ANN401 - any ASGI application
    *,
    host: str,
    port: int,
    stopping: Callable[[], None],
    protocol: Callable[..., asyncio.Protocol] = BoundedHttpProtocol,
    shares_port: bool = False,
) -> None:
    """Serve `app` until SIGTERM or SIGINT; then `stopping` is called and open requests have three seconds to end.

    `protocol` makes a connection's protocol from uvicorn's arguments. With `shares_port` other processes of the same
    user may serve the same port, and the kernel gives each new connection to one of them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + _OTHER_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted if hard < 0 else min(wanted, hard)), hard))
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            interface="asgi3",
            loop="uvloop",
            http=protocol,  # type: ignore[arg-type]  # uvicorn calls it, class or not
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            # The protocol refuses connections over its own limit with a proper problem; this is the last resort.
            limit_concurrency=CONNECTIONS_MAX + _OTHER_DESCRIPTORS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS_MAX,
        )
    )
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        stopping()
        server.handle_exit(number, None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    sweeping = loop.create_task(_sweep(server))
    try:
        await server.serve(sockets=[_shared_socket(host, port)] if shares_port else None)
    finally:
        sweeping.cancel()


def _shared_socket(host: str, port: int) -> socket.socket:
    shared = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    shared.bind((host, port))
    return shared


async def _sweep(server: uvicorn.Server) -> None:
    """Look through the connections for those to end, until cancelled."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        for connection in list(server.server_state.connections):
            if isinstance(connection, BoundedHttpProtocol):
                connection.sweep()
