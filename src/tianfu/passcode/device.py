"""The device-bound code `HK3:`: a phone without network shows a fresh code that nobody else can make.

While it has network the phone gets a certificate: we sign that a key which it made, and which never leaves it, is the
holder's for a day. Then it signs the time with that key, as often as it likes. `HK3:` ‖ Base45(certificate ‖ time ‖
device signature). As with a printed card there is no colour inside. A screenshot is dead after a minute and a half;
what somebody copies out of a code cannot make another one.

The device signature covers the hash of the whole certificate, so neither part can be taken from another code. Two
texts of one showing (a mirrored signature) have the same number: it is made of what is signed, not of signatures.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from tianfu.passcode import base45
from tianfu.passcode.token import LAST_DIGITS_BYTES_MAX, MASKED_NAME_BYTES_MAX, RULE_SET_MAX
from tianfu.platform.cbor import NUMBER, number, read_head, read_text, text
from tianfu.platform.cose import CodeInvalidError, open1
from tianfu.platform.sign import SIGNATURE_BYTES, KeyPurpose, VerifyKey, VerifyKeys

PREFIX: Final = "HK3:"

# A week on a trail without a mast; a device key is accepted a day longer.
DEVICE_HOURS_MAX: Final = 168
DEVICE_LIFE_SECONDS_MAX: Final = DEVICE_HOURS_MAX * 3600
# A showing lasts as long as a dynamic code. The phone states the time itself, and its clock may be off by this much.
SHOWN_LIFE_SECONDS: Final = 90
CLOCK_SECONDS: Final = 30

CREDENTIAL_ID_BYTES: Final = 16
CTI_BYTES: Final = 8
PUBLIC_KEY_BYTES: Final = 33

_TIME: Final = struct.Struct(">I")
_TAIL_BYTES: Final = _TIME.size + SIGNATURE_BYTES
# Content 1 + 5 + 5 + 17 + 35 + 3 + 66 + 9 = 141 bytes, COSE 80 bytes around it, time and signature 68: 289 bytes,
# 434 characters.
DEVICE_CHARACTERS_MAX: Final = len(PREFIX) + 434

_DOMAIN: Final = b"tianfu device code 1"
# Array of 7; exp and iat as 32-bit numbers; the id as 16 bytes; the key as 33 bytes.
_FIXED: Final = struct.Struct(">BBIBIB16s2s33s")
_ARRAY_OF_7: Final = 0x87
_NUMBER_32: Final = 0x1A
_BYTES_16: Final = 0x50
_BYTES_33: Final = b"\x58\x21"
_COMPRESSED: Final = (2, 3)
_INSTANT_MIN: Final = 2**16  # below, the shortest form would be another; 18 hours after the start of 1970


class Certificate(NamedTuple):
    """What we sign for a phone. Instants are seconds since 1970; `expires_at` no longer belongs to its life.

    `credential_id` names the certificate (`tianfu.passcode.reference`); `public_key` is the phone's, a compressed
    point of P-256; `rule_set` the number of the rules in force when it was made.
    """

    expires_at: int
    issued_at: int
    credential_id: bytes
    public_key: bytes
    rule_set: int
    masked_name: str
    last_digits: str


class Presentation(NamedTuple):
    """One showing: the certificate's message, when the phone says it is, and the phone's signature over both."""

    certificate: bytes
    shown_at: int
    signature: bytes


class OpenedDevice(NamedTuple):
    """A showing whose two signatures hold, and the kid of the key that made the certificate."""

    certificate: Certificate
    shown_at: int
    kid: bytes

    @property
    def cti(self) -> bytes:
        """The number of this one showing: the same for every text of it."""
        return showing_number(self.certificate.credential_id, self.shown_at)

    @property
    def ends_at(self) -> int:
        """The first second that no longer belongs to the showing, clocks being right."""
        return min(self.shown_at + SHOWN_LIFE_SECONDS, self.certificate.expires_at)


def encode(certificate: Certificate) -> bytes:
    """The content bytes of `certificate`. Raises `ValueError` for a value outside its limits: the caller's bug.

    Whether the key is a point of the curve is not looked at here; `device_key` does.
    """
    expires_at, issued_at, credential_id, public_key, rule_set, masked_name, last_digits = certificate
    name = masked_name.encode()
    digits = last_digits.encode()
    if len(name) > MASKED_NAME_BYTES_MAX or len(digits) > LAST_DIGITS_BYTES_MAX:
        message = "a mask is too long"
        raise ValueError(message)
    if len(credential_id) != CREDENTIAL_ID_BYTES or not 0 <= rule_set <= RULE_SET_MAX:
        message = "credential id or rule set is outside its limits"
        raise ValueError(message)
    if len(public_key) != PUBLIC_KEY_BYTES or public_key[0] not in _COMPRESSED:
        message = "not a compressed point"
        raise ValueError(message)
    if not _INSTANT_MIN <= issued_at < expires_at < 2**32 or expires_at - issued_at > DEVICE_LIFE_SECONDS_MAX:
        message = "life is outside its limits"
        raise ValueError(message)
    fixed = _FIXED.pack(
        _ARRAY_OF_7,
        _NUMBER_32,
        expires_at,
        _NUMBER_32,
        issued_at,
        _BYTES_16,
        credential_id,
        _BYTES_33,
        public_key,
    )
    return fixed + number(rule_set) + text(name) + text(digits)


def decode(content: bytes) -> Certificate:
    """The certificate that `encode` wrote. Raises `CodeInvalidError` for any other bytes."""
    try:
        _, _, expires_at, _, issued_at, _, credential_id, _, public_key = _FIXED.unpack_from(content)
        rule_set, at = read_head(content, _FIXED.size, NUMBER)
        masked_name, at = read_text(content, at)
        last_digits, _ = read_text(content, at)
        found = Certificate(expires_at, issued_at, credential_id, public_key, rule_set, masked_name, last_digits)
        is_exact = encode(found) == content
    except (struct.error, IndexError, ValueError):
        raise CodeInvalidError from None
    if not is_exact:
        raise CodeInvalidError
    return found


def device_key(public_key: bytes) -> VerifyKey:
    """The phone's key. Raises `ValueError` unless it is a compressed point of P-256."""
    if len(public_key) != PUBLIC_KEY_BYTES or public_key[0] not in _COMPRESSED:
        message = "not a compressed point"
        raise ValueError(message)
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    return VerifyKey(point, KeyPurpose.DEVICE, kid=b"")


def device_message(certificate: bytes, shown_at: int) -> bytes:
    """What the phone signs (ES256) to show its code at `shown_at`."""
    return _DOMAIN + hashlib.sha256(certificate).digest() + _TIME.pack(shown_at)


def showing_number(credential_id: bytes, shown_at: int) -> bytes:
    """The number by which one showing is recognised: two texts of it have the same."""
    return hashlib.sha256(credential_id + _TIME.pack(shown_at)).digest()[:CTI_BYTES]


def presentation_text(presentation: Presentation) -> str:
    """The text for the QR."""
    tail = _TIME.pack(presentation.shown_at) + presentation.signature
    return PREFIX + base45.encode(presentation.certificate + tail)


def read_presentation(code: str) -> Presentation:
    """The parts of `code`, nothing verified. Raises `CodeInvalidError` and nothing else."""
    if len(code) > DEVICE_CHARACTERS_MAX or not code.startswith(PREFIX):
        raise CodeInvalidError
    try:
        data = base45.decode(code[len(PREFIX) :])
    except ValueError:
        raise CodeInvalidError from None
    if len(data) <= _TAIL_BYTES:
        raise CodeInvalidError
    certificate_end = len(data) - _TAIL_BYTES
    shown_at: int = _TIME.unpack_from(data, certificate_end)[0]
    return Presentation(data[:certificate_end], shown_at, data[-SIGNATURE_BYTES:])


def read_device(code: str, keys: VerifyKeys) -> OpenedDevice:
    """The showing with the text `code`, if a trusted device key signed its certificate and the phone the time.

    Raises `CodeInvalidError` and nothing else. Whether the two live, the certificate was killed, and what the colour
    is, is for the caller to look up.
    """
    shown = read_presentation(code)
    opened = open1(shown.certificate, keys, KeyPurpose.DEVICE)
    certificate = decode(opened.payload)
    try:
        key = device_key(certificate.public_key)
    except ValueError:
        raise CodeInvalidError from None
    if not key.verify(shown.signature, device_message(shown.certificate, shown.shown_at)):
        raise CodeInvalidError
    return OpenedDevice(certificate, shown.shown_at, opened.key.kid)
