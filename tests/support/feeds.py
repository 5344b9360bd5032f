"""Files that a department could send, about synthetic people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from stdnum.cn import ric

from tianfu.feeds.contract import Contract
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.pseudonym import Pseudonym


def resident_id(number: int) -> str:
    """A well-formed resident ID of a synthetic person; `number` from 0 to 99,999 tells people apart."""
    born = f"19{50 + number % 50:02d}{1 + number // 1000 % 12:02d}{1 + number % 28:02d}"
    digits = f"510104{born}{number // 50 % 1000:03d}"
    return digits + str(ric.calc_check_digit(digits + "0"))


def pseudonym(folder: Path) -> Pseudonym:
    """A key ring of the test's own."""
    return Pseudonym(RecordKeys.load_or_create(folder / "keys" / "records.json"))


def lab_cells(number: int, **changes: str) -> dict[str, str]:
    """A negative result of person `number`."""
    return {
        "document_type": "resident_id",
        "document_number": resident_id(number),
        "sample_id": f"S-{number}",
        "sampled_at": "2022-03-01 08:00",
        "resulted_at": "2022-03-01 11:30",
        "result": "negative",
        "method": "nucleic_acid",
        "laboratory": "SYN-LAB-1",
    } | changes


def csv_file(contract: Contract, rows: Iterable[Mapping[str, str]], *, encoding: str = "utf-8") -> bytes:
    """A file of `rows` with every column of the contract; what a row leaves out is empty."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [column.name for column in contract.columns], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)
