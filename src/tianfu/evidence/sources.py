"""Who may state evidence: the registry of sources, each with the office a person can turn to.

A source is a short code that the ledger stores with every statement. A new department is a new line here; nothing
else needs to change.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tianfu.errors import TianfuError


class SourceUnknownError(TianfuError):
    """No such source is registered."""

    code = "source_unknown"
    status = 422
    zh = "数据来源未登记。"
    en = "This source of data is not registered."


class Source(msgspec.Struct, frozen=True):
    """One department. `zh` and `en` are its names, shown to the person with each reason."""

    code: str
    zh: str
    en: str


SOURCES: Final[dict[str, Source]] = {
    source.code: source
    for source in (
        Source(code="self", zh="本人申报", en="declared by the person"),
        Source(code="laboratory", zh="核酸检测机构", en="testing laboratories"),
        Source(code="health", zh="卫生健康委员会", en="health commission"),
        Source(code="cdc", zh="疾病预防控制中心", en="centre for disease control"),
        Source(code="tracing", zh="流行病学调查", en="epidemiological investigation"),
        Source(code="desk", zh="咨询申诉台", en="consultation and appeals desk"),
    )
}


def find(code: str) -> Source:
    """The source registered under `code`. Raises `SourceUnknownError`."""
    try:
        return SOURCES[code]
    except KeyError:
        raise SourceUnknownError from None
