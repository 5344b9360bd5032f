"""The sealed reference: eight bytes in a code that lead to its holder, for us alone.

reference = person (64 bits) XOR the first 8 bytes of AES-256_K(n ‖ domain), n being eight random bytes in the code and
the domain telling the kinds of code apart. As n is random for each code, so is the reference: nobody without K can
tell that two codes belong to one person, not even two of the same minute. K belongs to the signing key that made the
code, so no key has to be guessed. See docs/decisions.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import CipherContext

from tianfu.ids import PERSON_REF_MAX, PersonRef
from tianfu.passcode.token import REFERENCE_BYTES
from tianfu.platform.cose import CodeInvalidError

DYNAMIC_DOMAIN: Final = b"tianfu-1"
CARD_DOMAIN: Final = b"tianfu-2"
DEVICE_DOMAIN: Final = b"tianfu-3"

# A credential (a card, a device's certificate) is named by its random bytes and the reference sealed under them.
RANDOM_BYTES: Final = 8
CREDENTIAL_ID_BYTES: Final = RANDOM_BYTES + REFERENCE_BYTES


def seal(person: int, cti: bytes, cipher: CipherContext, domain: bytes = DYNAMIC_DOMAIN) -> bytes:
    """The 8 bytes for the code named `cti`. `cipher` is an AES-256-ECB encryptor, fed whole blocks only."""
    mask = int.from_bytes(cipher.update(cti + domain)[:REFERENCE_BYTES], "big")
    return (mask ^ person).to_bytes(REFERENCE_BYTES, "big")


def unseal(reference: bytes, cti: bytes, cipher: CipherContext, domain: bytes = DYNAMIC_DOMAIN) -> PersonRef:
    """The person in `reference`. Raises `CodeInvalidError` when the result is no person reference (a wrong key)."""
    mask = int.from_bytes(cipher.update(cti + domain)[:REFERENCE_BYTES], "big")
    person = mask ^ int.from_bytes(reference, "big")
    if not 1 <= person <= PERSON_REF_MAX:
        raise CodeInvalidError
    return PersonRef(person)


def credential_id(person: int, random: bytes, cipher: CipherContext, domain: bytes) -> bytes:
    """The id of a new credential of `person`. `random`: 8 fresh bytes, never used twice."""
    return random + seal(person, random, cipher, domain)


def holder(credential: bytes, cipher: CipherContext, domain: bytes) -> PersonRef:
    """Whose credential it is. Raises `CodeInvalidError` when the id leads to nobody (a wrong key)."""
    return unseal(credential[RANDOM_BYTES:], credential[:RANDOM_BYTES], cipher, domain)
