"""The data dictionary, written from the contracts: for people (docs/feeds.md) and for machines (OpenAPI). Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tianfu.evidence.sources import SOURCES
from tianfu.feeds.cells import KEY_CHARACTERS_MAX
from tianfu.feeds.contract import Column, Contract, Shape
from tianfu.residents.documents import NUMBER_TYPED_LENGTH_MAX

OPENAPI_VERSION: Final = "3.1.0"
LINE: Final = 118
PATH: Final = "/feeds/v1/{feed}"
# The data groups of GB/T 38962 are public by name only; which of them a kind of evidence belongs to.
GROUPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("identity_check", "membership"), "个人基本信息"),
    **dict.fromkeys(("arrival", "border_entry", "journey", "stay", "zone_stay"), "行程信息"),
    **dict.fromkeys(("test", "sampling", "vaccination", "colour_elsewhere"), "健康证明信息"),
}
_OTHER_GROUP: Final = "个人健康信息"

_PATTERNS: Final[Mapping[Shape, str]] = {
    Shape.PLACE: "^([0-9]{6})?$",
    Shape.DIVISION: "^([0-9]{6}([0-9]{3})?)?$",
}
_MAX_LENGTHS: Final[Mapping[Shape, int]] = {
    Shape.KEY: KEY_CHARACTERS_MAX,
    Shape.DOCUMENT: NUMBER_TYPED_LENGTH_MAX,
}


def spellings(column: Column) -> dict[str, list[str]]:
    """The values of a choice, each with its other spellings, in order."""
    found: dict[str, list[str]] = {}
    for word, meant in column.words.items():
        others = found.setdefault(str(meant.value), [])
        if word != meant.value:
            others.append(word)
    return found


def json_of(contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    """The whole dictionary as plain values."""
    return [
        {
            "feed": contract.feed,
            "zh": contract.zh,
            "en": contract.en,
            "source": contract.source,
            "kind": contract.kind,
            "group": group_of(contract),
            "interface": contract.interface,
            "record": contract.record,
            "every_hours": contract.every_hours,
            "second_person_over": contract.second_person_over,
            "columns": [
                {
                    "name": column.name,
                    "zh": column.zh,
                    "en": column.en,
                    "required": column.required,
                    "shape": column.shape.value,
                    "words": spellings(column),
                }
                for column in contract.columns
            ],
        }
        for contract in contracts
    ]


def group_of(contract: Contract) -> str:
    """The data group of GB/T 38962 that the feed belongs to."""
    return GROUPS.get(contract.kind, _OTHER_GROUP)


def openapi(contracts: Iterable[Contract]) -> dict[str, Any]:
    """An OpenAPI description of pushing each feed: `POST /feeds/v1/{feed}` with one row a line."""
    listed = tuple(contracts)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Tianfu feeds",
            "version": "1",
            "description": "What departments push.",
        },
        "paths": {PATH.format(feed=contract.feed): {"post": _operation(contract)} for contract in listed},
        "components": {"schemas": {f"{contract.feed}_row": _schema(contract) for contract in listed}},
    }


def _operation(contract: Contract) -> dict[str, Any]:
    row = {"$ref": f"#/components/schemas/{contract.feed}_row"}
    return {
        "operationId": f"push_{contract.feed}",
        "summary": f"{contract.zh} ({contract.en})",
        "description": f"Sent by {SOURCES[contract.source].en}. The record is {contract.record}.",
        "requestBody": {
            "required": True,
            "content": {
                # A line is a row: the schema is that of one line.
                "application/x-ndjson": {"schema": row},
                "text/csv": {"schema": {"type": "string"}},
                "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": {
            "200": {"description": "Counts of rows, accepted, duplicates and set aside."},
            "4XX": {
                "description": "Refused; nothing was kept.",
                "content": {"application/problem+json": {"schema": {"type": "object"}}},
            },
        },
    }


def _schema(contract: Contract) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"{contract.zh} ({contract.en})",
        "properties": {column.name: _property(column) for column in contract.columns},
        "required": [column.name for column in contract.columns if column.required],
        "additionalProperties": False,
    }


def _property(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "string", "title": column.zh, "description": column.en}
    if column.shape is Shape.CHOICE:
        described["enum"] = [*column.words, *(() if column.required else ("",))]
    elif column.shape is Shape.INTEGER:
        described["type"] = ["integer", "string"]
    elif column.shape is Shape.YES_NO:
        described["type"] = ["boolean", "string"]
    if (pattern := _PATTERNS.get(column.shape)) is not None:
        described["pattern"] = pattern
    if (most := _MAX_LENGTHS.get(column.shape)) is not None:
        described["maxLength"] = most
    return described


def markdown(contract: Contract, example: Sequence[Mapping[str, str]]) -> str:
    """One section of the page: what the feed is, its columns, and an example of a file."""
    names = [column.name for column in contract.columns]
    about = (
        f"{contract.zh}. Sent by `{contract.source}` ({SOURCES[contract.source].en}).",
        f"Each row states a `{contract.kind}`. The record is {contract.record}.",
        f"Data group of GB/T 38962: {group_of(contract)}.",
        *((f"Interface of GB/T 38963: {contract.interface}.",) if contract.interface else ()),
        _expected(contract),
        _approved(contract),
    )
    lines = [
        f"## {contract.feed}: {contract.en}",
        "",
        *textwrap.wrap(" ".join(about), LINE),
        "",
        "| Column | 名称 | Required | Holds | Meaning |",
        "|---|---|---|---|---|",
        *(
            f"| `{column.name}` | {column.zh} | {'yes' if column.required else 'no'} | {column.shape.value}"
            f" | {column.en}{_words(column)} |"
            for column in contract.columns
        ),
        "",
        "```csv",
        ",".join(names),
        *(",".join(_quoted(row.get(name, "")) for name in names) for row in example),
        "```",
        "",
    ]
    return "\n".join(lines)


def _words(column: Column) -> str:
    if not column.words:
        return ""
    listed = (f"{value} ({'、'.join(others)})" if others else value for value, others in spellings(column).items())
    return ": " + ", ".join(listed)


def _expected(contract: Contract) -> str:
    if contract.every_hours is None:
        return "Comes when there is something to send."
    hours = "hour" if contract.every_hours == 1 else f"{contract.every_hours} hours"
    return f"Expected every {hours}."


def _approved(contract: Contract) -> str:
    if contract.second_person_over is None:
        return "Needs no second person."
    if contract.second_person_over == 0:
        return "Every file needs a second person."
    return f"A file of more than {contract.second_person_over} rows needs a second person."


def _quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell
