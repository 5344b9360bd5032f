"""The vectors that the reader in the browser is held against are what our own formats write today."""

from __future__ import annotations

from tests.support import offline_vectors


def test_the_vectors_of_the_browsers_reader_are_made_again_byte_for_byte() -> None:
    assert offline_vectors.PATH.read_text(encoding="utf-8") == offline_vectors.vectors_text()
