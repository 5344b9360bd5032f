"""The two key rings: what the gate may know, and what only the records side may know.

`gate.json` holds the signing keys, the session key and the keys that seal the holder's reference in a code;
`records.json` holds the keys that seal personal data and make blind indexes. They are two files so that a gate can
run on a machine that cannot read one name out of the database.

A ring is read once and looked at again every `RELOAD_SECONDS`, so a rotated key reaches every process without a
restart. A new key starts to sign only `ANNOUNCE_SECONDS` later, when everybody has seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tianfu.clock import Clock, SystemClock
from tianfu.platform import keyfile
from tianfu.platform.keychange import REFERRING, completed, first_keys
from tianfu.platform.keyfile import KeyFile, KeyringBrokenError, KeyUse, StoredKey
from tianfu.platform.publickeys import PublicKey, public_key
from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKey, VerifyKeys

GATE_KIND: Final = "gate"
RECORDS_KIND: Final = "records"
GATE_USES: Final = (
    KeyUse.PERSONAL,
    KeyUse.CARD,
    KeyUse.DEVICE,
    KeyUse.VENUE,
    KeyUse.VEHICLE,
    KeyUse.LIST,
    KeyUse.EVIDENCE,
    KeyUse.SESSION,
)
RECORDS_USES: Final = (KeyUse.SEAL, KeyUse.INDEX)

# A retired key is refused everywhere within this time; one `stat` of a small file costs 2 µs.
RELOAD_SECONDS: Final = 2

_AES_BYTES: Final = 32
_NEVER: Final = 2**62

Keys = TypeVar("Keys")
Built = TypeVar("Built")


def gate_path(var: Path) -> Path:
    """Where the gate's ring is, under the data folder."""
    return var / "keys" / "gate.json"


def records_path(var: Path) -> Path:
    """Where the records' ring is, under the data folder."""
    return var / "keys" / "records.json"


class SessionRing(NamedTuple):
    """The AEADs of the session keys by their one-byte id; `sealing_id` names the one for new sessions."""

    sealing_id: int
    aeads: MappingProxyType[int, AESGCM]


class GateKeySet(NamedTuple):
    """What the gate's ring holds at one instant.

    `signers` has the one signing key of each purpose; `verify` every key still accepted. `references` seals the
    holder's reference and is named by the kid of the personal, card or device key it belongs to: one AES-256-ECB
    encryptor each, fed whole blocks only.
    """

    signers: MappingProxyType[KeyPurpose, SigningKey]
    verify: VerifyKeys
    references: MappingProxyType[bytes, CipherContext]
    sessions: SessionRing


class RecordSecret(NamedTuple):
    """One AES or HMAC key of the records' ring."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        """Without the secret."""
        return f"RecordSecret({self.id})"


class RecordKeySet(NamedTuple):
    """What the records' ring holds at one instant: live keys of each use, the one for new data first."""

    seals: tuple[RecordSecret, ...]
    indexes: tuple[RecordSecret, ...]


class _Watched(Generic[Keys]):
    """A key file, looked at again every `RELOAD_SECONDS`; subclasses say what is built from it.

    `at` gives the keys of an instant, the same object until something about them changes; cheap enough to be asked
    for every request. When the file cannot be used any more the last good keys stay and `trouble` says why.
    """

    def __init__(self, path: Path, kind: str, content: KeyFile) -> None:
        self._path = path
        self._kind = kind
        self._content = content
        # The stamp is taken later than the content was read: nothing equals it, so the file is read once more.
        self._stamp = (0, 0, 0)
        self._from = 0
        self._until = -_NEVER
        self._set = self._build(content, 0)
        self._built_from = (content, _standing(content, 0))
        self.trouble: KeyringBrokenError | None = None

    @property
    def keys(self) -> tuple[StoredKey, ...]:
        """Every key of the file as last read, retired ones included."""
        return self._content.keys

    def at(self, at_seconds: int) -> Keys:
        """The keys in force at `at_seconds`, from a file read at most `RELOAD_SECONDS` before."""
        if self._from <= at_seconds < self._until:
            return self._set
        return self._renew(at_seconds)

    def _build(self, content: KeyFile, at_seconds: int) -> Keys:
        """The keys of `content` in force at an instant. Raises `KeyringBrokenError`."""
        raise NotImplementedError

    def _renew(self, at_seconds: int) -> Keys:
        """Look at the file, then at the instant; the file's trouble never keeps a key beyond its end."""
        self.trouble = self._reload()
        wanted = (self._content, _standing(self._content, at_seconds))
        if wanted[0] is not self._built_from[0] or wanted[1] != self._built_from[1]:
            try:
                self._set = self._build(self._content, at_seconds)
                self._built_from = wanted
            except KeyringBrokenError as trouble:
                self.trouble = trouble
        turns = [at_seconds + RELOAD_SECONDS]
        for key in self._content.keys:
            turns += [turn for turn in (key.starts_at, key.ends_at) if turn is not None and turn > at_seconds]
        self._from, self._until = at_seconds, min(turns)
        return self._set

    def _reload(self) -> KeyringBrokenError | None:
        """Take up a changed file; why it could not be taken up, if so."""
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                found = keyfile.load(self._path, self._kind)
                if found != self._content:
                    self._content = found
                self._stamp = stamp
        except KeyringBrokenError as trouble:
            return trouble
        except OSError as cause:
            unreadable = KeyringBrokenError(en=f"The key file {self._path} cannot be read.")
            unreadable.__cause__ = cause
            return unreadable
        return None


class GateKeys(_Watched[GateKeySet]):
    """The gate's ring."""

    def __init__(self, path: Path, content: KeyFile) -> None:
        self._signing: dict[str, SigningKey] = {}
        super().__init__(path, GATE_KIND, content)

    @classmethod
    def load_or_create(cls, path: Path, *, clock: Clock | None = None) -> GateKeys:
        """The ring at `path`, made when there never was one. Raises as `keyfile.load_or_create`."""
        return cls(path, _load_or_create(path, GATE_KIND, GATE_USES, clock))

    def public(self, at_seconds: int, purposes: Collection[KeyPurpose]) -> tuple[PublicKey, ...]:
        """The public halves of the keys for `purposes` that are accepted at `at_seconds`, in order of their making.

        The file is looked at as for `at`. Raises `KeyringBrokenError`.
        """
        self.at(at_seconds)
        wanted = {KeyUse(purpose.value): purpose for purpose in purposes}
        return tuple(
            _checked(key, lambda: _public_key(key, wanted[key.use]))  # noqa: B023 - called at once
            for key in self.keys
            if key.use in wanted and key.is_live(at_seconds)
        )

    def _build(self, content: KeyFile, at_seconds: int) -> GateKeySet:
        return _gate_set(content, at_seconds, self._signing)


class RecordKeys(_Watched[RecordKeySet]):
    """The records' ring: keys that seal personal data and make blind indexes. Never given to a gate."""

    @classmethod
    def load_or_create(cls, path: Path, *, clock: Clock | None = None) -> RecordKeys:
        """The ring at `path`, made when there never was one. Raises as `keyfile.load_or_create`."""
        return cls(path, RECORDS_KIND, _load_or_create(path, RECORDS_KIND, RECORDS_USES, clock))

    def _build(self, content: KeyFile, at_seconds: int) -> RecordKeySet:
        return _record_set(content, at_seconds)


def _load_or_create(path: Path, kind: str, uses: tuple[KeyUse, ...], clock: Clock | None) -> KeyFile:
    at_seconds = int((clock or SystemClock()).now().timestamp())
    return keyfile.load_or_create(
        path,
        kind,
        lambda: first_keys(uses, at_seconds),
        lambda content: completed(content, uses, at_seconds),
    )


def _standing(content: KeyFile, at_seconds: int) -> tuple[tuple[bool, bool], ...]:
    """Which keys are live and which have started: what the keys in force depend on besides the file."""
    return tuple((key.is_live(at_seconds), key.has_started(at_seconds)) for key in content.keys)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _in_force(content: KeyFile, use: KeyUse, at_seconds: int) -> tuple[StoredKey, ...]:
    """The live keys of `use`, the one for new things first. Raises `KeyringBrokenError` when nothing can be made."""
    live = [key for key in reversed(content.keys) if key.use is use and key.is_live(at_seconds)]
    if not live:
        raise KeyringBrokenError(
            en=f"The key ring has no usable {use.value} key; run `tianfu keys rotate --which {use.value}`.",
            zh=f"密钥环中没有可用的 {use.value} 密钥，请运行 tianfu keys rotate --which {use.value}。",
        )
    # Before any has started (a clock set back) the oldest one works.
    making = next((key for key in live if key.has_started(at_seconds)), live[-1])
    return (making, *(key for key in live if key is not making))


def _gate_set(content: KeyFile, at_seconds: int, signing: dict[str, SigningKey]) -> GateKeySet:
    """Build the set; `signing` keeps key objects between calls, as deriving one costs 60 µs."""
    signers: dict[KeyPurpose, SigningKey] = {}
    accepted: list[VerifyKey] = []
    references: dict[bytes, CipherContext] = {}
    for purpose in KeyPurpose:
        keys = _in_force(content, KeyUse(purpose.value), at_seconds)
        for stored in keys:
            key = _checked(stored, lambda: _signing_key(stored, purpose, signing))  # noqa: B023 - called at once
            signers.setdefault(purpose, key)
            accepted.append(key.verify_key())
            if stored.use in REFERRING:
                references[key.kid] = _checked(stored, lambda: _block_cipher(stored))  # noqa: B023 - called at once
    sessions = _in_force(content, KeyUse.SESSION, at_seconds)
    return GateKeySet(
        signers=MappingProxyType(signers),
        verify=VerifyKeys(accepted),
        references=MappingProxyType(references),
        sessions=_checked(sessions[0], lambda: _session_ring(sessions)),
    )


def _signing_key(stored: StoredKey, purpose: KeyPurpose, signing: dict[str, SigningKey]) -> SigningKey:
    found = signing.get(stored.secret)
    if found is None or found.purpose is not purpose:
        found = signing[stored.secret] = SigningKey(stored.secret_bytes(), purpose)
    return found


def _public_key(stored: StoredKey, purpose: KeyPurpose) -> PublicKey:
    return public_key(stored.secret_bytes(), purpose, starts_at=stored.starts_at or 0, ends_at=stored.ends_at or 0)


def _block_cipher(stored: StoredKey) -> CipherContext:
    secret = _sized(stored.reference_bytes())
    # ECB is what a single block under a block cipher is called; every block fed is unique (docs/decisions).
    return Cipher(algorithms.AES256(secret), modes.ECB()).encryptor()  # noqa: S305 - see the line above


def _session_ring(keys: tuple[StoredKey, ...]) -> SessionRing:
    aeads = {int(key.id): AESGCM(_sized(key.secret_bytes())) for key in keys}
    if not all(0 < number < 256 for number in aeads):  # noqa: PLR2004 - one byte
        message = "a session key id is a byte"
        raise ValueError(message)
    return SessionRing(int(keys[0].id), MappingProxyType(aeads))


def _record_set(content: KeyFile, at_seconds: int) -> RecordKeySet:
    def secrets_of(use: KeyUse) -> tuple[RecordSecret, ...]:
        keys = _in_force(content, use, at_seconds)
        return tuple(_checked(key, lambda: RecordSecret(key.id, _sized(key.secret_bytes()))) for key in keys)  # noqa: B023

    return RecordKeySet(seals=secrets_of(KeyUse.SEAL), indexes=secrets_of(KeyUse.INDEX))


def _sized(secret: bytes) -> bytes:
    if len(secret) != _AES_BYTES:
        message = f"expected {_AES_BYTES} bytes"
        raise ValueError(message)
    return secret


def _checked(stored: StoredKey, build: Callable[[], Built]) -> Built:
    """What `build` makes; a secret of the wrong shape is a broken file, not a programming error."""
    try:
        return build()
    except ValueError as cause:
        raise KeyringBrokenError(
            en=f"The {stored.use.value} key {stored.id} is damaged; restore the key file from a backup.",
            zh=f"{stored.use.value} 密钥 {stored.id} 已损坏，请从备份恢复密钥文件。",
        ) from cause
