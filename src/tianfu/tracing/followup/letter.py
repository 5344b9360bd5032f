"""The letter of a hand-over to another province: a CSV that only its owner may read, and its SHA-256.

It names people, because the other side must find them; who is named, and to whom, goes into the trail by the caller.
Who holds no code of ours has no name here: the letter says so by empty cells, and the reference still names them in
the correspondence.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from tianfu.clock import SHANGHAI
from tianfu.ids import PersonRef, format_person_ref
from tianfu.platform.database import Read
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import profile
from tianfu.residents import store as residents
from tianfu.tracing.followup import store
from tianfu.tracing.followup.handover_store import Handover

COLUMNS: Final = (
    "编号 reference",
    "姓名 name",
    "证件类型 document_type",
    "证件号码 document_number",
    "电话 phone",
    "类别 tier",
    "情形 setting",
    "末次暴露 last_exposure",
    "随访至 follow_up_until",
    "规则 rules",
)
# What a spreadsheet would take for a formula; a phone number begins with a plus sign and is quoted too.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class Letter(NamedTuple):
    """A letter: the name of its file, its bytes and their SHA-256, how many of its people have a name in it."""

    file: str
    content: bytes
    digest: bytes
    people: int
    named: int


def compose(
    read: Read, handover: Handover, persons: Iterable[PersonRef], *, pseudonym: Pseudonym, at: datetime
) -> Letter:
    """The letter of `handover` about these people; the same people and follow-ups give the same bytes."""
    rows = [_row(read, handover.incident_ref, person, pseudonym) for person in persons]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([_safe(cell) for cell in row] for row in rows)
    content = b"\xef\xbb\xbf" + text.getvalue().encode()
    name = f"handover-{handover.handover_ref:06d}-{handover.to_place}-{at.astimezone(SHANGHAI):%Y%m%d}.csv"
    named = sum(1 for row in rows if row[1])
    return Letter(name, content, hashlib.sha256(content).digest(), len(rows), named)


def write_letter(letter: Letter, folder: Path) -> Path:
    """Write the letter into `folder` (made when missing), mode 0600, over an earlier one of its name.

    Raises `OSError` when it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / letter.file
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(letter.content)
    return path


def _row(read: Read, incident_ref: int, person: PersonRef, pseudonym: Pseudonym) -> tuple[str, ...]:
    followed = store.follow_up(read, incident_ref, person)
    held = residents.find_resident(read, person)
    personal = None if held is None else profile.opened(held, pseudonym=pseudonym)
    return (
        format_person_ref(person),
        "" if personal is None else personal.name,
        "" if personal is None else personal.document.type.value,
        "" if personal is None else personal.document.number,
        "" if personal is None else personal.phone,
        "" if followed is None else followed.tier.value,
        "" if followed is None else followed.setting,
        "" if followed is None else followed.last_exposure.astimezone(SHANGHAI).isoformat(timespec="minutes"),
        "" if followed is None else followed.ends_on.isoformat(),
        "" if followed is None else followed.rules,
    )


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA_STARTS) else cell
