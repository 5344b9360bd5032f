"""Signed lists for tests, made from a ring as the worker makes them."""

from __future__ import annotations

from collections.abc import Collection

from tianfu.passcode.lists import TOLD_PURPOSES, TrustList, not_green, sign_list
from tianfu.platform.keyring import GateKeys
from tianfu.platform.publickeys import PublicKey
from tianfu.platform.sign import KeyPurpose

LIFE = 4 * 3600
ORIGIN = "https://jkt.example.cn"


def told(ring: GateKeys, at: int) -> tuple[PublicKey, ...]:
    """The keys that a trust list tells."""
    return ring.public(at, TOLD_PURPOSES)


def pinned(ring: GateKeys, at: int) -> tuple[PublicKey, ...]:
    """The list keys that a scanner pins."""
    return ring.public(at, (KeyPurpose.LIST,))


def trust_text(
    ring: GateKeys, at: int, *, number: int = 1, life: int = LIFE, purpose: KeyPurpose = KeyPurpose.LIST
) -> str:
    """A signed trust list of the ring's keys, made at `at`."""
    made = TrustList(number, at, at + life, told(ring, at))
    return sign_list(ring.at(at).signers[purpose], made)


def not_green_text(ring: GateKeys, at: int, ids: Collection[bytes] = (), *, number: int = 1, life: int = LIFE) -> str:
    """A signed "not green" list of `ids`, made at `at`."""
    made = not_green(ids, number=number, issued_at=at, expires_at=at + life)
    return sign_list(ring.at(at).signers[KeyPurpose.LIST], made)
