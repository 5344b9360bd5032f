from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tianfu.evidence.kinds import KINDS
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.schema import schema

SCHEMA = schema()
FILES = [
    *sorted((PROJECT_ROOT / "policies").glob("*.toml")),
    Path(__file__).parent / "kitchen_sink.toml",
]


def refused(value: object, wanted: dict[str, Any], path: str) -> list[str]:
    """The fields of `value` that the schema does not name, and the fields it misses."""
    definitions = SCHEMA["$defs"]
    if "$ref" in wanted:
        return refused(value, definitions[wanted["$ref"].rpartition("/")[2]], path)
    if "anyOf" in wanted:
        return min((refused(value, one, path) for one in wanted["anyOf"] if fits(value, one)), key=len, default=[path])
    if isinstance(value, list):
        return [fault for item in value for fault in refused(item, wanted["items"], path)]
    if isinstance(value, dict) and "properties" in wanted:
        faults = [f"{path}.{name}" for name in wanted.get("required", []) if name not in value]
        faults += [f"{path}.{name}" for name in value if name not in wanted["properties"]]
        known = [name for name in value if name in wanted["properties"]]
        return faults + [
            fault for name in known for fault in refused(value[name], wanted["properties"][name], f"{path}.{name}")
        ]
    return [path] if "enum" in wanted and value not in wanted["enum"] else []


def fits(value: object, wanted: dict[str, Any]) -> bool:
    if "$ref" in wanted:
        return fits(value, SCHEMA["$defs"][wanted["$ref"].rpartition("/")[2]])
    if isinstance(value, dict):
        return wanted.get("type") == "object"
    if isinstance(value, list):
        return wanted.get("type") == "array"
    return wanted.get("type") not in {"object", "array", "null"}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_file_has_the_shape_that_the_schema_tells(path: Path) -> None:
    assert refused(tomllib.loads(path.read_text("utf-8")), SCHEMA, "set") == []


def test_the_schema_is_plain_json_and_names_every_kind_and_refuses_other_fields() -> None:
    said = json.loads(json.dumps(SCHEMA))

    assert said["$defs"]["Rule"]["properties"]["evidence"]["enum"] == list(KINDS)
    assert said["$defs"]["Phase"]["additionalProperties"] is False
    assert "from" in said["$defs"]["Phase"]["required"]
