"""Who else issues health codes, and where each can be asked: a TOML file, checked whole before the gate starts.

A foreign code is recognised by the text it begins with and by nothing else; a fixed text and no pattern, so that what
a stranger holds up costs nothing to tell apart. docs/foreign-codes.md describes the file.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from tianfu.errors import Fault, TianfuError

# 34 divisions of the first level, the national platform, and cities with codes of their own.
ISSUERS_MAX: Final = 100
PREFIXES_MAX: Final = 8
TIME_LIMIT_MS_DEFAULT: Final = 800
AGE_MAX_SECONDS_DEFAULT: Final = 60
CONCURRENT_MAX_DEFAULT: Final = 32
_OURS: Final = ("HK1:", "HK2:", "HK3:", "HKL:")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)
_PREFIX: Final = re.compile(r"[\x21-\x7e]{3,64}", re.ASCII)


class ForeignIssuersInvalidError(TianfuError):
    """The file of other issuers cannot be used; every fault is listed."""

    code = "foreign_issuers_invalid"
    status = 500
    zh = "外省健康码对接文件（TIANFU_RESOLVERS）有误。"
    en = "The file of other issuers of codes (TIANFU_RESOLVERS) cannot be used."


class Issuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One system that issues codes.

    `time_limit_ms` bounds a whole question; `age_max_seconds` is how old its word may be and still be shown.
    """

    id: str
    zh: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    en: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    prefixes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=PREFIXES_MAX)]
    url: str
    time_limit_ms: Annotated[int, msgspec.Meta(ge=50, le=3_000)] = TIME_LIMIT_MS_DEFAULT
    age_max_seconds: Annotated[int, msgspec.Meta(ge=5, le=600)] = AGE_MAX_SECONDS_DEFAULT
    concurrent_max: Annotated[int, msgspec.Meta(ge=1, le=200)] = CONCURRENT_MAX_DEFAULT


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    issuer: Annotated[tuple[Issuer, ...], msgspec.Meta(max_length=ISSUERS_MAX)]


def load(path: Path) -> tuple[Issuer, ...]:
    """The issuers in the file. Raises `ForeignIssuersInvalidError`."""
    try:
        body = path.read_bytes()
        issuers = msgspec.convert(tomllib.loads(body.decode()), _File).issuer
    except OSError as cause:
        raise _unusable(zh="无法读取", en="cannot be read") from cause
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as cause:
        raise _unusable(zh="不是 UTF-8 编码的 TOML", en="is not TOML in UTF-8") from cause
    except msgspec.ValidationError as cause:
        raise _unusable(zh="缺少字段，或字段的类型、取值不对", en=str(cause)) from cause
    faults = [*_each(issuers), *_together(issuers)]
    if faults:
        raise ForeignIssuersInvalidError(faults=tuple(faults))
    return issuers


def _each(issuers: tuple[Issuer, ...]) -> list[Fault]:
    faults = []
    for number, issuer in enumerate(issuers, start=1):
        field = f"issuer[{number}]"
        if _ID.fullmatch(issuer.id) is None:
            faults.append(Fault(f"{field}.id", "id", "应为小写字母、数字和连字符", "must be small letters, digits, -"))
        if not _askable(issuer.url):
            zh, en = "应为 https 地址（本机可用 http）", "must be an https address (http on this machine only)"
            faults.append(Fault(f"{field}.url", "url", zh, en))
        for prefix in issuer.prefixes:
            if _PREFIX.fullmatch(prefix) is None:
                zh, en = "应为 3 至 64 个可见 ASCII 字符", "must be 3 to 64 visible ASCII characters"
                faults.append(Fault(f"{field}.prefixes", "prefix", zh, en))
            elif any(prefix.startswith(ours) or ours.startswith(prefix) for ours in _OURS):
                faults.append(
                    Fault(f"{field}.prefixes", "ours", "与本省码前缀冲突", "is the beginning of our own codes")
                )
    return faults


def _together(issuers: tuple[Issuer, ...]) -> list[Fault]:
    """Two issuers of one name, or a text that could be of two issuers."""
    faults = []
    ids = [issuer.id for issuer in issuers]
    if len(ids) != len(set(ids)):
        faults.append(Fault("issuer.id", "twice", "编号重复", "is there twice"))
    prefixes = sorted(prefix for issuer in issuers for prefix in issuer.prefixes)
    if any(later.startswith(earlier) for earlier, later in itertools.pairwise(prefixes)):
        faults.append(Fault("issuer.prefixes", "overlap", "前缀互相重叠", "begins as another prefix does"))
    return faults


def _askable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or parts.query:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def _unusable(*, zh: str, en: str) -> ForeignIssuersInvalidError:
    return ForeignIssuersInvalidError(faults=(Fault("file", "file", zh, en),))
