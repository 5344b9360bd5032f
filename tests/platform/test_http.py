from __future__ import annotations

import json

import msgspec
import pytest

from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.platform.http import (
    SECURITY_HEADERS,
    BodyUnreadableError,
    BusyError,
    language_of,
    parse_json,
    problem,
    problem_headers,
)


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: dict[str, int] = {}


DECODER = msgspec.json.Decoder(Shape)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (b"", "zh"),
        (b"zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (b"en-GB,en;q=0.9,zh-CN;q=0.8", "en"),
        (b"en;q=0.1, zh;q=0.9", "zh"),
        (b"fr, en;q=0.5", "en"),
        (b"fr", "zh"),
        (b"en;q=0", "zh"),
        (b"EN-us", "en"),
        (b";;;,,,q=\xff\x00", "zh"),
        (b"en;q=" + b"9" * 5000, "zh"),
    ],
)
def test_the_language_follows_the_weights_and_is_chinese_in_doubt(header: bytes, language: str) -> None:
    assert language_of(header) == language


def test_a_problem_has_the_fields_of_the_standard_and_every_fault_in_the_readers_language() -> None:
    fault = Fault("phone", "digits", zh="应为数字。", en="Must be digits.")
    error = InputInvalidError(faults=(fault,))

    status, body = problem(error, "en")

    content = json.loads(body)
    assert status == 422
    assert content == {
        "type": "urn:tianfu:error:input_invalid",
        "title": InputInvalidError.en,
        "status": 422,
        "detail": InputInvalidError.en,
        "code": "input_invalid",
        "faults": [{"field": "phone", "code": "digits", "text": "Must be digits."}],
    }
    assert json.loads(problem(error, "zh")[1])["faults"][0]["text"] == "应为数字。"


def test_the_title_belongs_to_the_code_and_the_detail_to_the_occasion() -> None:
    content = json.loads(problem(NotFoundError(zh="没有这个场所。", en="No such venue."), "zh")[1])

    assert content["title"] == NotFoundError.zh
    assert content["detail"] == "没有这个场所。"


def test_an_unnamed_failure_says_nothing_but_internal() -> None:
    status, body = problem(TianfuError(), "en")

    assert status == 500
    assert json.loads(body)["code"] == "internal"


def test_problem_headers_name_the_language_forbid_caching_and_say_when_to_come_back() -> None:
    headers = dict(problem_headers(BusyError(retry_after_seconds=7), "en"))

    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"content-language"] == b"en"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"retry-after"] == b"7"


def test_the_policy_for_pages_allows_no_foreign_script() -> None:
    policy = dict(SECURITY_HEADERS)[b"content-security-policy"].decode()

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "http:" not in policy


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"name":"\xff"}', b'{"name":"\\ud800"}', b'{"name":"a"} x', b"nan"],
)
def test_what_is_not_json_in_utf8_is_unreadable(body: bytes) -> None:
    with pytest.raises(BodyUnreadableError):
        parse_json(DECODER, body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", ""),
        (b"null", ""),
        (b"{}", "name"),
        (b'{"name":1}', "name"),
        (b'{"name":"a","other":1}', "other"),
        (b'{"name":"a","inner":{"x":"y"}}', "inner[...]"),
        (b"[" * 8000, ""),
    ],
)
def test_json_of_another_shape_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(InputInvalidError) as refused:
        parse_json(DECODER, body)

    assert refused.value.faults[0].field == field
