"""What departments would send about a synthetic county: tests, cases and contacts, as rows of their files. Pure.

The columns are those of `tianfu.feeds.contracts`. A small outbreak: most people tested negative lately, a few cases,
their households and colleagues as contacts.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.clock import SHANGHAI
from tianfu.synth.county import HOME_DIVISION, County, SyntheticPerson

Row = Mapping[str, str]

TESTED_SHARE: Final = 0.6
SAMPLED_HOURS_MAX: Final = 70
RESULT_HOURS: Final = 6
CASES_PER_THOUSAND: Final = 1
CONTACTS_PER_CASE_MAX: Final = 8
EXPOSED_DAYS_BEFORE: Final = 2
LABORATORY: Final = "LAB-510112-01"


class Outbreak(msgspec.Struct, frozen=True):
    """Rows by feed, and the people that are cases."""

    files: Mapping[str, tuple[Row, ...]]
    cases: tuple[SyntheticPerson, ...]


def make(county: County, *, seed: int, at: datetime) -> Outbreak:
    """Tests, cases and contacts as known at `at`; the same seed gives the same outbreak."""
    dice = random.Random(seed)
    lab = [
        lab_row(person, "negative", at - timedelta(hours=dice.randint(RESULT_HOURS + 1, SAMPLED_HOURS_MAX)), number)
        for number, person in enumerate(county.people, start=1)
        if dice.random() < TESTED_SHARE
    ]
    infected = dice.sample(county.people, max(1, len(county.people) * CASES_PER_THOUSAND // 1000))
    cases, contacts = [], []
    for number, person in enumerate(infected, start=1):
        key = f"CASE-{at:%Y%m%d}-{number:03d}"
        diagnosed = at - timedelta(hours=dice.randint(4, 40))
        cases.append(case_row(person, key, diagnosed))
        near = [other for other in county.people if other is not person and _is_near(person, other)]
        for order, other in enumerate(near[:CONTACTS_PER_CASE_MAX], start=1):
            exposed = diagnosed - timedelta(days=EXPOSED_DAYS_BEFORE)
            contacts.append(contact_row(other, f"{key}-C{order:02d}", key, exposed, diagnosed))
    return Outbreak({"lab": tuple(lab), "cases": tuple(cases), "contacts": tuple(contacts)}, tuple(infected))


def lab_row(person: SyntheticPerson, result: str, sampled_at: datetime, number: int) -> Row:
    """One result of a nucleic-acid test."""
    return {
        **_document(person),
        "sample_id": f"S{sampled_at:%Y%m%d}-{number:07d}",
        "sampled_at": _local(sampled_at),
        "resulted_at": _local(sampled_at + timedelta(hours=RESULT_HOURS)),
        "result": result,
        "method": "nucleic_acid",
        "laboratory": LABORATORY,
        "place": HOME_DIVISION,
    }


def case_row(person: SyntheticPerson, key: str, diagnosed_at: datetime) -> Row:
    """One confirmed case."""
    return {
        "case_id": key,
        **_document(person),
        "status": "confirmed",
        "diagnosed_at": _local(diagnosed_at),
        "onset_at": _local(diagnosed_at - timedelta(days=1)),
        "discharged_at": "",
        "reported_at": _local(diagnosed_at + timedelta(hours=1)),
        "place": HOME_DIVISION,
    }


def contact_row(person: SyntheticPerson, record: str, case: str, exposed_at: datetime, designated_at: datetime) -> Row:
    """One close contact of a case."""
    return {
        "record_id": record,
        **_document(person),
        "tier": "close",
        "last_exposure_at": _local(exposed_at),
        "designated_at": _local(designated_at),
        "case_id": case,
        "place": HOME_DIVISION,
    }


def csv_text(rows: Sequence[Row]) -> str:
    """The rows as a file with a header; an empty text for no rows."""
    if not rows:
        return ""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def people_rows(people: Iterable[SyntheticPerson]) -> list[Row]:
    """The people themselves, for whoever needs their numbers to try something."""
    return [
        {
            "name": person.name,
            "document_type": "resident_id",
            "document_number": person.number,
            "phone": person.phone,
            "household": str(person.household),
        }
        for person in people
    ]


def _is_near(case: SyntheticPerson, other: SyntheticPerson) -> bool:
    return case.household == other.household or (case.place is not None and case.place == other.place)


def _document(person: SyntheticPerson) -> Row:
    return {"document_type": "resident_id", "document_number": person.number}


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
