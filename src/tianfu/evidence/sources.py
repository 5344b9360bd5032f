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
        Source(code="immunisation", zh="预防接种管理部门", en="immunisation service"),
        Source(code="pharmacy", zh="药品零售监管部门", en="pharmacy supervision"),
        Source(code="cdc", zh="疾病预防控制中心", en="centre for disease control"),
        Source(code="tracing", zh="流行病学调查", en="epidemiological investigation"),
        Source(code="border", zh="出入境和口岸部门", en="border control"),
        Source(code="aviation", zh="民航部门", en="civil aviation"),
        Source(code="railway", zh="铁路部门", en="railway"),
        Source(code="transport", zh="交通运输部门", en="road transport"),
        Source(code="telecom", zh="通信管理部门", en="communications administration"),
        Source(code="police", zh="公安机关", en="police"),
        Source(code="education", zh="教育部门", en="education department"),
        Source(code="civil_affairs", zh="民政部门", en="civil affairs"),
        Source(code="community", zh="社区（村）", en="communities and villages"),
        Source(code="headquarters", zh="应急指挥部", en="epidemic response headquarters"),
        Source(code="national", zh="国家政务服务平台", en="national government service platform"),
        Source(code="elsewhere", zh="外省健康码", en="health codes of other provinces"),
        Source(code="cities", zh="原市（州）健康码", en="former city codes"),
        Source(code="derived", zh="由其他记录推得", en="derived from other records"),
        Source(code="desk", zh="咨询申诉台", en="consultation and appeals desk"),
    )
}


def find(code: str) -> Source:
    """The source registered under `code`. Raises `SourceUnknownError`."""
    try:
        return SOURCES[code]
    except KeyError:
        raise SourceUnknownError from None
