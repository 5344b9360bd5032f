"""A trust file: everything that checking codes without network needs, in one JSON document with nothing secret in it.

`tianfu codes trust` writes one from the board and the gate's public keys; whoever gets it over a channel they trust can
check codes on a machine that has no part of ours. The lists inside are signed; the root and the origin are what the
channel vouches for.
"""

from __future__ import annotations

import binascii
from typing import Final

import msgspec

from tianfu.errors import TianfuError
from tianfu.passcode.handout import ListAbsentError, Root, RootKey, root
from tianfu.passcode.lists import LIST_CHARACTERS_MAX, NOT_GREEN, TRUST
from tianfu.passcode.offline import Trust
from tianfu.platform import base64url
from tianfu.platform.keyring import GateKeys
from tianfu.platform.publickeys import PublicKey
from tianfu.platform.sign import KeyPurpose
from tianfu.status.read import Board

VERSION: Final = 1
# Two lists at their longest, and 64 kB for a root of hundreds of keys and the origin.
FILE_BYTES_MAX: Final = 2 * LIST_CHARACTERS_MAX + 65_536


class TrustFileInvalidError(TianfuError):
    """The trust file is damaged, of another version, or its lists were not signed by its own root."""

    code = "trust_file_invalid"
    status = 422
    zh = "信任文件无法使用，请重新导出：tianfu codes trust --out FILE。"
    en = "The trust file cannot be used; make it anew with: tianfu codes trust --out FILE"


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document. `not_green` is None where there was no such list."""

    version: int
    origin: str
    root: tuple[RootKey, ...]
    trust: str
    not_green: str | None = None


def collect(board: Board, ring: GateKeys, public_origin: str, at_seconds: int) -> Bundle:
    """The bundle of now. Raises `ListAbsentError` when the worker has not signed a trust list yet."""
    trust = board.signed_list(TRUST.encode())
    if trust is None:
        raise ListAbsentError
    not_green = board.signed_list(NOT_GREEN.encode())
    told: Root = root(ring.public(at_seconds, (KeyPurpose.LIST,)))
    return Bundle(VERSION, public_origin, told.keys, trust.decode(), None if not_green is None else not_green.decode())


def write(bundle: Bundle) -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n"


def read(body: bytes) -> Trust:
    """What a scanner believes that got this file. Raises `TrustFileInvalidError` and nothing else."""
    bundle = _decoded(body)
    try:
        trust = Trust(map(_pinned, bundle.root), bundle.origin)
        trust.take_trust(bundle.trust)
        if bundle.not_green is not None:
            trust.take_not_green(bundle.not_green)
    except (ValueError, TianfuError) as cause:
        raise TrustFileInvalidError from cause
    return trust


def _decoded(body: bytes) -> Bundle:
    try:
        bundle = msgspec.json.decode(body[: FILE_BYTES_MAX + 1], type=Bundle)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as cause:
        raise TrustFileInvalidError from cause
    if bundle.version != VERSION or len(body) > FILE_BYTES_MAX:
        raise TrustFileInvalidError
    return bundle


def _pinned(key: RootKey) -> PublicKey:
    return PublicKey(KeyPurpose.LIST, binascii.unhexlify(key.kid), base64url.decode(key.point), 0, 0)
