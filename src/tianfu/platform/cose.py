"""COSE_Sign1 with ES256, in the one encoding that is ever made or accepted.

A message is the bare CBOR array `[protected {1: -7, 4: kid}, {}, payload, signature]` of RFC 9052, written with
fixed bytes and read by comparing them: another algorithm, an unprotected header, a tag, a longer form of a length or
one byte too many is refused before any cryptography runs. docs/formats.md shows every byte.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tianfu.errors import TianfuError
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

_BYTES: Final = 0x40
_ONE_BYTE_LENGTH: Final = 0x58
_TWO_BYTE_LENGTH: Final = 0x59
_FOUR_BYTE_LENGTH: Final = 0x5A
_SHORT_MAX: Final = 23

# A list of a hundred thousand "not green" cards is 800 kB; anything beyond 1 MiB is no message of ours.
PAYLOAD_BYTES_MAX: Final = 2**20


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
    kid = signer.kid
    body = byte_string(payload)
    signature = signer.sign(_SIGNED_HEAD + kid + _NO_EXTERNAL + body)
    return _HEAD + kid + _NO_UNPROTECTED + body + _SIGNATURE_HEAD + signature


def verify1(data: bytes, keys: VerifyKeys, purpose: KeyPurpose) -> bytes:
    """The payload of a message signed by a trusted key of `purpose`. Raises `CodeInvalidError` and nothing else."""
    return open1(data, keys, purpose).payload


def open1(data: bytes, keys: VerifyKeys, purpose: KeyPurpose) -> Opened:
    """Like `verify1`, with the key that fits. Every trusted key with the message's kid is tried."""
    payload_start = _payload_start(data)
    body_end = len(data) - _TAIL_BYTES
    payload = data[payload_start:body_end]
    tail_is_ours = data[body_end : body_end + len(_SIGNATURE_HEAD)] == _SIGNATURE_HEAD
    body = data[_BODY_START:body_end]
    if payload_start > body_end or len(payload) > PAYLOAD_BYTES_MAX or not tail_is_ours:
        raise CodeInvalidError
    if body != byte_string(payload):
        raise CodeInvalidError
    kid = data[len(_HEAD) : _KID_END]
    signed = _SIGNED_HEAD + kid + _NO_EXTERNAL + body
    signature = data[-SIGNATURE_BYTES:]
    for key in keys.candidates(purpose, kid):
        if key.verify(signature, signed):
            return Opened(payload, key)
    raise CodeInvalidError


def byte_string(value: bytes) -> bytes:
    """`value` as a CBOR byte string with the shortest length. Raises `ValueError` over `PAYLOAD_BYTES_MAX`."""
    length = len(value)
    if length <= _SHORT_MAX:
        return bytes((_BYTES + length,)) + value
    if length <= 0xFF:  # noqa: PLR2004 - the largest number in one byte
        return bytes((_ONE_BYTE_LENGTH, length)) + value
    if length <= 0xFFFF:  # noqa: PLR2004 - the largest number in two bytes
        return bytes((_TWO_BYTE_LENGTH,)) + length.to_bytes(2, "big") + value
    if length <= PAYLOAD_BYTES_MAX:
        return bytes((_FOUR_BYTE_LENGTH,)) + length.to_bytes(4, "big") + value
    message = f"payload of {length} bytes, at most {PAYLOAD_BYTES_MAX}"
    raise ValueError(message)


def _payload_start(data: bytes) -> int:
    """Where the payload begins, once head, size and emptiness of the unprotected header are as they must be."""
    size = len(data)
    if not _BODY_START + 1 + _TAIL_BYTES <= size <= _BODY_START + 5 + PAYLOAD_BYTES_MAX + _TAIL_BYTES:
        raise CodeInvalidError
    if not data.startswith(_HEAD) or data[_KID_END:_BODY_START] != _NO_UNPROTECTED:
        raise CodeInvalidError
    width = _LENGTH_WIDTHS.get(data[_BODY_START], 0)
    return _BODY_START + 1 + width


# Bytes of length after the first byte; a wrong guess for a short form is caught by comparing with `byte_string`.
_LENGTH_WIDTHS: Final = {_ONE_BYTE_LENGTH: 1, _TWO_BYTE_LENGTH: 2, _FOUR_BYTE_LENGTH: 4}
