"""Checking a code that somebody holds up: signature, key purpose, life, holder. Hot.

Everything a stranger can put into a QR ends in one of three errors. What the colour is now, whether a card or
certificate was killed, and whether the same code was held up before, is for the caller to look up by `person`,
`credential_id` and `cti`.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from tianfu.errors import TianfuError
from tianfu.ids import PersonRef
from tianfu.passcode import base45, card, device, token
from tianfu.passcode.card import read_card
from tianfu.passcode.device import CLOCK_SECONDS, SHOWN_LIFE_SECONDS, read_device
from tianfu.passcode.reference import CARD_DOMAIN, DEVICE_DOMAIN, RANDOM_BYTES, holder, unseal
from tianfu.passcode.token import Token
from tianfu.platform.cose import CodeInvalidError, open1
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose, VerifyKeys

# Phones never set the time of a dynamic code, servers do; theirs agree to well under a second, and a scan takes a few.
SKEW_SECONDS: Final = 5
# From the first instant at which a code of one use can be accepted to the last: a dynamic code's life and the clocks'
# skew on both sides, or a showing's life and what a phone's clock may be off.
ONE_TIME_SECONDS_MAX: Final = max(
    token.CODE_LIFE_SECONDS + 2 * SKEW_SECONDS, SHOWN_LIFE_SECONDS + 2 * max(CLOCK_SECONDS, SKEW_SECONDS)
)


class CodeExpiredError(TianfuError):
    """The code is genuine and too old: a screenshot, a phone that lost its network, a card past its days."""

    code = "code_expired"
    status = 422
    zh = "该码已过期，请让对方刷新后重新出示。"
    en = "This code has expired. Ask for a fresh one to be shown."


class CodeNotYetValidError(TianfuError):
    """The code is genuine and from the future: one of our clocks is wrong, or the phone's is."""

    code = "code_not_yet_valid"
    status = 422
    zh = "该码尚未生效，请稍后重试；若仍如此，请检查设备时间。"
    en = "This code is not valid yet. Try again shortly; if it goes on, a clock is wrong."


class CodeKilledError(TianfuError):
    """The card or certificate is genuine and was killed: reported lost, or replaced by a newer one."""

    code = "code_killed"
    status = 422
    zh = "该码已挂失或已被新码取代，请让对方出示新码。"
    en = "This code was reported lost or replaced by a newer one. Ask for the newer one to be shown."


class CodeKind(enum.Enum):
    """What was held up; the value is the word in answers."""

    DYNAMIC = "dynamic"
    CARD = "card"
    DEVICE = "device"


class VerifiedCode(NamedTuple):
    """A code that holds.

    `cti` names it: the same code held up twice has the same one, whatever its signature bytes. A card has the same
    one always; it is no code of one use. `credential_id` names the card or the certificate, empty for a dynamic code:
    that may have been killed. `colour` and `rule_set` are those of a dynamic code's making (0 otherwise but for the
    rule set of a certificate); the colour now is on the board. `issued_at` and `expires_at` bound what was held up:
    for a device-bound code the showing, not the certificate.
    """

    kind: CodeKind
    person: PersonRef
    cti: bytes
    credential_id: bytes
    colour: int
    rule_set: int
    masked_name: str
    last_digits: str
    issued_at: int
    expires_at: int

    @property
    def one_time(self) -> bool:
        """Whether the code is good for one scan."""
        return self.kind is not CodeKind.CARD


class OpenedToken(NamedTuple):
    """A dynamic code whose signature holds, and the kid of the key that made it."""

    token: Token
    kid: bytes


def verify(text: str, keys: GateKeys, at_seconds: int, skew_seconds: int = SKEW_SECONDS) -> VerifiedCode:
    """What the code with `text` says, if it holds at `at_seconds` give or take `skew_seconds`.

    A phone's own clock may be off by `CLOCK_SECONDS` besides, for a device-bound code. Raises `CodeInvalidError`,
    `CodeExpiredError` or `CodeNotYetValidError` and nothing else, whatever `text` holds.
    """
    in_force = keys.at(at_seconds)
    if text.startswith(token.PREFIX):
        content, kid = read_token(text, in_force.verify)
        cipher = in_force.references.get(kid)
        if cipher is None:
            raise CodeInvalidError
        person = unseal(content.reference, content.cti, cipher)
        require_life(content.issued_at, content.expires_at, at_seconds, skew_seconds)
        return VerifiedCode(
            CodeKind.DYNAMIC,
            person,
            content.cti,
            b"",
            content.colour,
            content.rule_set,
            content.masked_name,
            content.last_digits,
            content.issued_at,
            content.expires_at,
        )
    if text.startswith(card.PREFIX):
        printed, kid = read_card(text, in_force.verify)
        cipher = in_force.references.get(kid)
        if cipher is None:
            raise CodeInvalidError
        person = holder(printed.credential_id, cipher, CARD_DOMAIN)
        require_life(printed.issued_at, printed.expires_at, at_seconds, skew_seconds)
        return VerifiedCode(
            CodeKind.CARD,
            person,
            printed.credential_id[:RANDOM_BYTES],
            printed.credential_id,
            0,
            0,
            printed.masked_name,
            printed.last_digits,
            printed.issued_at,
            printed.expires_at,
        )
    return _device(text, keys, at_seconds, skew_seconds)


def read_token(text: str, keys: VerifyKeys) -> OpenedToken:
    """The dynamic code with `text`, if a trusted personal key signed it. Raises `CodeInvalidError` and nothing else."""
    if len(text) > token.CODE_CHARACTERS_MAX or not text.startswith(token.PREFIX):
        raise CodeInvalidError
    try:
        message = base45.decode(text[len(token.PREFIX) :])
    except ValueError:
        raise CodeInvalidError from None
    opened = open1(message, keys, KeyPurpose.PERSONAL)
    content = token.decode(opened.payload)
    if content.expires_at > content.issued_at + token.CODE_LIFE_SECONDS:
        raise CodeInvalidError
    return OpenedToken(content, opened.key.kid)


def require_life(issued_at: int, expires_at: int, at_seconds: int, skew_seconds: int) -> None:
    """Nothing while the code lives. Raises `CodeExpiredError` or `CodeNotYetValidError`."""
    if at_seconds >= expires_at + skew_seconds:
        raise CodeExpiredError
    if at_seconds < issued_at - skew_seconds:
        raise CodeNotYetValidError


def _device(text: str, keys: GateKeys, at_seconds: int, skew_seconds: int) -> VerifiedCode:
    in_force = keys.at(at_seconds)
    opened = read_device(text, in_force.verify)
    certificate = opened.certificate
    cipher = in_force.references.get(opened.kid)
    if cipher is None:
        raise CodeInvalidError
    person = holder(certificate.credential_id, cipher, DEVICE_DOMAIN)
    require_device_life(opened, at_seconds, skew_seconds)
    return VerifiedCode(
        CodeKind.DEVICE,
        person,
        opened.cti,
        certificate.credential_id,
        0,
        certificate.rule_set,
        certificate.masked_name,
        certificate.last_digits,
        opened.shown_at,
        opened.ends_at,
    )


def require_device_life(opened: device.OpenedDevice, at_seconds: int, skew_seconds: int) -> None:
    """Nothing while certificate and showing live. Raises `CodeExpiredError` or `CodeNotYetValidError`."""
    certificate = opened.certificate
    require_life(certificate.issued_at, certificate.expires_at, at_seconds, skew_seconds)
    # The certificate's times are ours; the showing's is the phone's.
    shown_until = opened.shown_at + SHOWN_LIFE_SECONDS
    require_life(opened.shown_at, shown_until, at_seconds, max(CLOCK_SECONDS, skew_seconds))
