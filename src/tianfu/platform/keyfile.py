"""A key file: secrets at rest, outside the database, readable by their owner alone.

One JSON document per file, mode 0600, in a folder of mode 0700. It is always replaced as a whole (written beside,
synced, renamed) under a lock that every writer takes, so two processes that start together agree on one set of keys
and a crash leaves either the old file or the new one. A damaged or vanished file is never replaced by a fresh one:
everything sealed with the lost keys would become unreadable without anybody noticing.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import enum
import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tianfu.errors import TianfuError

FILE_VERSION: Final = 1

# Twenty years of monthly rotation of ten uses are 2,400 keys of under 400 bytes each.
KEY_FILE_BYTES_MAX: Final = 2**20

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_CREATED: Final = b"created\n"


class KeyringBrokenError(TianfuError):
    """A key file cannot be used as it is. It is left untouched; the sentence says what is wrong with it."""

    code = "keyring_broken"
    status = 500
    zh = "密钥文件无法使用，请从备份恢复。"
    en = "A key file cannot be used; restore it from a backup."


class KeyringUnwritableError(TianfuError):
    """The folder of the key files cannot be written: no right, no space, or no folder. Nothing was changed."""

    code = "keyring_unwritable"
    status = 500
    zh = "密钥文件夹无法写入。"
    en = "The folder of the key files cannot be written."


class KeyUse(enum.Enum):
    """What a stored key is for. `SEAL` and `INDEX` live with the records, all others with the gate."""

    PERSONAL = "personal"
    CARD = "card"
    DEVICE = "device"
    VENUE = "venue"
    VEHICLE = "vehicle"
    LIST = "list"
    EVIDENCE = "evidence"
    SESSION = "session"
    SEAL = "seal"
    INDEX = "index"


class StoredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key of a file. Instants are seconds since 1970.

    `secret` is base64, empty once retired. `reference` is a second secret that only the keys of codes about people
    have (it seals the reference to the holder inside a code). The key makes new things from `starts_at` on (None:
    from ever) until a newer one of its use starts, and is accepted until `ends_at` (None: until it is retired).
    """

    id: str
    use: KeyUse
    created_at: int
    secret: str
    reference: str = ""
    starts_at: int | None = None
    ends_at: int | None = None
    retired_at: int | None = None

    def __repr__(self) -> str:
        """Without the secrets: a key ends up in no log and no traceback."""
        return f"StoredKey({self.use.value}, {self.id})"

    def secret_bytes(self) -> bytes:
        """The secret itself. Raises `KeyringBrokenError` when it is not base64."""
        return _decode(self.secret, self.id)

    def reference_bytes(self) -> bytes:
        """The second secret itself, empty for keys that have none."""
        return _decode(self.reference, self.id)

    def is_live(self, at_seconds: int) -> bool:
        """Whether the key is accepted at that instant."""
        return self.retired_at is None and (self.ends_at is None or at_seconds < self.ends_at)

    def has_started(self, at_seconds: int) -> bool:
        """Whether the key may make new things at that instant."""
        return self.starts_at is None or self.starts_at <= at_seconds


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document: its version, which of the two files it is, and the keys in order of creation."""

    version: int
    kind: str
    keys: tuple[StoredKey, ...]


class _Envelope(msgspec.Struct):
    version: int


def encode_secret(secret: bytes) -> str:
    """How a secret is written in the file."""
    return base64.b64encode(secret).decode()


def load(path: Path, kind: str) -> KeyFile:
    """The file at `path`. Raises `KeyringBrokenError`; `FileNotFoundError` when there is none."""
    return _parse(_read_private(path), path, kind)


def load_or_create(
    path: Path,
    kind: str,
    create: Callable[[], tuple[StoredKey, ...]],
    complete: Callable[[KeyFile], tuple[StoredKey, ...]] = lambda content: content.keys,
) -> KeyFile:
    """The file at `path`, made from `create()` if there never was one.

    `complete` gives the keys of a file from before some use was known, with what it lacks; the file is replaced only
    when that differs. Safe against several processes doing so at once: all return the same keys. Raises
    `KeyringBrokenError` when the file is damaged, readable by others, or existed before and is gone;
    `KeyringUnwritableError`.
    """
    with _locked(path) as lock:
        existed = os.pread(lock, len(_CREATED), 0) == _CREATED
        try:
            found = load(path, kind)
        except FileNotFoundError:
            if existed:
                raise _broken(path, "existed and is gone", "曾经存在，现已丢失") from None
            found = KeyFile(version=FILE_VERSION, kind=kind, keys=create())
            _replace(path, found)
        completed = complete(found)
        if completed != found.keys:
            found = KeyFile(version=FILE_VERSION, kind=kind, keys=completed)
            _replace(path, found)
        if not existed:
            _remember(lock, path)
        return found


def change(path: Path, kind: str, edit: Callable[[KeyFile], tuple[StoredKey, ...]]) -> KeyFile:
    """Replace the keys by `edit(file)`; readers see the old file or the new one, never a mixture.

    Two changes at once happen one after the other. Raises what `load` and `edit` raise, having changed nothing.
    """
    with _locked(path):
        changed = KeyFile(version=FILE_VERSION, kind=kind, keys=edit(load(path, kind)))
        _replace(path, changed)
        return changed


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold the writers' lock of `path`: a file beside it, which also remembers that the key file was created."""
    beside = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as cause:
        raise _unwritable(path, cause) from cause
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _remember(lock: int, path: Path) -> None:
    """Note in the lock file that the key file exists, so that its loss can be told from a first start."""
    try:
        os.pwrite(lock, _CREATED, 0)
        os.fsync(lock)
    except OSError as cause:
        raise _unwritable(path, cause) from cause


def _replace(path: Path, content: KeyFile) -> None:
    """Put `content` at `path` in one step, durable before this returns. Raises `KeyringUnwritableError`."""
    body = msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_new(beside, body)
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as cause:
        raise _unwritable(path, cause) from cause
    finally:
        beside.unlink(missing_ok=True)


def _write_new(path: Path, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_private(path: Path) -> bytes:
    """The bytes of a regular file that nobody but its owner may touch."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as cause:
        raise _broken(path, "cannot be opened", "无法打开") from cause
    with os.fdopen(descriptor, "rb") as source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _broken(path, "is not a regular file", "不是普通文件")
        if status.st_mode & _OTHERS:
            raise _broken(path, "can be read by others; set its mode to 0600", "可被他人读取，请将权限改为 0600")
        body = source.read(KEY_FILE_BYTES_MAX + 1)
    if len(body) > KEY_FILE_BYTES_MAX:
        raise _broken(path, "is too large", "过大")
    return body


def _parse(body: bytes, path: Path, kind: str) -> KeyFile:
    try:
        version = msgspec.json.decode(body, type=_Envelope).version
        if version != FILE_VERSION:
            raise _broken(path, f"has version {version}, expected {FILE_VERSION}", "版本不符")
        found = msgspec.json.decode(body, type=KeyFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise _broken(path, "is damaged", "已损坏") from cause
    if found.kind != kind:
        raise _broken(path, f"holds {found.kind[:16]!r} keys, expected {kind!r}", "用途不符")
    names = {(key.use, key.id) for key in found.keys}
    if len(names) != len(found.keys):
        raise _broken(path, "names a key twice", "密钥编号重复")
    return found


def _decode(secret: str, key_id: str) -> bytes:
    try:
        return binascii.a2b_base64(secret.encode(), strict_mode=True)
    except binascii.Error as cause:
        raise KeyringBrokenError(en=f"Key {key_id[:32]} is damaged; restore the key file from a backup.") from cause


def _broken(path: Path, en: str, zh: str) -> KeyringBrokenError:
    return KeyringBrokenError(
        en=f"The key file {path} {en}. It was left as it is; restore it from a backup.",
        zh=f"密钥文件 {path} {zh}。文件未被改动，请从备份恢复。",
    )


def _unwritable(path: Path, cause: OSError) -> KeyringUnwritableError:
    return KeyringUnwritableError(
        en=f"The key file {path} cannot be written: {cause.strerror}. Nothing was changed.",
        zh=f"密钥文件 {path} 无法写入：{cause.strerror}。未做任何改动。",
    )
