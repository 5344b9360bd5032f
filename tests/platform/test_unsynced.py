"""The mark of files that are written without being synced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tianfu.platform import unsynced


def test_a_mark_of_another_run_of_the_machine_says_that_all_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not unsynced.is_lost(tmp_path)
    unsynced.mark(tmp_path)
    assert not unsynced.is_lost(tmp_path)

    monkeypatch.setattr(unsynced, "run_of_machine", lambda: "the next one")
    assert unsynced.is_lost(tmp_path)

    unsynced.unmark(tmp_path)
    assert not unsynced.is_lost(tmp_path)


@pytest.mark.parametrize("marked_before", [False, True])
def test_whoever_looks_while_files_are_being_marked_sees_no_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, marked_before: bool
) -> None:
    if marked_before:
        unsynced.mark(tmp_path)
    seen: list[bool] = []
    write = os.write

    def looked(descriptor: int, data: bytes) -> int:
        seen.append(unsynced.is_lost(tmp_path))
        return write(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", looked)
        unsynced.mark(tmp_path)

    assert seen == [False]
    assert not unsynced.is_lost(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["unsynced"]
