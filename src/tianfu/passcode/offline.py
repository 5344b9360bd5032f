"""Checking a code without network, database or any secret: what a scanner does in a tunnel.

It believes a pinned root (list keys), the latest trust list that one of them signed, and the latest "not green" list.
A list past its age, a clock before the list's making, or none at all ends in "cannot check", never in green. The
holder of a code stays unknown: only we can open that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from tianfu.errors import TianfuError
from tianfu.passcode import card, device, lists, token
from tianfu.passcode.card import KINDS, read_card
from tianfu.passcode.device import read_device
from tianfu.passcode.lists import ListInvalidError, NotGreenList, TrustList, read_not_green, read_trust
from tianfu.passcode.verify import (
    SKEW_SECONDS,
    CodeExpiredError,
    CodeNotYetValidError,
    read_token,
    require_device_life,
    require_life,
)
from tianfu.platform.cose import CodeInvalidError
from tianfu.platform.publickeys import PublicKey
from tianfu.platform.sign import KeyPurpose, VerifyKeys
from tianfu.status.record import COLOURS
from tianfu.venues.link import PATH_VEHICLE, PATH_VENUE
from tianfu.venues.poster import read_poster
from tianfu.venues.vehicle import VehicleClaim


class ListOlderError(TianfuError):
    """A list with a lower number than the one in use: somebody plays back an old one."""

    code = "list_older"
    status = 409
    zh = "该名单比正在使用的旧，未予采用。"
    en = "This list is older than the one in use; it is not used."


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be said of one text. What does not apply is left out.

    `verdict` is one of valid, expired, not_yet_valid, not_green (killed, or its holder not green), invalid,
    cannot_check; `why` says what is missing for the last. Instants are seconds since 1970. `colour` is that of a
    dynamic code's making; of a card or a device-bound code that is valid all that is known is that it was in no list.
    """

    kind: str
    verdict: str
    why: str | None = None
    colour: str | None = None
    masked_name: str | None = None
    last_digits: str | None = None
    issued_at: int | None = None
    expires_at: int | None = None
    rule_set: int | None = None
    generation: int | None = None
    card: str | None = None
    name: str | None = None
    category: str | None = None
    district: str | None = None
    vehicle: str | None = None
    plate: str | None = None
    operator: str | None = None


_NOT_GREEN_KINDS: Final = ("card", "device")
_ENDS: Final[tuple[tuple[type[TianfuError], str], ...]] = (
    (CodeExpiredError, "expired"),
    (CodeNotYetValidError, "not_yet_valid"),
    (CodeInvalidError, "invalid"),
)


class Trust:
    """What one scanner believes, and how it learns of more. For one thread."""

    def __init__(self, pinned: Iterable[PublicKey], public_origin: str) -> None:
        """Believe lists signed by `pinned`, and posters of `public_origin`. Raises `ValueError` for an unfit key."""
        self._roots = VerifyKeys(key.verify_key() for key in pinned)
        self._origin = public_origin
        self._trust: TrustList | None = None
        self._not_green: NotGreenList | None = None
        self._clock_seconds = 0
        self._keys = VerifyKeys(())
        self._standing: tuple[bool, ...] = ()

    def take_trust(self, signed: str) -> None:
        """Use this trust list from now on; its list keys take the place of the pinned ones.

        Raises `ListInvalidError`, or `ListOlderError` for a lower number than the one in use.
        """
        found = read_trust(signed, self._roots)
        if self._trust is not None and found.number < self._trust.number:
            raise ListOlderError
        roots = [key.verify_key() for key in found.keys if key.purpose is KeyPurpose.LIST]
        if not roots:
            raise ListInvalidError
        self._tell_time(self._trust, found)
        self._trust, self._roots = found, VerifyKeys(roots)
        self._standing = ()

    def take_not_green(self, signed: str) -> None:
        """Use this "not green" list from now on. Raises `ListInvalidError` or `ListOlderError`."""
        found = read_not_green(signed, self._roots)
        if self._not_green is not None and found.number < self._not_green.number:
            raise ListOlderError
        self._tell_time(self._not_green, found)
        self._not_green = found

    def verdict(self, text: str, at_seconds: int, skew_seconds: int = SKEW_SECONDS) -> Verdict:
        """What may be said of `text` at `at_seconds`. Raises nothing, whatever `text` holds; opens no link.

        Time only goes on: a clock set back since the last verdict, beyond the skew, would make old codes look fresh.
        """
        kind = self._kind(text)
        if kind == "unknown":
            return Verdict(kind=kind, verdict="invalid")
        why = _unfit(lists.TRUST, self._trust, at_seconds, skew_seconds)
        if why is None and kind in _NOT_GREEN_KINDS:
            why = _unfit(lists.NOT_GREEN, self._not_green, at_seconds, skew_seconds)
        if why is None and at_seconds < self._clock_seconds - skew_seconds:
            why = "clock set back"
        if why is not None:
            return Verdict(kind=kind, verdict="cannot_check", why=why)
        self._clock_seconds = max(self._clock_seconds, at_seconds)
        keys = self._keys_at(at_seconds, skew_seconds)
        try:
            if kind == "dynamic":
                return _dynamic(text, keys, at_seconds, skew_seconds)
            if kind == "card":
                return self._card(text, keys, at_seconds, skew_seconds)
            if kind == "device":
                return self._device(text, keys, at_seconds, skew_seconds)
            return self._poster(text, keys)
        except TianfuError as error:
            ended = next((word for family, word in _ENDS if isinstance(error, family)), "invalid")
            return Verdict(kind=kind, verdict=ended)

    def _tell_time(self, before: TrustList | NotGreenList | None, found: TrustList | NotGreenList) -> None:
        """A newer list says what time it is: a clock that was ahead, and has been set right, may be believed again."""
        if before is not None and found.number > before.number:
            self._clock_seconds = found.issued_at

    def _kind(self, text: str) -> str:
        prefixes = (
            (token.PREFIX, "dynamic"),
            (card.PREFIX, "card"),
            (device.PREFIX, "device"),
            (self._origin + PATH_VENUE, "venue"),
            (self._origin + PATH_VEHICLE, "vehicle"),
        )
        return next((kind for prefix, kind in prefixes if text.startswith(prefix)), "unknown")

    def _keys_at(self, at_seconds: int, skew_seconds: int) -> VerifyKeys:
        """The trusted keys in force; built anew only when another key has started or ended."""
        keys = () if self._trust is None else self._trust.keys
        standing = tuple(_in_force(key, at_seconds, skew_seconds) for key in keys)
        if standing != self._standing:
            self._keys = VerifyKeys(key.verify_key() for key, is_in in zip(keys, standing, strict=True) if is_in)
            self._standing = standing
        return self._keys

    def _listed(self, credential_id: bytes) -> str:
        return "not_green" if self._not_green is None or self._not_green.has(credential_id) else "valid"

    def _card(self, text: str, keys: VerifyKeys, at_seconds: int, skew_seconds: int) -> Verdict:
        found = read_card(text, keys).card
        require_life(found.issued_at, found.expires_at, at_seconds, skew_seconds)
        return Verdict(
            kind="card",
            verdict=self._listed(found.credential_id),
            masked_name=found.masked_name,
            last_digits=found.last_digits,
            issued_at=found.issued_at,
            expires_at=found.expires_at,
            generation=found.generation,
            card=KINDS[found.kind],
        )

    def _device(self, text: str, keys: VerifyKeys, at_seconds: int, skew_seconds: int) -> Verdict:
        opened = read_device(text, keys)
        require_device_life(opened, at_seconds, skew_seconds)
        found = opened.certificate
        return Verdict(
            kind="device",
            verdict=self._listed(found.credential_id),
            masked_name=found.masked_name,
            last_digits=found.last_digits,
            issued_at=opened.shown_at,
            expires_at=opened.ends_at,
            rule_set=found.rule_set,
        )

    def _poster(self, text: str, keys: VerifyKeys) -> Verdict:
        claim = read_poster(text, keys, self._origin)
        if isinstance(claim, VehicleClaim):
            return Verdict(
                kind="vehicle",
                verdict="valid",
                generation=claim.generation,
                vehicle=claim.kind,
                plate=claim.plate,
                operator=claim.operator,
            )
        return Verdict(
            kind="venue",
            verdict="valid",
            generation=claim.generation,
            name=claim.name,
            category=claim.category,
            district=claim.district,
        )


def _dynamic(text: str, keys: VerifyKeys, at_seconds: int, skew_seconds: int) -> Verdict:
    found = read_token(text, keys).token
    require_life(found.issued_at, found.expires_at, at_seconds, skew_seconds)
    return Verdict(
        kind="dynamic",
        verdict="valid",
        colour=COLOURS[found.colour],
        masked_name=found.masked_name,
        last_digits=found.last_digits,
        issued_at=found.issued_at,
        expires_at=found.expires_at,
        rule_set=found.rule_set,
    )


def _in_force(key: PublicKey, at_seconds: int, skew_seconds: int) -> bool:
    return key.starts_at <= at_seconds + skew_seconds and (not key.ends_at or at_seconds < key.ends_at)


def _unfit(kind: str, found: TrustList | NotGreenList | None, at_seconds: int, skew_seconds: int) -> str | None:
    """Why a list says nothing now: there is none, it is too old, or the clock is before its making; None when fit."""
    if found is None:
        return f"no {kind} list"
    if at_seconds >= found.expires_at:
        return f"{kind} list too old"
    return "clock before the list" if at_seconds < found.issued_at - skew_seconds else None
