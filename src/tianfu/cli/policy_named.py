"""Which rule set an argument means: a file, a name, or the hash of a published one."""

from __future__ import annotations

import re
from typing import Final

from tianfu.errors import NotFoundError
from tianfu.platform.database import Purpose, Read
from tianfu.platform.settings import Settings
from tianfu.policy import store
from tianfu.policy.compile import Policy
from tianfu.policy.load import load, path_of
from tianfu.policy.publish import Policies
from tianfu.services.installation import installed_database

METAVAR: Final = "NAME|FILE|HASH"
# Fewer digits than this are more likely a name mistyped than the beginning of a hash.
_HASH: Final = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


def policy_named(text: str, settings: Settings) -> Policy:
    """The rule set that a person means; the database is opened only for a hash, or its beginning.

    Raises `PolicyUnreadableError`, `PolicyInvalidError`, or `NotFoundError` for a hash that none, or more than one,
    published rule set begins with.
    """
    path = path_of(text, settings.policies)
    if path.exists() or _HASH.fullmatch(text) is None:
        return load(path)
    with installed_database(settings) as database, database.read(Purpose.OPERATOR) as read:
        return published(read, text)


def published(read: Read, beginning: str) -> Policy:
    """The published rule set whose hash begins so. Raises `NotFoundError` when there is none, or more than one."""
    hashes = store.hashes_like(read, beginning)
    if len(hashes) != 1:
        raise NotFoundError(
            zh="没有（或不止一份）已发布的规则以此开头。",
            en="No published rule set, or more than one, has a hash that begins so.",
        )
    return Policies().by_hash(read, hashes[0])
