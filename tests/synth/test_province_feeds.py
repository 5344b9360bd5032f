from __future__ import annotations

import csv
import functools
import hashlib
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.support.feeds import pseudonym
from tests.support.town import PLAN, reach
from tianfu.errors import TianfuError
from tianfu.evidence.kinds import CaseStatus
from tianfu.feeds import intake
from tianfu.feeds.contracts import CONTRACTS
from tianfu.platform.database import Database, Purpose
from tianfu.synth.province import departments, faults, folder, identities, world
from tianfu.synth.province.disease import FAR
from tianfu.synth.province.folder import Expected, Written
from tianfu.synth.province.model import NOBODY, Settings

# In the days before Spring Festival, so that enough of so few people travel.
SETTINGS = Settings(people=500, days=14, seed=11, first_day=date(2022, 1, 20), festival=date(2022, 2, 1))


def quietly(_: str) -> None:
    pass


def make(out: Path) -> Written:
    return folder.write(world.make(SETTINGS), PLAN, out, reach=reach(), with_faults=True, with_visits=True, say=quietly)


@pytest.fixture(scope="module", name="village")
def _village(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    out = tmp_path_factory.mktemp("village") / "out"
    return out, make(out)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_settings_give_the_same_files(village: tuple[Path, Written], tmp_path: Path) -> None:
    make(tmp_path / "again")
    one, two = (
        {
            path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
        for root in (village[0], tmp_path / "again")
    )
    assert one == two
    assert len(one) > 50


def test_nothing_is_written_over(village: tuple[Path, Written]) -> None:
    with pytest.raises(FileExistsError):
        make(village[0])


def test_the_intake_takes_sets_aside_and_refuses_what_was_foretold(
    village: tuple[Path, Written], database: Database, tmp_path: Path
) -> None:
    out, written = village
    at, names = departments.instant(written.at), pseudonym(tmp_path)
    listed = msgspec.json.decode((out / "feeds" / "manifest.json").read_bytes(), type=list[Expected])
    assert tuple(listed) == written.expected
    assert {path.name for path in (out / "feeds").glob("*.csv")} == {part.file for part in listed}
    for part in listed:
        contract = CONTRACTS[part.feed]
        data = (out / "feeds" / part.file).read_bytes()
        load = functools.partial(
            intake.load, database, data, contract=contract, source=contract.source, pseudonym=names, at=at
        )
        if part.refused:
            with pytest.raises(TianfuError):
                load()
            continue
        loaded = load()
        assert (loaded.rows, loaded.set_aside, loaded.duplicates) == (part.rows, part.set_aside, part.repeated), part
        assert loaded.accepted == part.rows - part.set_aside - part.repeated
    assert {part.fault for part in listed} == {None, *(fault.value for fault in faults.Fault)}
    assert {part.feed for part in listed} == set(CONTRACTS) - departments.LEFT_OUT
    with database.read(Purpose.BATCH) as read:
        known = read.value("select count(*) from person")
    # Everybody is in the register of households.
    assert known == SETTINGS.people


def test_cases_are_those_whose_result_is_known_and_say_nothing_of_who_infected_whom(
    village: tuple[Path, Written],
) -> None:
    out, written = village
    rows = written.spread.infections
    known = rows.resulted_at <= written.at
    assert 0 < known.sum() < len(rows.person)
    cases = rows_of(out / "feeds" / "cases.csv")
    truth = {row["document_number"]: row for row in rows_of(out / "truth" / "infections.csv")}
    assert len(cases) == known.sum()
    for case in cases:
        assert truth[case["document_number"]]["case_id"] == case["case_id"]
        assert truth[case["document_number"]]["positive_at"] == case["diagnosed_at"]
        assert (case["status"] == CaseStatus.ASYMPTOMATIC.value) == (case["onset_at"] == "")
    assert len(truth) == len(rows.person)
    assert not (out / "feeds" / "contacts.csv").exists()
    assert sum(row["by"] == "" for row in truth.values()) == PLAN.imported


def test_positive_results_are_of_infected_people_and_each_test_stands_once(village: tuple[Path, Written]) -> None:
    out, written = village
    truth = {row["document_number"] for row in rows_of(out / "truth" / "infections.csv")}
    lab = rows_of(out / "feeds" / "lab.csv")
    positive = {
        row["document_number"] for row in lab if row["result"] == "positive" and "E+" not in row["document_number"]
    }
    assert positive
    assert positive <= truth
    assert len({row["sample_id"] for row in lab}) == len(lab)
    assert written.spread.alarm_at != FAR


def test_seats_and_classes_in_the_files_are_those_of_the_world(village: tuple[Path, Written]) -> None:
    out, written = village
    trains = rows_of(out / "feeds" / "railway.csv") + rows_of(out / "feeds" / "railway-late.csv")
    seats = {(row["train"], row["carriage"], row["row"], row["seat"]) for row in trains}
    assert len(seats) == len(trains) > 0
    pupils = [row for row in rows_of(out / "feeds" / "education.csv") if row["group"] == "pupil"]
    number = {document: person for person, document in enumerate(identities.make(written.world).numbers)}
    for row in pupils:
        place = int(written.world.people.works_at[number[row["document_number"]]])
        assert row["unit"] == f"CLASS-{place}"


def test_visits_for_the_plain_files_are_the_lakes(village: tuple[Path, Written]) -> None:
    out = village[0]
    visits, cases = rows_of(out / "visits.csv"), rows_of(out / "cases.csv")
    stays = sum(len(np.load(path)["person"]) for path in (out / "truth").glob("stays-*.npz"))
    assert 0 < len(visits) < stays
    people = {row["person"] for row in rows_of(out / "people.csv")}
    assert {row["person"] for row in visits} | {row["person"] for row in cases} <= people
    assert {row["venue"] for row in visits} <= {row["venue"] for row in rows_of(out / "venues.csv")}
    assert visits[0]["at"].endswith("+08:00")
    assert len(cases) == len(rows_of(out / "feeds" / "cases.csv"))


def test_every_document_is_valid_once_and_can_be_nobodys() -> None:
    made = identities.make(world.make(SETTINGS))
    assert len(set(made.numbers)) == SETTINGS.people
    assert all(number.startswith("510101") and len(number) == 18 for number in made.numbers)
    holder = world.make(SETTINGS).people.holder
    assert [phone == "" for phone in made.phones] == (holder == NOBODY).tolist()


@pytest.mark.parametrize("feed", ["lab", "education"])
def test_a_feed_longer_than_a_file_is_split_and_its_faults_are_where_they_are(
    feed: str, village: tuple[Path, Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows_of(village[0] / "feeds" / f"{feed}.csv")
    rows = [row for row in whole if not faults.is_mangled(row)]
    rows = list({row.get("sample_id", row.get("record_id", "")): row for row in rows}.values())
    monkeypatch.setattr(folder, "ROWS_MAX", 17)

    made = folder._write_feed(feed, rows, tmp_path, with_faults=True)

    assert len(made) > 2
    assert all(part.rows <= 17 for part in made)
    seen: set[str] = set()
    for part in made:
        written = rows_of(tmp_path / part.file)
        assert len(written) == part.rows
        assert sum(map(faults.is_mangled, written)) == part.set_aside
        keys = [row.get("sample_id", row.get("record_id", "")) for row in written]
        assert sum(key in seen or key in keys[:place] for place, key in enumerate(keys)) == part.repeated
        seen |= set(keys)
