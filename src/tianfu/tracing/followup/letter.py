"""The letter of a hand-over to another province: a CSV that only its owner may read, and its SHA-256.

It names people, because the other side must find them; who is named, and to whom, goes into the trail by the caller.
Who holds no code of ours has no name here: the letter says so by empty cells, and the reference still names them in
the correspondence.
"""

from __future__ import annotations

import hashlib
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
from tianfu.tracing.exports import sheets
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


class Letter(NamedTuple):
    """A letter: the name of its file, its lines, the file's bytes and their SHA-256, how many are in it by name."""

    file: str
    rows: tuple[tuple[str, ...], ...]
    content: bytes
    digest: bytes
    named: int

    @property
    def people(self) -> int:
        """How many people it is about."""
        return len(self.rows)


def compose(
    read: Read, handover: Handover, persons: Iterable[PersonRef], *, pseudonym: Pseudonym, at: datetime
) -> Letter:
    """The letter of `handover` about these people; the same people and follow-ups give the same bytes."""
    rows = tuple(_row(read, handover.incident_ref, person, pseudonym) for person in persons)
    content = sheets.csv_bytes(COLUMNS, rows)
    name = f"handover-{handover.handover_ref:06d}-{handover.to_place}-{at.astimezone(SHANGHAI):%Y%m%d}.csv"
    named = sum(1 for row in rows if row[1])
    return Letter(name, rows, content, hashlib.sha256(content).digest(), named)


def write_letter(letter: Letter, folder: Path) -> Path:
    """Write the letter into `folder` (made when missing), mode 0600, over an earlier one of its name.

    Raises `OSError` when there can be no such folder, `ExportUnwritableError` when the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / letter.file
    sheets.write(path, COLUMNS, letter.rows)
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
