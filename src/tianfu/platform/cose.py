"""COSE_Sign1 with ES256, in the one encoding that is ever made or accepted.

A message is the bare CBOR array `[protected {1: -7, 4: kid}, {}, payload, signature]` of RFC 9052, written with
fixed bytes and read by comparing them: another algorithm, an unprotected header, a tag, a longer form of a length or
one byte too many is refused before any cryptography runs. docs/formats.md shows every byte.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tianfu.errors import TianfuError
from tianfu.platform.cbor import BYTES, byte_string, read_head
from tianfu.platform.sign import KID_BYTES, SIGNATURE_BYTES, KeyPurpose, Signer, VerifyKey, VerifyKeys

# Array of 4; byte string of 9; map of 2: 1 → -7 (ES256), 4 → byte string of 4. The kid follows.
_HEAD: Final = b"\x84\x49\xa2\x01\x26\x04\x44"
_KID_END: Final = len(_HEAD) + KID_BYTES
_NO_UNPROTECTED: Final = b"\xa0"
_BODY_START: Final = _KID_END + len(_NO_UNPROTECTED)
_SIGNATURE_HEAD: Final = b"\x58\x40"
_TAIL_BYTES: Final = len(_SIGNATURE_HEAD) + SIGNATURE_BYTES

# Sig_structure of RFC 9052, 4.4: ["Signature1", protected, external data (empty), payload]; kid and payload follow.
_SIGNED_HEAD: Final = b"\x84\x6aSignature1" + _HEAD[1:]
_NO_EXTERNAL: Final = b"\x40"

# A list of a hundred thousand "not green" cards is 800 kB; anything beyond 1 MiB is no message of ours.
PAYLOAD_BYTES_MAX: Final = 2**20
_BODY_END_MAX: Final = _BODY_START + 5 + PAYLOAD_BYTES_MAX


class CodeInvalidError(TianfuError):
    """What was presented is not a code of ours, or was changed, or its key is not (or no longer) trusted."""

    code = "code_invalid"
    status = 422
    zh = "无法识别该码，请出示天府健康通的动态码。"
    en = "This is not a valid Tianfu code. Please show the live code on the phone."


class Opened(NamedTuple):
    """A message whose signature holds: its payload, and the key that made it."""

    payload: bytes
    key: VerifyKey


def sign1(signer: Signer, payload: bytes) -> bytes:
    """The signed message that carries `payload`. Raises `ValueError` for a payload over `PAYLOAD_BYTES_MAX`."""
    to_sign, start = unsigned1(signer.kid, payload)
    return start + signer.sign(to_sign)


def unsigned1(kid: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """What the key `kid` is to sign, and the message up to the 64 bytes of its signature. Raises as `sign1`."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        message = f"payload of {len(payload)} bytes, at most {PAYLOAD_BYTES_MAX}"
        raise ValueError(message)
    body = byte_string(payload)
    return _SIGNED_HEAD + kid + _NO_EXTERNAL + body, _HEAD + kid + _NO_UNPROTECTED + body + _SIGNATURE_HEAD


def verify1(data: bytes, keys: VerifyKeys, purpose: KeyPurpose) -> bytes:
    """The payload of a message signed by a trusted key of `purpose`. Raises `CodeInvalidError` and nothing else."""
    return open1(data, keys, purpose).payload


def payload_start(message: bytes) -> int:
    """Where the payload of a message of ours begins; it may be cut anywhere behind that. Nothing is verified."""
    return read_head(message, _BODY_START, BYTES)[1]


def open1(data: bytes, keys: VerifyKeys, purpose: KeyPurpose) -> Opened:
    """Like `verify1`, with the key that fits. Every trusted key with the message's kid is tried."""
    size = len(data)
    if not _BODY_START < size - _TAIL_BYTES <= _BODY_END_MAX or not data.startswith(_HEAD):
        raise CodeInvalidError
    body_end = size - _TAIL_BYTES
    body = data[_BODY_START:body_end]
    try:
        _, payload_start = read_head(body, 0, BYTES)
    except (ValueError, IndexError):
        raise CodeInvalidError from None
    payload = body[payload_start:]
    fixed = data[_KID_END:_BODY_START] + data[body_end : body_end + len(_SIGNATURE_HEAD)]
    if fixed != _NO_UNPROTECTED + _SIGNATURE_HEAD or body != byte_string(payload):
        raise CodeInvalidError
    kid = data[len(_HEAD) : _KID_END]
    signed = _SIGNED_HEAD + kid + _NO_EXTERNAL + body
    signature = data[-SIGNATURE_BYTES:]
    for key in keys.candidates(purpose, kid):
        if key.verify(signature, signed):
            return Opened(payload, key)
    raise CodeInvalidError
