"""Laboratories' files about synthetic people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from stdnum.cn import ric

_HEADER: Final = "document_type,document_number,sample_id,sampled_at,resulted_at,result,method,laboratory,place"
_FIRST_BIRTHDAY: Final = datetime(1950, 1, 1, tzinfo=UTC)
_SHANGHAI: Final = timedelta(hours=8)
_UNTIL_RESULT: Final = timedelta(minutes=5)


def resident_id(number: int) -> str:
    """A well-formed number of a synthetic person; numbers from 0 to 999,999 tell people apart."""
    day, sequence = divmod(number, 1000)
    digits = f"510104{_FIRST_BIRTHDAY + timedelta(days=day):%Y%m%d}{sequence:03d}"
    return digits + str(ric.calc_check_digit(digits + "0"))


def lab_file(numbers: Sequence[int], sampled_at: datetime, mark: str) -> bytes:
    """A negative result for each of the people `numbers`; `mark` tells samples of one person apart."""
    local = sampled_at + _SHANGHAI
    times = f"{local:%Y-%m-%d %H:%M},{local + _UNTIL_RESULT:%Y-%m-%d %H:%M}"
    rows = (
        f"resident_id,{resident_id(number)},{mark}-{number},{times},negative,nucleic_acid,SYN-LAB-1,510104"
        for number in numbers
    )
    return "\r\n".join([_HEADER, *rows, ""]).encode()


def lab_files(numbers: Sequence[int], sampled_at: datetime, mark: str, *, rows: int) -> list[bytes]:
    """The same in files of `rows` rows."""
    return [lab_file(numbers[at : at + rows], sampled_at, mark) for at in range(0, len(numbers), rows)]
