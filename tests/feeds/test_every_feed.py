"""Every feed's file, from synthetic people to statements in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.feeds import csv_file, pseudonym
from tianfu.clock import shanghai_day
from tianfu.evidence import orders, sources
from tianfu.evidence.circumstance_kinds import Emergency
from tianfu.evidence.kinds import KINDS
from tianfu.feeds import intake
from tianfu.feeds.contract import Contract, Row
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.contracts_lab import LAB
from tianfu.platform.database import Database, Purpose
from tianfu.synth import county, feed_rows

PEOPLE = county.make(people=12, seed=7, today=shanghai_day(NOON)).people
OF_EACH_FEED = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())


@OF_EACH_FEED
def test_a_synthetic_file_of_the_feed_has_no_fault(contract: Contract) -> None:
    for cells in feed_rows.rows(contract.feed, PEOPLE * 20, 3, NOON):
        assert set(cells) <= {column.name for column in contract.columns}
        read = contract.parse(cells, NOON)
        assert isinstance(read, Row), read
        assert read.attributes.__struct_config__.tag == contract.kind


@OF_EACH_FEED
def test_a_row_without_anything_names_every_column_that_must_be_filled(contract: Contract) -> None:
    faults = contract.parse({}, NOON)

    assert not isinstance(faults, Row)
    assert {fault.field for fault in faults if fault.code == "missing"} == {
        column.name for column in contract.columns if column.required
    }


@OF_EACH_FEED
def test_a_contract_names_a_registered_source_and_kind(contract: Contract) -> None:
    assert contract.source in sources.SOURCES
    assert contract.kind in KINDS
    assert contract.second_person_over is None or contract.second_person_over >= 0


def test_the_contracts_leave_out_only_what_no_department_sends() -> None:
    assert set(KINDS) - {contract.kind for contract in CONTRACTS.values()} == {
        "declaration",
        "parent_test",
        "clearance",
    }


def register_orders(database: Database) -> None:
    """The orders that the synthetic people are named under."""
    contract = CONTRACTS["emergency"]
    with database.write(Purpose.BATCH) as write:
        for cells in feed_rows.rows("emergency", PEOPLE, 3, NOON):
            row = contract.parse(cells, NOON)
            assert isinstance(row, Row)
            assert isinstance(row.attributes, Emergency)
            said = row.attributes
            order = orders.Order(
                key=said.order,
                level=said.level,
                scope="synthetic people",
                reason="a test",
                ordered_at=said.ordered_at,
                ends_at=said.ends_at,
            )
            orders.register(write, order, stated_by="li.na", approved_by="wang.wei", at=NOON)


def test_nobody_is_named_under_an_order_that_is_not_registered(database: Database, tmp_path: Path) -> None:
    contract = CONTRACTS["emergency"]
    data = csv_file(contract, feed_rows.rows("emergency", PEOPLE, 3, NOON))

    for loaded_by in (None, "li.na"):
        with pytest.raises(orders.OrderUnknownError) as refused:
            intake.load(
                database,
                data,
                contract=contract,
                source=contract.source,
                pseudonym=pseudonym(tmp_path),
                at=NOON,
                loaded_by=loaded_by,
            )
        assert len(refused.value.faults) == len(PEOPLE)
    with database.read(Purpose.WORKER) as read:
        assert read.value("select count(*) from feed_batch") == 0


def test_every_feed_becomes_evidence_once(database: Database, tmp_path: Path) -> None:
    seal = pseudonym(tmp_path)
    register_orders(database)
    for contract in CONTRACTS.values():
        data = csv_file(contract, feed_rows.rows(contract.feed, PEOPLE, 3, NOON))
        for repetition in (False, True):
            loaded = intake.load(database, data, contract=contract, source=contract.source, pseudonym=seal, at=NOON)
            assert loaded.already_loaded is repetition
            assert (loaded.rows, loaded.accepted, loaded.set_aside) == (len(PEOPLE), len(PEOPLE), 0)
    with database.read(Purpose.WORKER) as read:
        counted = dict(read.rows("select kind, count(*) from evidence group by kind"))
        kinds_of_feeds = [contract.kind for contract in CONTRACTS.values()]
        assert counted == {kind: kinds_of_feeds.count(kind) * len(PEOPLE) for kind in kinds_of_feeds}


def test_a_result_takes_the_place_of_its_sampling(database: Database, tmp_path: Path) -> None:
    seal = pseudonym(tmp_path)
    for contract in (CONTRACTS["sampling"], LAB):
        data = csv_file(contract, feed_rows.rows(contract.feed, PEOPLE[:1], 3, NOON))
        intake.load(database, data, contract=contract, source=contract.source, pseudonym=seal, at=NOON)

    with database.read(Purpose.WORKER) as read:
        records = read.rows("select source_record, kind, supersedes is not null from evidence order by evidence_id")

    assert [(kind, supersedes) for _, kind, supersedes in records] == [("sampling", False), ("test", True)]
    assert len({record for record, _, _ in records}) == 1
