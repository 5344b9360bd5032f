from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from tianfu.services import checks


def test_a_taken_port_is_told_by_number() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(checks.PortTakenError) as refused:
            checks.require_port("127.0.0.1", port)
    assert str(port) in refused.value.en
    assert str(port) in refused.value.zh


def test_a_port_for_a_child_is_free_and_none_that_the_kernel_gives_to_connections() -> None:
    port = checks.free_port()
    checks.require_port("127.0.0.1", port)
    assert 1_024 <= port < 32_768


def test_a_data_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    checks.require_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")
    with pytest.raises(checks.FolderUnusableError):
        checks.require_folder(tmp_path / "var")


def test_a_full_disk_is_told_in_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 7_000_000))
    with pytest.raises(checks.DiskFullError) as refused:
        checks.require_folder(tmp_path)
    assert "7 MB" in refused.value.en


def test_two_supervisors_never_share_a_data_folder(tmp_path: Path) -> None:
    with checks.alone(tmp_path), pytest.raises(checks.AlreadyRunningError), checks.alone(tmp_path):
        pass
    with checks.alone(tmp_path):
        pass
