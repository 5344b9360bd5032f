"""The profile of signed requests, byte for byte, and what strangers may send instead."""

from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from tianfu.feeds.push import signature
from tianfu.feeds.push.signature import SignatureRefusedError

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NONCE = "abcdefghijklmnop"
BODY = b"a,b\r\n1,2\r\n"
HEADERS = signature.sign(KEY, "laboratory-1", path="/feeds/v1/lab", body=BODY, created=1_666_000_000, nonce=NONCE)


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def test_the_signature_is_over_the_lines_of_the_standard() -> None:
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    parameters = (
        f'("@method" "@path" "content-digest");created=1666000000;keyid="laboratory-1";nonce="{NONCE}";alg="ed25519"'
    )
    base = (
        '"@method": POST\n'
        '"@path": /feeds/v1/lab\n'
        f'"content-digest": sha-256=:{digest}:\n'
        f'"@signature-params": {parameters}'
    )

    assert HEADERS["signature-input"] == f"sig1={parameters}"
    value = base64.b64decode(HEADERS["signature"].removeprefix("sig1=:").removesuffix(":"))
    KEY.public_key().verify(value, base.encode())


def test_another_order_and_another_label_are_as_good() -> None:
    parameters = f'("content-digest" "@path" "@method");nonce="{NONCE}";keyid="laboratory-1";created=1666000000'
    base = (
        f'"content-digest": {HEADERS["content-digest"]}\n'
        '"@path": /feeds/v1/lab\n'
        '"@method": POST\n'
        f'"@signature-params": {parameters}'
    )
    value = base64.b64encode(KEY.sign(base.encode())).decode()
    headers = {
        "Content-Digest": HEADERS["content-digest"],
        "Signature-Input": f"a={parameters}",
        "Signature": f"a=:{value}:",
    }

    signed = signature.read(raw(headers))

    signature.verify(signed, KEY.public_key(), method="POST", path="/feeds/v1/lab")
    signature.require_digest(signed, BODY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"@path" ', '"@path" "@path" '),
        ('"content-digest")', '"content-digest" "date")'),
        ('"content-digest")', '"content-digest";req)'),
        (";created=1666000000", ""),
        (";created=1666000000", ";created=1666000000;created=1666000000"),
        (";created=1666000000", ';created="1666000000"'),
        (";created=1666000000", ";created=1666000000;expires=1"),
        (';alg="ed25519"', ';alg="ed25519", sig2=("@method");created=1'),
        ("sig1=", "sig2="),
    ],
)
def test_other_forms_are_refused(old: str, new: str) -> None:
    assert old in HEADERS["signature-input"]
    changed = HEADERS | {"signature-input": HEADERS["signature-input"].replace(old, new)}

    with pytest.raises(SignatureRefusedError) as refused:
        signature.read(raw(changed))

    assert [fault.code for fault in refused.value.faults] == ["form"]


def test_a_header_that_came_twice_is_refused() -> None:
    with pytest.raises(SignatureRefusedError) as refused:
        signature.read([*raw(HEADERS), (b"Signature", b"sig1=:AAAA:")])

    assert [fault.code for fault in refused.value.faults] == ["twice"]


@given(
    st.sampled_from(sorted(HEADERS)),
    st.integers(0, 200),
    st.binary(max_size=8),
)
def test_a_changed_header_is_refused_or_says_the_same(name: str, position: int, put: bytes) -> None:
    headers = dict(raw(HEADERS))
    value = headers[name.encode()]
    headers[name.encode()] = value[:position] + put + value[position + len(put) :]

    with contextlib.suppress(SignatureRefusedError):
        signed = signature.read(headers.items())
        signature.verify(signed, KEY.public_key(), method="POST", path="/feeds/v1/lab")
        signature.require_digest(signed, BODY)
        assert signed == signature.read(raw(HEADERS))
