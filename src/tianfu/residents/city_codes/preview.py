"""A look at a file before it is loaded: its first rows as they would be taken over, masked, and what is wrong."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from tianfu.residents import mask
from tianfu.residents.city_codes import mapping
from tianfu.residents.city_codes.read import BOM, Holder, Reader

# Enough to see a wrong column or word table; read in a blink however large the file is.
SAMPLE_BYTES: Final = 1024 * 1024
SHOWN_ROWS: Final = 5


class Shown(msgspec.Struct, frozen=True):
    """One row that would be accepted, masked."""

    row: int
    document_type: str
    document: str
    name: str
    phone: str
    district: str
    registered: int


class Preview(msgspec.Struct, frozen=True):
    """The first rows, how many of the sample would be accepted, and why others would not: field, reason, rows."""

    city: str
    shown: tuple[Shown, ...]
    accepted: int
    refused: tuple[tuple[str, str, int], ...]


def preview(path: Path, mapping_path: Path, *, at: datetime) -> Preview:
    """Read the beginning of the file. Raises `MappingInvalidError` or `CityFileInvalidError`. Writes nothing."""
    known = mapping.load(mapping_path).mapping
    with path.open("rb") as file:
        header = file.readline()
        if known.columns:
            file.seek(0)
        sample = file.read(SAMPLE_BYTES)
    # The last line may be cut.
    whole = sample[: sample.rfind(b"\n") + 1] if len(sample) == SAMPLE_BYTES else sample
    rows = list(Reader(known, header, at=at).lines(whole.removeprefix(BOM), 1 if known.columns else 2))
    accepted = [row for row in rows if isinstance(row, Holder)]
    reasons = Counter((row.field, row.reason) for row in rows if not isinstance(row, Holder))
    return Preview(
        known.city,
        tuple(_shown(row) for row in islice(accepted, SHOWN_ROWS)),
        len(accepted),
        tuple((field, reason, count) for (field, reason), count in reasons.most_common()),
    )


def _shown(row: Holder) -> Shown:
    return Shown(
        row.row,
        row.document_type,
        mask.mask_document(row.document_number),
        mask.mask_name(row.name),
        mask.mask_phone(row.phone),
        row.district,
        row.registered,
    )
