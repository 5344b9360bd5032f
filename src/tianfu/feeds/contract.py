"""What a contract with a department is made of: columns, and a function that makes one statement of one row. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from tianfu.errors import Fault
from tianfu.evidence.kinds import Attributes
from tianfu.feeds.cells import Cells
from tianfu.feeds.words import DOCUMENT_WORDS
from tianfu.interval import Interval
from tianfu.residents import documents
from tianfu.residents.documents import Document, DocumentType


class Shape(enum.Enum):
    """What a column holds; the value is the word of the data dictionary."""

    KEY = "key"
    TEXT = "text"
    DOCUMENT = "document number"
    CHOICE = "choice"
    YES_NO = "yes or no"
    INTEGER = "whole number"
    INSTANT = "instant"
    DAY = "instant or day"
    PLACE = "division, six digits"
    DIVISION = "division, six or nine digits"


class Column(msgspec.Struct, frozen=True):
    """One column: its name in the header, what it means, and whether a file must have it and each row fill it.

    `words` are the values of a choice with all their spellings.
    """

    name: str
    zh: str
    en: str
    required: bool = True
    shape: Shape = Shape.KEY
    words: Mapping[str, enum.Enum] = {}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one row states about the holder of one document; the fields are those of `NewEvidence`."""

    document: Document
    source_record: str
    attributes: Attributes
    occurred_at: datetime
    valid: Interval
    place: str | None


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One feed. `source` is the department that sends it unless the operator names another.

    `kind` is the kind of evidence that its rows state, `record` says what tells two rows apart. `every_hours` is how
    often a file is expected, None where none may come for weeks. A file of more than `second_person_over` rows needs
    a second person before it counts; None where no number of rows does. `interface` is the interface of GB/T 38963
    that carries the same data, where one does.
    """

    feed: str
    zh: str
    en: str
    source: str
    kind: str
    record: str
    columns: tuple[Column, ...]
    read: Callable[[Cells, Document], Row | None]
    every_hours: int | None = None
    second_person_over: int | None = None
    interface: str | None = None

    def parse(self, cells: Mapping[str, str], received_at: datetime) -> Row | tuple[Fault, ...]:
        """The row, or everything that is wrong with it."""
        reading = Cells(cells, received_at)
        row = self.read(reading, _document(reading, received_at))
        if row is None or reading.faults:
            return tuple(reading.faults)
        return row


# Stands in for a document with faults while the rest of the row is still read for its own; never leaves this module.
_NO_DOCUMENT: Final = Document(DocumentType.RESIDENT_ID, "")
DOCUMENT_COLUMNS: Final = (
    Column("document_type", "证件类型", "which document", shape=Shape.CHOICE, words=DOCUMENT_WORDS),
    Column("document_number", "证件号码", "number of the document; the check digit must fit", shape=Shape.DOCUMENT),
)
REPORTED_COLUMN: Final = Column(
    "reported_at",
    "报告时间",
    "when the department made this report; a later one revises the record",
    shape=Shape.INSTANT,
)
PLACE_COLUMN: Final = Column(
    "place", "行政区划代码", "six-digit division code of GB/T 2260", required=False, shape=Shape.PLACE
)


def _document(cells: Cells, received_at: datetime) -> Document:
    kind, number = cells.text("document_type"), cells.number("document_number")
    known = DOCUMENT_WORDS.get(kind) or DOCUMENT_WORDS.get(kind.lower())
    if not kind:
        cells.fault("document_type", "missing", "不能为空。", "must not be empty")
    elif known is None:
        options = ", ".join(DOCUMENT_WORDS)
        cells.fault("document_type", "document_type", f"应为以下之一：{options}。", f"must be one of: {options}")
    if known is None or not number:
        return _NO_DOCUMENT
    document, faults = documents.inspect(known, number, at=received_at)
    for fault in faults:
        cells.fault(fault.field.replace(".", "_"), fault.code, fault.zh, fault.en)
    return document or _NO_DOCUMENT
