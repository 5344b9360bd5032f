"""The generated part of docs/evidence-schema.md. `python -m tests.support.evidence_document` writes it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.evidence_file import schema

DOCUMENT = PROJECT_ROOT / "docs" / "evidence-schema.md"
BEGIN = "<!-- generated: begin -->\n"
END = "<!-- generated: end -->\n"


def generated_part() -> str:
    """A table for every type of the schema."""
    return "\n".join(_table(name, definition) for name, definition in schema()["$defs"].items())


def with_generated_part(document: str) -> str:
    """`document` with what stands between the marks replaced."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{generated_part()}\n{END}{after}"


def _table(name: str, definition: dict[str, Any]) -> str:
    lines = [f"### {name}", "", " ".join(definition.get("description", "").split()), ""]
    if "enum" in definition:
        lines.append("One of: " + ", ".join(f"`{value}`" for value in definition["enum"]) + ".")
    else:
        required = set(definition.get("required", []))
        lines += ["| Field | Type | Needed |", "|---|---|---|"]
        lines += [
            f"| `{field}` | {_type(said)} | {'yes' if field in required else 'no'} |"
            for field, said in definition["properties"].items()
        ]
    return "\n".join([*lines, ""])


def _type(said: dict[str, Any]) -> str:
    if "anyOf" in said:
        return " or ".join(_type(one) for one in said["anyOf"])
    if "$ref" in said:
        name = said["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in said:
        return " or ".join(f"`{value}`" for value in said["enum"])
    if said["type"] == "array":
        return f"list of {_type(said['items'])}"
    return "instant with offset" if said.get("format") == "date-time" else str(said["type"])


def _write(path: Path) -> None:
    path.write_text(with_generated_part(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    _write(DOCUMENT)
