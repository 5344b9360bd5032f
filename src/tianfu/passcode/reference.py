"""The sealed reference: eight bytes in a code that lead to its holder, for us alone.

reference = person (64 bits) XOR the first 8 bytes of AES-256_K(cti ‖ "tianfu-1"). As cti is random for each code, so
is the reference: nobody without K can tell that two codes belong to one person, not even two of the same minute. K
belongs to the signing key that made the code, so no key has to be guessed. See docs/decisions.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import CipherContext

from tianfu.ids import PERSON_REF_MAX, PersonRef
from tianfu.passcode.token import REFERENCE_BYTES
from tianfu.platform.cose import CodeInvalidError

_DOMAIN: Final = b"tianfu-1"


def seal(person: int, cti: bytes, cipher: CipherContext) -> bytes:
    """The 8 bytes for the code named `cti`. `cipher` is an AES-256-ECB encryptor, fed whole blocks only."""
    mask = int.from_bytes(cipher.update(cti + _DOMAIN)[:REFERENCE_BYTES], "big")
    return (mask ^ person).to_bytes(REFERENCE_BYTES, "big")


def unseal(reference: bytes, cti: bytes, cipher: CipherContext) -> PersonRef:
    """The person in `reference`. Raises `CodeInvalidError` when the result is no person reference (a wrong key)."""
    mask = int.from_bytes(cipher.update(cti + _DOMAIN)[:REFERENCE_BYTES], "big")
    person = mask ^ int.from_bytes(reference, "big")
    if not 1 <= person <= PERSON_REF_MAX:
        raise CodeInvalidError
    return PersonRef(person)
