"""Signed requests of departments: one fixed profile of HTTP Message Signatures (RFC 9421). Pure.

A request carries `Content-Digest` (RFC 9530, one of sha-256 and sha-512), `Signature-Input` and `Signature` with one
label. The signature covers exactly `@method`, `@path` and `content-digest`; its parameters are `created`, `keyid`,
`nonce` and, if wanted, `alg`. Anything else, however legal elsewhere, is refused: what is not covered by the profile
would be believed without being signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from tianfu.errors import Fault, TianfuError

ED25519: Final = "ed25519"
ECDSA_P256: Final = "ecdsa-p256-sha256"
ALGORITHMS: Final = (ED25519, ECDSA_P256)
SIGNATURE_BYTES: Final = 64
# How far `created` may lie from our clock, either way: the clocks' difference and the way here.
WINDOW_SECONDS: Final = 300
NONCE_CHARACTERS_MIN: Final = 16
NONCE_CHARACTERS_MAX: Final = 64
# A signature input of this profile is under 250 characters.
_HEADER_CHARACTERS_MAX: Final = 1_024

_COMPONENTS: Final = frozenset({'"@method"', '"@path"', '"content-digest"'})
_INPUT: Final = re.compile(
    r'(?P<label>[a-z*][a-z0-9_.*-]{0,31})=(?P<params>\((?P<covered>"[^"()]*"(?: "[^"()]*")*)\)(?P<rest>(?:;[^;]+)+))'
)
_PARAMETER: Final = re.compile(r'(created|keyid|nonce|alg)=(?:([0-9]{1,12})|"([A-Za-z0-9_.:@+/=-]{1,64})")')
_VALUE: Final = re.compile(r"([a-z*][a-z0-9_.*-]{0,31})=:([A-Za-z0-9+/]{1,172}={0,2}):")
_DIGEST: Final = re.compile(r"(sha-256|sha-512)=:([A-Za-z0-9+/]{1,88}={0,2}):")

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


class SignatureRefusedError(TianfuError):
    """The request is not signed as agreed; the fault's code says what is wrong. Nothing was done."""

    code = "feed_signature_refused"
    status = 401
    zh = "请求签名无效，未处理。"
    en = "The request is not signed as agreed; nothing was done with it."


class Signed(msgspec.Struct, frozen=True):
    """What a request says of its signature, not yet verified. `parameters` is the text that is signed itself."""

    key_id: str
    created: int
    nonce: str
    algorithm: str | None
    parameters: str
    signature: bytes
    digest_header: str
    digest_name: str
    digest: bytes


def refused(*, code: str, zh: str, en: str) -> SignatureRefusedError:
    """The refusal for one reason."""
    return SignatureRefusedError(faults=(Fault("signature", code, zh, en),))


def read(headers: Iterable[tuple[bytes, bytes]]) -> Signed:
    """The three headers of a signed request. Raises `SignatureRefusedError` (`missing`, `twice` or `form`)."""
    found = _three(headers)
    stated = _INPUT.fullmatch(found["signature-input"])
    value = _VALUE.fullmatch(found["signature"])
    digest = _DIGEST.fullmatch(found["content-digest"])
    if stated is None or value is None or digest is None or value[1] != stated["label"]:
        raise _form()
    covered = stated["covered"].split(" ")
    parameters = _parameters(stated["rest"])
    if len(covered) != len(_COMPONENTS) or set(covered) != _COMPONENTS:
        raise _form()
    return Signed(
        key_id=parameters["keyid"],
        created=int(parameters["created"]),
        nonce=parameters["nonce"],
        algorithm=parameters.get("alg"),
        parameters=stated["params"],
        signature=_decoded(value[2]),
        digest_header=found["content-digest"],
        digest_name=digest[1],
        digest=_decoded(digest[2]),
    )


def require_fresh(signed: Signed, at: datetime) -> None:
    """Raise `SignatureRefusedError` (`window`) for a signature made too long ago, or by a clock too far ahead."""
    if abs(at.timestamp() - signed.created) > WINDOW_SECONDS:
        raise refused(
            code="window",
            zh="签名时间超出允许范围，请校准时钟。",
            en="is too old, or of a clock that is wrong",
        )


def verify(signed: Signed, key: PublicKey, *, method: str, path: str) -> None:
    """Raise `SignatureRefusedError` (`signature`) unless `key` signed this method, path and digest."""
    wanted = ED25519 if isinstance(key, ed25519.Ed25519PublicKey) else ECDSA_P256
    base = _base(method, path, signed.digest_header, signed.parameters)
    if signed.algorithm not in (None, wanted) or len(signed.signature) != SIGNATURE_BYTES:
        raise _unfit()
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signed.signature, base)
        else:
            half = SIGNATURE_BYTES // 2
            numbers = (int.from_bytes(signed.signature[:half]), int.from_bytes(signed.signature[half:]))
            key.verify(encode_dss_signature(*numbers), base, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise _unfit() from None


def require_digest(signed: Signed, body: bytes) -> None:
    """Raise `SignatureRefusedError` (`digest`) unless `body` is what was signed."""
    if not hmac.compare_digest(hashlib.new(signed.digest_name.replace("-", ""), body).digest(), signed.digest):
        raise refused(code="digest", zh="内容与签名的摘要不符。", en="is about another body than the one that came")


def sign(key: PrivateKey, key_id: str, *, path: str, body: bytes, created: int, nonce: str) -> dict[str, str]:
    """The three headers with which `key` signs a POST of `body` to `path`."""
    algorithm = ED25519 if isinstance(key, ed25519.Ed25519PrivateKey) else ECDSA_P256
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode('ascii')}:"
    parameters = (
        f'("@method" "@path" "content-digest");created={created};keyid="{key_id}";nonce="{nonce}";alg="{algorithm}"'
    )
    base = _base("POST", path, digest, parameters)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(base)
    else:
        numbers = decode_dss_signature(key.sign(base, ec.ECDSA(hashes.SHA256())))
        signature = b"".join(number.to_bytes(SIGNATURE_BYTES // 2) for number in numbers)
    return {
        "content-digest": digest,
        "signature-input": f"sig1={parameters}",
        "signature": f"sig1=:{base64.b64encode(signature).decode('ascii')}:",
    }


def public_key(der: bytes) -> PublicKey:
    """The public key in SubjectPublicKeyInfo `der`; ed25519, or ECDSA on P-256. Raises `ValueError` for others."""
    key = serialization.load_der_public_key(der)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    message = "neither an ed25519 nor a P-256 key"
    raise ValueError(message)


def _three(headers: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    wanted = {"content-digest", "signature-input", "signature"}
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        if name not in wanted:
            continue
        if name in found:
            raise refused(code="twice", zh="签名相关的请求头出现了两次。", en="has a header that came twice")
        value = raw_value.decode("latin-1").strip(" \t")
        if len(value) > _HEADER_CHARACTERS_MAX:
            raise _form()
        found[name] = value
    if found.keys() != wanted:
        raise refused(
            code="missing", zh="缺少签名、签名参数或内容摘要。", en="is missing, or its input or the content digest is"
        )
    return found


def _parameters(rest: str) -> dict[str, str]:
    """The parameters by name. `created` is a number, the others are texts; none twice, no other, three must be."""
    found: dict[str, str] = {}
    for part in rest[1:].split(";"):
        match = _PARAMETER.fullmatch(part)
        if match is None or match[1] in found or (match[1] == "created") != (match[2] is not None):
            raise _form()
        found[match[1]] = match[2] or match[3]
    if not found.keys() >= {"created", "keyid", "nonce"}:
        raise _form()
    if not NONCE_CHARACTERS_MIN <= len(found["nonce"]) <= NONCE_CHARACTERS_MAX:
        raise _form()
    return found


def _base(method: str, path: str, digest: str, parameters: str) -> bytes:
    lines = (
        f'"@method": {method}',
        f'"@path": {path}',
        f'"content-digest": {digest}',
    )
    # The lines stand in the order in which the input lists them.
    order = parameters[1 : parameters.index(")")].split(" ")
    ordered = sorted(lines, key=lambda line: order.index(line.partition(":")[0]))
    return "\n".join((*ordered, f'"@signature-params": {parameters}')).encode("latin-1")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _form() from None


def _form() -> SignatureRefusedError:
    return refused(code="form", zh="签名的格式与约定不符。", en="does not have the form that is agreed")


def _unfit() -> SignatureRefusedError:
    return refused(code="signature", zh="签名与内容或密钥不符。", en="does not fit the request or the key")
