"""What is no text of a rule file is refused in plain words, whatever a program made of it."""

from __future__ import annotations

import pytest

from tianfu.errors import Fault
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy import toml_text
from tianfu.policy.combine import OverlayFileInvalidError, combine
from tianfu.policy.load import PolicyInvalidError, load

CORE = (PROJECT_ROOT / "policies" / "sichuan-core.toml").read_text("utf-8")
TOO_LONG = "9" * 5000


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (f"[set]\nnumber = {TOO_LONG}\n".encode(), "too long"),
        (b"[set]\neffective_from = 2022-02-30T00:00:00+08:00\n", "TOML"),
        (b"a = " + b"[" * 5000, "too deeply"),
        (b"\0" * 100, "TOML"),
        (b"a,b\n1,2\n", "TOML"),
        (b"\xef\xbb\xbf" + CORE.encode(), "byte order mark"),
        (CORE.encode("gb18030"), "not UTF-8"),
        (CORE.encode("utf-16"), "not UTF-8"),
    ],
    ids=["digits", "day", "deep", "zeros", "csv", "mark", "gb18030", "utf-16"],
)
def test_what_is_no_rule_file_is_one_fault(body: bytes, says: str) -> None:
    with pytest.raises(PolicyInvalidError) as raised:
        load(body)

    (fault,) = raised.value.faults
    assert (fault.field, fault.code) == ("file", "syntax")
    assert says in fault.en


def test_a_city_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(OverlayFileInvalidError) as raised:
        combine(CORE.encode(), [("city.toml", f"number = {TOO_LONG}".encode())])

    assert [fault.field for fault in raised.value.faults] == ["city.toml"]


@pytest.mark.parametrize("escape", ["\\u0000", "\\u001b", "\\u202e", "\\u200b", "\\u2028"])
def test_a_text_with_characters_that_nobody_sees_is_refused(escape: str) -> None:
    with pytest.raises(PolicyInvalidError) as raised:
        load(CORE.replace('"绿码"', f'"绿{escape}码"').encode())

    assert [(fault.field, fault.code) for fault in raised.value.faults] == [("colour.green.title.zh", "characters")]


def test_line_breaks_and_chinese_blanks_may_stand_in_a_text() -> None:
    parsed = toml_text.parse('[[a]]\nb = ["一\\n二\u3000三"]\n'.encode(), "file")

    assert not isinstance(parsed, Fault)
    assert list(toml_text.unseen(parsed)) == []
