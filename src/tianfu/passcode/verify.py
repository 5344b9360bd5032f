"""Checking a code that somebody holds up: signature, key purpose, life, holder. Hot.

Everything a stranger can put into a QR ends in one of three errors. What the colour is now, and whether the same
code was held up before, is for the caller to look up by `person` and `cti`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tianfu.errors import TianfuError
from tianfu.ids import PersonRef
from tianfu.passcode import base45, token
from tianfu.passcode.reference import unseal
from tianfu.platform.cose import CodeInvalidError, open1
from tianfu.platform.keyring import GateKeys
from tianfu.platform.sign import KeyPurpose

# Phones never set the time of a code, servers do; theirs agree to well under a second, and a scan takes a few.
SKEW_SECONDS: Final = 5


class CodeExpiredError(TianfuError):
    """The code is genuine and too old: a screenshot, or a phone that lost its network."""

    code = "code_expired"
    status = 422
    zh = "该码已过期，请让对方刷新后重新出示。"
    en = "This code has expired. Ask for a fresh one to be shown."


class CodeNotYetValidError(TianfuError):
    """The code is genuine and from the future: one of our clocks is wrong."""

    code = "code_not_yet_valid"
    status = 422
    zh = "该码尚未生效，请稍后重试；若仍如此，请检查设备时间。"
    en = "This code is not valid yet. Try again shortly; if it goes on, a clock is wrong."


class PersonalCode(NamedTuple):
    """A code that holds. `cti` names it: the same code held up twice has the same one, whatever its signature bytes.

    `colour` and `rule_set` are those of its making; the colour now is on the board.
    """

    person: PersonRef
    cti: bytes
    colour: int
    rule_set: int
    masked_name: str
    last_digits: str
    issued_at: int
    expires_at: int


def verify(text: str, keys: GateKeys, at_seconds: int, skew_seconds: int = SKEW_SECONDS) -> PersonalCode:
    """What the code `text` says, if it holds at `at_seconds`: from `issued_at - skew` until before `expires_at + skew`.

    Raises `CodeInvalidError`, `CodeExpiredError` or `CodeNotYetValidError` and nothing else, whatever `text` holds.
    """
    if len(text) > token.CODE_CHARACTERS_MAX or not text.startswith(token.PREFIX):
        raise CodeInvalidError
    try:
        message = base45.decode(text[len(token.PREFIX) :])
    except ValueError:
        raise CodeInvalidError from None
    in_force = keys.at(at_seconds)
    opened = open1(message, in_force.verify, KeyPurpose.PERSONAL)
    content = token.decode(opened.payload)
    cipher = in_force.references.get(opened.key.kid)
    if cipher is None or content.expires_at > content.issued_at + token.CODE_LIFE_SECONDS:
        raise CodeInvalidError
    person = unseal(content.reference, content.cti, cipher)
    if at_seconds >= content.expires_at + skew_seconds:
        raise CodeExpiredError
    if at_seconds < content.issued_at - skew_seconds:
        raise CodeNotYetValidError
    return PersonalCode(
        person,
        content.cti,
        content.colour,
        content.rule_set,
        content.masked_name,
        content.last_digits,
        content.issued_at,
        content.expires_at,
    )
