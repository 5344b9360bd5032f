"""One rule-set file out of the province's and its cities': the texts one after another. Pure but for its own errors.

A city's file holds only `[[overlay]]`, `[[rule]]`, `[[popup]]` and `[[measure]]`, which TOML lets stand anywhere in a
file, so joining the texts is joining the sets. What comes out is checked like any other file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tianfu.errors import Fault, TianfuError
from tianfu.policy import toml_text

# Tables that an overlay's file may hold; everything else is the province's.
OVERLAY_TABLES: Final = ("overlay", "rule", "popup", "measure")


class OverlayFileInvalidError(TianfuError):
    """A file to be added holds something that only the province's own file may; `faults` names every such table."""

    code = "overlay_file_invalid"
    status = 422
    zh = "城市规则文件只能包含 overlay、rule、popup 和 measure。"
    en = "A city's file may hold only [[overlay]], [[rule]], [[popup]] and [[measure]] tables."


def combine(base: bytes, overlays: Sequence[tuple[str, bytes]]) -> bytes:
    """`base` with each of `overlays` (a name to tell it by, and its text) below it, byte for byte.

    The result is to be loaded, which finds what does not fit together. Raises `OverlayFileInvalidError`.
    """
    faults = [fault for name, text in overlays for fault in _faults(name, text)]
    if faults:
        raise OverlayFileInvalidError(faults=tuple(faults))
    parts = [base.rstrip(b"\n")]
    for name, text in overlays:
        printable = "".join(character for character in name if character.isprintable())
        parts.append(f"\n# From {printable}.\n".encode())
        parts.append(text.strip(b"\n"))
    return b"\n".join(parts) + b"\n"


def _faults(name: str, text: bytes) -> list[Fault]:
    parsed = toml_text.parse(text, name)
    if isinstance(parsed, Fault):
        return [parsed]
    return [
        Fault(field=f"{name}: {table}", code="unknown", zh="城市规则文件不得包含此项", en="does not belong into it")
        for table, held in parsed.items()
        if table not in OVERLAY_TABLES or not isinstance(held, list)
    ]
