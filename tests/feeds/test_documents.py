"""docs/feeds.md is the data dictionary that departments read; it says what the contracts say."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tianfu.feeds import table
from tianfu.feeds.contracts import CONTRACTS, Contract, Row
from tianfu.platform.settings import PROJECT_ROOT

DICTIONARY = (PROJECT_ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
CONTRACT_OF_EACH_FEED = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())


def section(contract: Contract) -> str:
    return DICTIONARY.split(f"\n## {contract.feed}: ")[1].split("\n## ")[0]


@CONTRACT_OF_EACH_FEED
def test_the_dictionary_lists_the_columns_of_the_contract(contract: Contract) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (yes|no) \| (.+?) \|$", section(contract), re.MULTILINE)

    assert rows == [
        (column.name, column.zh, "yes" if column.required else "no", column.en) for column in contract.columns
    ]


@CONTRACT_OF_EACH_FEED
def test_the_example_can_be_loaded(contract: Contract) -> None:
    (example,) = re.findall(r"```csv\n(.+?)```", section(contract), re.DOTALL)

    rows = table.read(example.encode(), contract).rows

    assert rows
    for row in rows:
        assert row.cells is not None
        assert isinstance(contract.parse(row.cells, datetime(2022, 3, 2, tzinfo=UTC)), Row)


def test_the_limits_and_the_source_are_those_of_the_code() -> None:
    assert f"{table.ROWS_MAX:,} rows and {table.FILE_BYTES_MAX // 2**20} MiB" in DICTIONARY
    assert f"at most {table.CELL_CHARACTERS_MAX} characters" in DICTIONARY
    for contract in CONTRACTS.values():
        assert f"Sent by `{contract.source}`" in section(contract)
