"""The text of a rule file as tables, with a fault in plain words for whatever is no such text. Pure.

Numbers of more than 4,300 digits, which Python does not read, are faults too, and so are characters in texts that
nobody can see: people would read something other than what was approved.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator

from tianfu.errors import Fault

_BYTE_ORDER_MARK = "\ufeff"


def parse(body: bytes, field: str) -> dict[str, object] | Fault:
    """The tables in `body`, or what keeps it from being read, as a fault of `field`."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return Fault(
            field=field,
            code="syntax",
            zh=f"不是 UTF-8 文本（第 {error.start + 1} 字节起），请另存为 UTF-8",
            en=f"is not UTF-8 text (from byte {error.start + 1} on); save it as UTF-8",
        )
    if text.startswith(_BYTE_ORDER_MARK):
        return Fault(
            field=field,
            code="syntax",
            zh="以字节顺序标记（BOM）开头，请另存为不带 BOM 的 UTF-8",
            en="begins with a byte order mark; save it as UTF-8 without one",
        )
    try:
        return tomllib.loads(text)
    except RecursionError:
        return Fault(field=field, code="syntax", zh="嵌套过深", en="is nested too deeply")
    except tomllib.TOMLDecodeError as error:
        return Fault(field=field, code="syntax", zh=f"不是有效的 TOML（{error}）", en=f"is not valid TOML: {error}")
    except ValueError:
        # What the parser lets through of Python's own refusals: a number with too many digits, an impossible day.
        return Fault(
            field=field,
            code="syntax",
            zh="含有过长的数字或不存在的日期",
            en="holds a number that is too long or a day that does not exist",
        )


def unseen(value: object, path: str = "") -> Iterator[Fault]:
    """A fault for each text that holds a character nobody can see: control codes and marks that turn the order.

    A line break may stand in a text. `value` is what `parse` gave.
    """
    if isinstance(value, dict):
        for name, held in value.items():
            yield from unseen(held, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, held in enumerate(value):
            yield from unseen(held, f"{path}[{place}]")
    elif isinstance(value, str):
        found = next((character for character in value if _hidden(character)), None)
        if found is not None:
            yield Fault(
                field=path,
                code="characters",
                zh=f"含有不可见字符 U+{ord(found):04X}",
                en=f"holds a character that cannot be seen, U+{ord(found):04X}",
            )


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} and character not in "\r\n"
