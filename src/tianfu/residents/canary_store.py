"""SQL of canary documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tianfu.platform import binary
from tianfu.platform.database import Read, Write


def insert(write: Write, document_index: bytes, index_key: str, at: datetime) -> bool:
    """Keep an index; False when it was kept already."""
    return bool(
        write.execute(
            "insert into canary_document (document_index, index_key, created_at) values (%s, %s, %s)"
            " on conflict (document_index) do nothing",
            (document_index, index_key, at),
        )
    )


def delete(write: Write, document_indexes: Sequence[bytes]) -> int:
    """Forget indexes; how many there were."""
    return write.execute(
        "delete from canary_document where document_index = any(%s::bytea[])", (binary.byteas(document_indexes),)
    )


def count(read: Read) -> int:
    """How many there are."""
    return int(read.value("select count(*) from canary_document"))


def any_of(read: Read, document_indexes: Sequence[bytes]) -> bool:
    """Whether one of these is kept."""
    return bool(
        read.value(
            "select exists (select from canary_document where document_index = any(%s::bytea[]))",
            (binary.byteas(document_indexes),),
        )
    )
