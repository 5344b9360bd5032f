"""Places: the divisions of GB/T 2260 that exist today, as python-stdnum carries them.

A place is a six-digit code; a scope is a prefix of one (`""` the province and beyond, `"5101"` a prefecture,
`"510104"` a county), so "in whose place is this" is a prefix test and needs no table.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from typing import Final

import msgspec

SICHUAN_PREFIX: Final = "51"

# Lines of stdnum's cn/loc.dat: `51 province="四川省"`, then ` 0104 county="[1990-]锦江区"`. Several names of one
# code are separated by commas, each with the years it was in use; a name with an end year is no longer used.
_PROVINCE_LINE: Final = re.compile(r'([0-9]{2}) province="([^"]+)"')
_COUNTY_LINE: Final = re.compile(r'\s+([0-9]{4}) county="([^"]+)"')
_DATED_NAME: Final = re.compile(r"(?:\[[0-9]*-(?P<end>[0-9]*)\])?(?P<name>.+)")

# Codes that stand for a group of divisions and are no place that anybody lives in.
_GROUP_NAMES: Final = frozenset({"市辖区", "市区", "县"})


class Division(msgspec.Struct, frozen=True):
    """A place that exists today: its six-digit code and its Chinese name."""

    code: str
    name: str


@functools.cache
def divisions() -> dict[str, str]:
    """Name by code of every division in use, groups such as 市辖区 left out."""
    found: dict[str, str] = {}
    province = ""
    text = importlib.resources.files("stdnum.cn").joinpath("loc.dat").read_text(encoding="utf-8")
    for line in text.splitlines():
        if head := _PROVINCE_LINE.match(line):
            province = head.group(1)
        elif (county := _COUNTY_LINE.match(line)) and (name := _present_name(county.group(2))):
            found[province + county.group(1)] = name
    return found


def _present_name(dated: str) -> str | None:
    """The name without an end year, None when every name has one or the code stands for a group."""
    for part in dated.split(","):
        match = _DATED_NAME.fullmatch(part)
        if match and not match["end"]:
            return None if match["name"] in _GROUP_NAMES else match["name"]
    return None


@functools.cache
def sichuan() -> tuple[Division, ...]:
    """The province, its prefectures and its counties, in order of code."""
    return tuple(Division(code, name) for code, name in sorted(divisions().items()) if code.startswith(SICHUAN_PREFIX))


def is_sichuan(code: str) -> bool:
    """Whether `code` is a division of Sichuan in use today."""
    return code.startswith(SICHUAN_PREFIX) and code in divisions()


def is_county(code: str) -> bool:
    """Whether `code` names a county and not a prefecture or the province (those end in 00)."""
    return not code.endswith("00")
