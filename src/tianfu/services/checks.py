"""What has to hold before anything is started: a free port, room on the disk, a folder of our own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tianfu.errors import TianfuError

# PostgreSQL's log segments (up to 1 GB under load), the journal and the demo county start within this.
DISK_FREE_BYTES_MIN: Final = 500 * 1024 * 1024
# Connections are given numbers from 32768 up on Linux, from 49152 up elsewhere; below 10,000 are the well-known ones.
_PORTS: Final = (10_000, 20_000)


class PortTakenError(TianfuError):
    """Another program listens on the port."""

    code = "port_taken"
    status = 500


class DiskFullError(TianfuError):
    """There is too little room for the data."""

    code = "disk_full"
    status = 500


class FolderUnusableError(TianfuError):
    """The data folder cannot be made or written."""

    code = "folder_unusable"
    status = 500


class AlreadyRunningError(TianfuError):
    """Another Tianfu uses the same data folder."""

    code = "already_running"
    status = 500


def require_port(host: str, port: int) -> None:
    """Raise `PortTakenError` unless `port` can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                zh=f"{host} 的端口 {port} 已被占用或不可用；请关闭占用它的程序，或设 TIANFU_PORT 换一个端口。",
                en=f"Port {port} on {host} is taken or not allowed; stop the program that has it, or choose another "
                "one with TIANFU_PORT.",
            ) from error


def free_port() -> int:
    """A loopback port that nobody has at this moment and that the kernel gives to nobody by itself.

    So a process that is started again on it finds it free: no connection out of this machine, or of our own to the
    process while it is away, has been given its number meanwhile.
    """
    while True:
        port = random.randrange(*_PORTS)  # noqa: S311 - nobody is kept out by not knowing it
        with contextlib.suppress(PortTakenError):
            require_port("127.0.0.1", port)
            return port


def require_folder(folder: Path) -> None:
    """Make the data folder. Raises `FolderUnusableError` or `DiskFullError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise FolderUnusableError(
            zh=f"数据文件夹 {folder} 不可写：{error.strerror}。请检查权限，或设 TIANFU_VAR 换一个位置。",
            en=f"The data folder {folder} cannot be written ({error.strerror}); check its permissions, or choose "
            "another one with TIANFU_VAR.",
        ) from error
    if free < DISK_FREE_BYTES_MIN:
        needed, left = DISK_FREE_BYTES_MIN // 1_000_000, free // 1_000_000
        raise DiskFullError(
            zh=f"{folder} 所在磁盘只剩 {left} MB，至少需要 {needed} MB；请腾出空间后重试。",
            en=f"Only {left} MB are free where {folder} is, and {needed} MB are needed; make room and try again.",
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the data folder for this supervisor; a dead one's hold is free. Raises `AlreadyRunningError`."""
    descriptor = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunningError(
                zh=f"已有一个天府在使用 {folder}；请先停止它，或设 TIANFU_VAR 另用一个文件夹。",
                en=f"Another Tianfu is using {folder}; stop it first, or choose another folder with TIANFU_VAR.",
            ) from error
        yield
    finally:
        os.close(descriptor)
