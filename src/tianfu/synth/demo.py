"""The demo county: made once, in small steps that a second start goes on with.

The instant of the first start is kept, so every step writes the same content again and again; nothing is doubled by a
start that was cut short. Everything in it came in by the ways that real data takes: claims' rows, declarations in the
ledger, departments' files through the intake.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from tianfu.clock import shanghai_day
from tianfu.evidence import changes, ledger
from tianfu.evidence.kinds import Declaration, Symptom
from tianfu.evidence.model import NewEvidence
from tianfu.feeds import contracts, intake
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.lake import roll
from tianfu.platform.database import Database, Purpose
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import consents, documents, people, phones, profile, store
from tianfu.residents.proofing import Proof
from tianfu.synth import county, feed_rows, operators, outbreak, visits
from tianfu.synth.county import HOME_DIVISION, County, SyntheticPerson

PEOPLE: Final = 2_000
SEED: Final = 510_112
# Made together with the others but not claimed: whoever tries the demo claims as one of them.
UNCLAIMED: Final = 3
DECLARED_SHARE: Final = 0.9
SYMPTOMS_SHARE: Final = 0.004
# A declaration counts for 14 days in Sichuan.
DECLARATION_DAYS: Final = 14
CLAIM_DAYS_MAX: Final = 300
POSITIVE_HOURS: Final = 12
POSITIVE_SAMPLE: Final = 9_000_003

Step = Callable[[str], AbstractContextManager[None]]


class Progress(msgspec.Struct, frozen=True):
    """What is remembered of the demo between starts."""

    at: datetime
    finished: bool


def load(database: Database, folder: Path, *, lake: Path, pseudonym: Pseudonym, at: datetime, step: Step) -> None:
    """Load the demo county unless that is done; `folder` gets the files that a person can load by hand.

    `lake` gets the visits of its last days, so that the tracer, as soon as it runs, finds whom the county's cases met.
    A database that somebody else filled is left alone. Safe to repeat after any failure.
    """
    remembered = folder / "county.json"
    if remembered.exists():
        progress = msgspec.json.decode(remembered.read_bytes(), type=Progress)
    else:
        with database.read(Purpose.BATCH) as read:
            if store.any_person(read):
                return
        progress = Progress(at=at.replace(microsecond=0), finished=False)
        folder.mkdir(parents=True, exist_ok=True)
        remembered.write_bytes(msgspec.json.encode(progress))
    if progress.finished:
        return
    made = county.make(people=PEOPLE + UNCLAIMED, seed=SEED, today=shanghai_day(progress.at))
    claimed, free = made.people[:-UNCLAIMED], made.people[-UNCLAIMED:]
    with step(f"demo county: {len(claimed)} synthetic people"):
        persons = claim_all(database, claimed, pseudonym=pseudonym, at=progress.at)
    with step("demo county: tests, cases and contacts"):
        _load_files(database, County(claimed, made.venues), pseudonym=pseudonym, at=progress.at)
    with step(f"demo county: {len(operators.ACCOUNTS)} operators, {len(made.venues)} venues"):
        venues = operators.ensure(database, made.venues, at=progress.at)
    with step("demo county: where everybody was in the last days"):
        visited = visits.make(dict(zip(persons, claimed, strict=True)), venues, seed=SEED, at=progress.at)
        visits.ship(lake, visited)
        roll.roll(lake, at=progress.at, days_kept=visits.DAYS)
    _write_samples(folder, free, progress.at)
    _write_positive(folder, claimed, progress.at)
    remembered.write_bytes(msgspec.json.encode(msgspec.structs.replace(progress, finished=True)))


def samples(folder: Path) -> tuple[SyntheticPerson, ...]:
    """The people of the demo county that wait to be claimed; none where there is no demo county."""
    try:
        progress = msgspec.json.decode((folder / "county.json").read_bytes(), type=Progress)
    except FileNotFoundError:
        return ()
    made = county.make(people=PEOPLE + UNCLAIMED, seed=SEED, today=shanghai_day(progress.at))
    return made.people[-UNCLAIMED:]


def _load_files(database: Database, made: County, *, pseudonym: Pseudonym, at: datetime) -> None:
    """What departments would have sent by now, through the same intake as theirs."""
    for feed, rows in outbreak.make(made, seed=SEED, at=at).files.items():
        contract = contracts.CONTRACTS[feed]
        data = outbreak.csv_text(rows).encode()
        intake.load(database, data, contract=contract, source=contract.source, pseudonym=pseudonym, at=at)


def claim_all(
    database: Database, claimants: Sequence[SyntheticPerson], *, pseudonym: Pseudonym, at: datetime
) -> list[PersonRef]:
    """Make holders of `claimants` with consents and, mostly, declarations; one transaction, harmless to repeat."""
    dice = random.Random(SEED)
    checked = [documents.parse(documents.DocumentType.RESIDENT_ID, person.number, at=at) for person in claimants]
    declarations: list[NewEvidence] = []
    with database.write(Purpose.BATCH) as write:
        persons = people.refer(write, checked, pseudonym=pseudonym, at=at)
        for person, claimant, document in zip(persons, claimants, checked, strict=True):
            claimed_at = at - timedelta(days=dice.randint(1, CLAIM_DAYS_MAX), minutes=dice.randrange(1440))
            personal = profile.Personal(claimant.name, document, phones.parse(claimant.phone))
            row = profile.sealed(
                person,
                personal,
                district=HOME_DIVISION,
                language="zh",
                proof=Proof(provider="sandbox", reference="synthetic"),
                claimed_at=claimed_at,
                pseudonym=pseudonym,
            )
            if store.insert_resident(write, row):
                consents.record(write, person, [purpose.id for purpose in consents.PURPOSES], claimed_at)
            declaration = _declaration(person, dice, at)
            if declaration is not None:
                declarations.append(declaration)
        ledger.append(write, declarations, received_at=at)
        changes.mark(write, persons, at)
    return persons


def _declaration(person: PersonRef, dice: random.Random, at: datetime) -> NewEvidence | None:
    """What the person last said of their own health; a few have symptoms, some let it lapse."""
    declared_at = at - timedelta(minutes=dice.randrange(60, (DECLARATION_DAYS - 1) * 1440))
    has_declared, has_symptoms = dice.random() < DECLARED_SHARE, dice.random() < SYMPTOMS_SHARE
    if not has_declared:
        return None
    return NewEvidence(
        person=person,
        source="self",
        source_record=f"declaration/{person}",
        attributes=Declaration(declared_at=declared_at, symptoms=(Symptom.FEVER,) if has_symptoms else ()),
        occurred_at=declared_at,
        valid=Interval(declared_at, declared_at + timedelta(days=DECLARATION_DAYS)),
        place=HOME_DIVISION,
    )


def _write_positive(folder: Path, claimed: Sequence[SyntheticPerson], at: datetime) -> None:
    """A file with one positive of somebody who went to work until then: load it and the list grows."""
    known = {person.number for person in outbreak.make(County(tuple(claimed), ()), seed=SEED, at=at).cases}
    person = next(one for one in claimed if one.place is not None and one.number not in known)
    row = outbreak.lab_row(person, "positive", at - timedelta(hours=POSITIVE_HOURS), POSITIVE_SAMPLE)
    (folder / "positive.csv").write_text(outbreak.csv_text([row]), encoding="utf-8")


def _write_samples(folder: Path, free: Sequence[SyntheticPerson], at: datetime) -> None:
    """Files to load by hand: a positive and a case for the first free person, a contact and a negative for others.

    Of every other feed a file with a row about each of them.
    """
    first, second, third = free
    case = f"CASE-{at:%Y%m%d}-DEMO"
    day = timedelta(days=1)
    files = {feed: feed_rows.rows(feed, free, SEED, at) for feed in contracts.CONTRACTS} | {
        "people": outbreak.people_rows(free),
        "lab": [
            outbreak.lab_row(first, "positive", at - day, 9_000_001),
            outbreak.lab_row(third, "negative", at - day, 9_000_002),
        ],
        "cases": [outbreak.case_row(first, case, at - day / 4)],
        "contacts": [outbreak.contact_row(second, f"{case}-C01", case, at - 2 * day, at - day / 4)],
    }
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text(outbreak.csv_text(rows), encoding="utf-8")
