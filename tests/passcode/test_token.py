from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianfu.passcode.token import (
    LAST_DIGITS_BYTES_MAX,
    MASKED_NAME_BYTES_MAX,
    RULE_SET_MAX,
    Token,
    decode,
    encode,
)
from tianfu.platform.cose import CodeInvalidError

TOKEN = Token(1_646_107_290, 1_646_107_200, b"cti-cti-", b"ref-ref-", 1, 300, "*小明", "431X")


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    issued_at = draw(st.integers(2**16, 2**32 - 2))
    return Token(
        expires_at=draw(st.integers(issued_at + 1, 2**32 - 1)),
        issued_at=issued_at,
        cti=draw(st.binary(min_size=8, max_size=8)),
        reference=draw(st.binary(min_size=8, max_size=8)),
        colour=draw(st.integers(0, 3)),
        rule_set=draw(st.integers(0, RULE_SET_MAX)),
        masked_name=draw(st.text(max_size=MASKED_NAME_BYTES_MAX // 4)),
        last_digits=draw(st.text(max_size=LAST_DIGITS_BYTES_MAX // 4)),
    )


@given(tokens())
def test_content_is_what_a_general_encoder_writes_and_comes_back(token: Token) -> None:
    content = encode(token)

    assert content == cbor2.dumps(list(token), canonical=True)
    assert decode(content) == token


@pytest.mark.parametrize(
    "token",
    [
        TOKEN._replace(cti=b"short"),
        TOKEN._replace(reference=b"too long."),
        TOKEN._replace(colour=4),
        TOKEN._replace(colour=-1),
        TOKEN._replace(rule_set=RULE_SET_MAX + 1),
        TOKEN._replace(rule_set=-1),
        TOKEN._replace(expires_at=TOKEN.issued_at),
        TOKEN._replace(expires_at=2**32),
        TOKEN._replace(issued_at=2**16 - 1),
        TOKEN._replace(masked_name="明" * 22),
        TOKEN._replace(last_digits="123456789"),
    ],
)
def test_values_outside_the_limits_are_refused_before_and_after_signing(token: Token) -> None:
    with pytest.raises(ValueError):
        encode(token)
    with pytest.raises(CodeInvalidError):
        decode(cbor2.dumps(list(token), canonical=True))


@pytest.mark.parametrize(
    "other",
    [
        cbor2.dumps([*TOKEN, 0]),
        cbor2.dumps(list(TOKEN[:-1])),
        cbor2.dumps(dict(enumerate(TOKEN))),
        cbor2.dumps([float(TOKEN.expires_at), *TOKEN[1:]]),
        cbor2.dumps([*TOKEN[:6], b"name", TOKEN.last_digits]),
        b"\x9f" + cbor2.dumps(list(TOKEN))[1:] + b"\xff",
        encode(TOKEN) + b"\0",
        encode(TOKEN).replace(b"\x19\x01\x2c", b"\x1a\x00\x00\x01\x2c"),
        encode(TOKEN).replace(b"*", b"\xff"),
    ],
)
def test_any_other_encoding_is_refused(other: bytes) -> None:
    with pytest.raises(CodeInvalidError):
        decode(other)


@given(st.binary(max_size=120))
def test_random_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(CodeInvalidError):
        decode(content)


@given(st.integers(0, len(encode(TOKEN)) - 1), st.binary(max_size=3))
def test_changed_bytes_are_refused_or_are_the_one_encoding_of_another_token(position: int, between: bytes) -> None:
    content = encode(TOKEN)
    changed = content[:position] + between + content[position + len(between) :]
    try:
        token = decode(changed)
    except CodeInvalidError:
        return
    assert encode(token) == changed
