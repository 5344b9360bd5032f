"""The signed lists for scanners without network: whose keys to trust, and which credentials are not green.

`HKL:` ‖ base64url(COSE_Sign1(content)), signed with a list key; the content is a CBOR array in the one encoding made
here that begins with kind, number, making and end. Numbers only rise and a list has an end, so a verifier can tell an
old one from the latest (`tianfu.passcode.offline`).

The "not green" list is a Bloom filter over credential ids: of credentials that are in it every one is found, of others
one in 10,000 is taken for one (13 hash functions, 20 bits for each entry: (1 − e^(−13/20))^13 = 0.00007, and as much
again in a small filter, where two numbers of a hash often fall on the same places). Its hashes
are keyed by its number, so who is wrongly stopped by one list is let through by the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from tianfu.errors import TianfuError
from tianfu.platform import base64url
from tianfu.platform.cbor import ARRAY, NUMBER, byte_string, head, number, read_bytes, read_head, read_text, text
from tianfu.platform.cose import PAYLOAD_BYTES_MAX, CodeInvalidError, payload_start, sign1, verify1
from tianfu.platform.publickeys import POINT_BYTES, PublicKey
from tianfu.platform.sign import KID_BYTES, KeyPurpose, Signer, VerifyKeys

PREFIX: Final = "HKL:"
TRUST: Final = "trust"
NOT_GREEN: Final = "not-green"

# The longest that a list may be believed; an outrun list key is accepted a day longer.
LIST_HOURS_MAX: Final = 168
LIST_LIFE_SECONDS_MAX: Final = LIST_HOURS_MAX * 3600

# 400,000 entries of 20 bits are 1,000,000 bytes, 48,576 less than a signed message may carry; as text 1.33 million
# characters. Above it the list is refused, never cut: who is left out would be taken for green.
ENTRIES_MAX: Final = 400_000
BITS_PER_ENTRY: Final = 20
HASHES: Final = 13
HASHES_MAX: Final = 32
# Short filters stop far more: the places of a credential follow from two numbers below the filter's size, so by chance
# they are those of a listed one. Measured with 300,000 strangers: of 8 bytes 2 % with three entries, of 1,024 bytes
# 0.0002 at most, of 2,048 bytes (818 entries) 0.00015. As text they are 2.7 kB.
FILTER_BYTES_MADE_MIN: Final = 2_048
FILTER_BYTES_READ_MIN: Final = 8
FILTER_BYTES_MAX: Final = ENTRIES_MAX * BITS_PER_ENTRY // 8

# Twenty years of monthly rotation of six purposes, none of them retired, are 1,440 keys of at most 97 bytes: 140 kB.
KEYS_MAX: Final = 1_440
TOLD_PURPOSES: Final = (
    KeyPurpose.PERSONAL,
    KeyPurpose.CARD,
    KeyPurpose.DEVICE,
    KeyPurpose.VENUE,
    KeyPurpose.VEHICLE,
    KeyPurpose.LIST,
)

# Four characters for each three bytes of payload and the 85 bytes of COSE around it.
LIST_CHARACTERS_MAX: Final = len(PREFIX) + (PAYLOAD_BYTES_MAX + 85 + 2) // 3 * 4

_ARRAY_OF_5: Final = head(ARRAY, 5)
_ARRAY_OF_7: Final = head(ARRAY, 7)
_PURPOSES: Final = {purpose.value: purpose for purpose in TOLD_PURPOSES}
_HALF: Final = 8
_NUMBER_BYTES: Final = 4
_INSTANT_MAX: Final = 2**32
# The shortest list has 135 characters; kind and number are in the first 60.
_START_CHARACTERS: Final = 96


class ListInvalidError(CodeInvalidError):
    """The text is not a list of ours, or was changed, or no trusted list key signed it."""

    code = "list_invalid"
    zh = "该名单不是天府健康通签发的，未予采用。"
    en = "This list was not signed by Tianfu; it is not used."


class ListTooLongError(TianfuError):
    """More credentials are not green than a list may hold. It is not made; the one before ends by itself."""

    code = "list_too_long"
    status = 500
    zh = f"非绿码名单超过 {ENTRIES_MAX} 条，未予签发；离线查验将在旧名单到期后停止。"
    en = (
        f"More than {ENTRIES_MAX} credentials are not green: the list is not made, and checks without network end"
        " when the one before does."
    )


class TrustList(NamedTuple):
    """The keys that may be trusted. Instants are seconds since 1970; `expires_at` no longer belongs to its life."""

    number: int
    issued_at: int
    expires_at: int
    keys: tuple[PublicKey, ...]


class NotGreenList(NamedTuple):
    """The credentials that are not green, as a filter. `entries` is how many were put into it."""

    number: int
    issued_at: int
    expires_at: int
    entries: int
    hashes: int
    bits: bytes

    def has(self, credential_id: bytes) -> bool:
        """Whether the credential is in the list: always when it is, once in 10,000 when it is not."""
        size = 8 * len(self.bits)
        at, step = _hash(credential_id, self.number)
        return all(self.bits[bit >> 3] >> (bit & 7) & 1 for bit in _positions(at, step, size, self.hashes))


def not_green(credential_ids: Collection[bytes], *, number: int, issued_at: int, expires_at: int) -> NotGreenList:
    """The list of these credentials. Raises `ListTooLongError` for more than `ENTRIES_MAX`."""
    if len(credential_ids) > ENTRIES_MAX:
        raise ListTooLongError
    length = max(FILTER_BYTES_MADE_MIN, (len(credential_ids) * BITS_PER_ENTRY + 7) // 8)
    bits = filter_of(credential_ids, number, length)
    return NotGreenList(number, issued_at, expires_at, len(credential_ids), HASHES, bits)


def filter_of(credential_ids: Iterable[bytes], number: int, length: int) -> bytes:
    """The Bloom filter of these credentials in list `number`, of `length` bytes."""
    bits = bytearray(length)
    for credential_id in credential_ids:
        at, step = _hash(credential_id, number)
        for bit in _positions(at, step, 8 * length, HASHES):
            bits[bit >> 3] |= 1 << (bit & 7)
    return bytes(bits)


def sign_list(signer: Signer, made: TrustList | NotGreenList) -> str:
    """The text of a list. Raises `ValueError` for values outside their limits: the caller's bug."""
    content = _encode_trust(made) if isinstance(made, TrustList) else _encode_not_green(made)
    return PREFIX + base64url.encode(sign1(signer, content))


def read_trust(signed: str, keys: VerifyKeys) -> TrustList:
    """The trust list with the text `signed`, if one of `keys` signed it. Raises `ListInvalidError` and nothing else.

    Every key in it is on the curve and has its own kid. Whether the list is the latest is for the caller.
    """
    content = _opened(signed, keys)
    try:
        found = _decode_trust(content)
        for key in found.keys:
            key.verify_key()
        is_exact = _encode_trust(found) == content
    except (ValueError, IndexError, KeyError):
        raise ListInvalidError from None
    if not is_exact:
        raise ListInvalidError
    return found


def read_not_green(signed: str, keys: VerifyKeys) -> NotGreenList:
    """As `read_trust`, the list of what is not green."""
    content = _opened(signed, keys)
    try:
        found = _decode_not_green(content)
        is_exact = _encode_not_green(found) == content
    except (ValueError, IndexError):
        raise ListInvalidError from None
    if not is_exact:
        raise ListInvalidError
    return found


def stated_number(signed: str) -> int:
    """The number that a list of ours states. Nothing is verified: this is for handing out, not for believing."""
    start = base64url.decode(signed[len(PREFIX) :][:_START_CHARACTERS])
    number_at = read_text(start, payload_start(start) + len(_ARRAY_OF_5))[1]
    return read_head(start, number_at, NUMBER)[0]


def _opened(signed: str, keys: VerifyKeys) -> bytes:
    if len(signed) > LIST_CHARACTERS_MAX or not signed.startswith(PREFIX):
        raise ListInvalidError
    try:
        return verify1(base64url.decode(signed[len(PREFIX) :]), keys, KeyPurpose.LIST)
    except (CodeInvalidError, ValueError):
        raise ListInvalidError from None


def _hash(credential_id: bytes, list_number: int) -> tuple[int, int]:
    digest = hashlib.sha256(credential_id + list_number.to_bytes(_NUMBER_BYTES, "big")).digest()
    return int.from_bytes(digest[:_HALF], "big"), int.from_bytes(digest[_HALF : 2 * _HALF], "big")


def _positions(at: int, step: int, size: int, hashes: int) -> Iterable[int]:
    """Bit i is (at + i × step) mod size."""
    at, step = at % size, step % size
    for _ in range(hashes):
        yield at
        at = (at + step) % size


def _encode_head(kind: str, made: TrustList | NotGreenList) -> bytes:
    if not 0 < made.issued_at < made.expires_at < _INSTANT_MAX or (
        made.expires_at - made.issued_at > LIST_LIFE_SECONDS_MAX
    ):
        message = "life is outside its limits"
        raise ValueError(message)
    return text(kind.encode()) + number(made.number) + number(made.issued_at) + number(made.expires_at)


def _decode_head(content: bytes, kind: str) -> tuple[int, int, int, int]:
    found, at = read_text(content, len(_ARRAY_OF_5))
    if found != kind:
        message = "a list of another kind"
        raise ValueError(message)
    list_number, at = read_head(content, at, NUMBER)
    issued_at, at = read_head(content, at, NUMBER)
    expires_at, at = read_head(content, at, NUMBER)
    return list_number, issued_at, expires_at, at


def _encode_trust(made: TrustList) -> bytes:
    if len(made.keys) > KEYS_MAX:
        message = f"at most {KEYS_MAX} keys"
        raise ValueError(message)
    return _ARRAY_OF_5 + _encode_head(TRUST, made) + head(ARRAY, len(made.keys)) + b"".join(map(_encode_key, made.keys))


def _encode_key(key: PublicKey) -> bytes:
    if len(key.kid) != KID_BYTES or len(key.point) != POINT_BYTES or key.purpose not in TOLD_PURPOSES:
        message = "a key of another size, or that scanners have no use for"
        raise ValueError(message)
    words = (text(key.purpose.value.encode()), byte_string(key.kid), byte_string(key.point))
    return _ARRAY_OF_5 + b"".join(words) + number(key.starts_at) + number(key.ends_at)


def _decode_trust(content: bytes) -> TrustList:
    list_number, issued_at, expires_at, at = _decode_head(content, TRUST)
    count, at = read_head(content, at, ARRAY)
    if count > KEYS_MAX:
        message = "too many keys"
        raise ValueError(message)
    keys = []
    for _ in range(count):
        _, at = read_head(content, at, ARRAY)
        purpose, at = read_text(content, at)
        kid, at = read_bytes(content, at)
        point, at = read_bytes(content, at)
        starts_at, at = read_head(content, at, NUMBER)
        ends_at, at = read_head(content, at, NUMBER)
        keys.append(PublicKey(_PURPOSES[purpose], kid, point, starts_at, ends_at))
    return TrustList(list_number, issued_at, expires_at, tuple(keys))


def _encode_not_green(made: NotGreenList) -> bytes:
    fits = FILTER_BYTES_READ_MIN <= len(made.bits) <= FILTER_BYTES_MAX
    if not fits or not 1 <= made.hashes <= HASHES_MAX or not 0 <= made.entries <= ENTRIES_MAX:
        message = "filter, hashes or entries are outside their limits"
        raise ValueError(message)
    content = number(made.entries) + number(made.hashes) + byte_string(made.bits)
    return _ARRAY_OF_7 + _encode_head(NOT_GREEN, made) + content


def _decode_not_green(content: bytes) -> NotGreenList:
    list_number, issued_at, expires_at, at = _decode_head(content, NOT_GREEN)
    entries, at = read_head(content, at, NUMBER)
    hashes, at = read_head(content, at, NUMBER)
    bits, _ = read_bytes(content, at)
    return NotGreenList(list_number, issued_at, expires_at, entries, hashes, bits)
