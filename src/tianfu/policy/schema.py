"""The shape of a rule-set file as a JSON Schema, for editors and for those who write rules with programs. Pure.

It says what `tianfu.policy.strict` reads; what needs the whole file is said by `tianfu.policy.check`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tianfu.evidence.kinds import KINDS
from tianfu.policy.rules import POPUP_CLASSES, REASON_CLASSES, RuleSet

SCHEMA_ID: Final = "urn:tianfu:schema:policy:1"
_REFERENCES: Final = "#/$defs/{name}"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the file. Fields not named in it are refused.

    TOML's instants are strings with an offset here.
    """
    (whole,), components = msgspec.json.schema_components([RuleSet], ref_template=_REFERENCES)
    for component in components.values():
        if component.get("type") == "object" and "properties" in component:
            component["additionalProperties"] = False
    for name, field, words in (
        ("Rule", "evidence", tuple(KINDS)),
        ("Rule", "reason_class", REASON_CLASSES),
        ("LaterStatement", "evidence", tuple(KINDS)),
        ("Popup", "popup_class", POPUP_CLASSES),
    ):
        components[name]["properties"][field]["enum"] = list(words)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "A rule set",
        **whole,
        "$defs": components,
    }
