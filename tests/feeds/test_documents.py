"""docs/feeds.md is the data dictionary that departments read; it says what the contracts say."""

from __future__ import annotations

import ast
import re
import runpy
from datetime import UTC, datetime

import msgspec
import pytest

from tianfu.feeds import cells, dictionary, instants, table
from tianfu.feeds.contract import Contract, Row, Shape
from tianfu.feeds.contracts import CONTRACTS
from tianfu.platform.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
OF_EACH_FEED = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())


def section(contract: Contract) -> str:
    return PAGE.split(f"\n## {contract.feed}: ")[1].split("\n## ")[0]


def test_the_page_is_the_one_that_the_script_writes() -> None:
    script = runpy.run_path(str(PROJECT_ROOT / "scripts" / "feeds.py"))

    assert PAGE.partition(script["MARK"])[2] == script["sections"]()


@OF_EACH_FEED
def test_the_example_can_be_loaded(contract: Contract) -> None:
    (example,) = re.findall(r"```csv\n(.+?)```", section(contract), re.DOTALL)

    rows = table.read(example.encode(), contract).rows

    assert rows
    for row in rows:
        assert row.cells is not None
        assert isinstance(contract.parse(row.cells, datetime(2022, 3, 2, tzinfo=UTC)), Row)


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{table.ROWS_MAX:,} rows and {table.FILE_BYTES_MAX // 2**20} MiB" in PAGE
    assert f"at most {table.CELL_CHARACTERS_MAX} characters" in PAGE


def test_every_reason_that_a_reader_can_give_is_explained() -> None:
    reasons = {reason.code for reason in vars(instants).values() if isinstance(reason, instants.Unread)}
    for path in (PROJECT_ROOT / "src" / "tianfu" / "feeds").glob("c*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".fault"):
                code = node.args[1]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    reasons.add(code.value)

    assert "instant" in reasons
    assert {reason for reason in reasons if f"`{reason}`" not in PAGE} == set()


def test_a_cell_that_is_no_choice_has_no_words() -> None:
    for contract in CONTRACTS.values():
        for column in contract.columns:
            assert (column.shape is Shape.CHOICE) == bool(column.words)


def test_every_value_of_a_choice_has_a_chinese_word() -> None:
    for contract in CONTRACTS.values():
        for column in contract.columns:
            for others in dictionary.spellings(column).values():
                assert any(not other.isascii() for other in others)


def test_the_dictionary_is_plain_json() -> None:
    read = msgspec.json.decode(msgspec.json.encode(dictionary.json_of(CONTRACTS.values())))

    assert [feed["feed"] for feed in read] == list(CONTRACTS)
    (lab,) = [feed for feed in read if feed["feed"] == "lab"]
    (result,) = [column for column in lab["columns"] if column["name"] == "result"]
    assert result["words"] == {"positive": ["阳性"], "negative": ["阴性"], "indeterminate": ["不确定"]}


def test_the_description_for_machines_has_a_path_and_a_row_for_each_feed() -> None:
    described = dictionary.openapi(CONTRACTS.values())

    assert msgspec.json.encode(described)
    assert set(described["paths"]) == {f"/feeds/v1/{feed}" for feed in CONTRACTS}
    for feed, contract in CONTRACTS.items():
        operation = described["paths"][f"/feeds/v1/{feed}"]["post"]
        reference = operation["requestBody"]["content"]["application/x-ndjson"]["schema"]["$ref"]
        schema = described["components"]["schemas"][reference.rsplit("/", 1)[1]]
        assert list(schema["properties"]) == [column.name for column in contract.columns]
        assert schema["required"] == [column.name for column in contract.columns if column.required]
    sample = described["components"]["schemas"]["lab_row"]["properties"]["sample_id"]
    assert sample["maxLength"] == cells.KEY_CHARACTERS_MAX
