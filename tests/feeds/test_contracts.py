from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.clock import NOON
from tianfu.errors import Fault
from tianfu.evidence import kinds, test_words
from tianfu.evidence.kinds import Case, CaseStatus, Contact, ContactTier
from tianfu.feeds.contract import Contract, Row
from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.contracts_disease import CASES, CONTACTS
from tianfu.feeds.contracts_lab import LAB

# A synthetic holder: the region part is a real county, the birth date and sequence are made up.
RESIDENT_ID = "510104199003074518"

LAB_CELLS = {
    "document_type": "resident_id",
    "document_number": RESIDENT_ID,
    "sample_id": "S-1",
    "sampled_at": "2022-03-01 08:00",
    "resulted_at": "2022-03-01 11:30:15",
    "result": "negative",
    "method": "nucleic_acid",
    "laboratory": "SYN-LAB-1",
    "place": "510104",
}
CASE_CELLS = {
    "case_id": "C-1",
    "document_type": "passport",
    "document_number": "e1234567",
    "status": "confirmed",
    "diagnosed_at": "2022-02-28T10:00:00+08:00",
    "reported_at": "2022-02-28T12:00:00Z",
}
CONTACT_CELLS = {
    "record_id": "K-1",
    "document_type": "hk_macau_permit",
    "document_number": "H12345678",
    "tier": "close",
    "last_exposure_at": "2022-02-27 09:00",
    "designated_at": "2022-02-28 09:00",
    "case_id": "C-1",
}


def parse(contract: Contract, cells: dict[str, str], **changes: str) -> Row | tuple[Fault, ...]:
    return contract.parse(cells | changes, NOON)


def faults(contract: Contract, cells: dict[str, str], **changes: str) -> list[tuple[str, str]]:
    parsed = parse(contract, cells, **changes)
    assert not isinstance(parsed, Row)
    return [(fault.field, fault.code) for fault in parsed]


def row(contract: Contract, cells: dict[str, str], **changes: str) -> Row:
    parsed = parse(contract, cells, **changes)
    assert isinstance(parsed, Row), parsed
    return parsed


def test_a_laboratory_row_states_a_test() -> None:
    read = row(LAB, LAB_CELLS)

    sampled_at = datetime(2022, 3, 1, 0, 0, tzinfo=UTC)
    resulted_at = datetime(2022, 3, 1, 3, 30, 15, tzinfo=UTC)
    assert read.document.number == RESIDENT_ID
    assert read.source_record == "SYN-LAB-1/S-1"
    assert read.attributes == kinds.Test(
        result=test_words.TestResult.NEGATIVE,
        method=test_words.TestMethod.NUCLEIC_ACID,
        sampled_at=sampled_at,
        resulted_at=resulted_at,
        laboratory="SYN-LAB-1",
    )
    assert (read.occurred_at, read.valid.start, read.valid.end) == (resulted_at, sampled_at, None)
    assert read.place == "510104"


def test_a_case_row_states_a_case_as_of_its_report() -> None:
    read = row(CASES, CASE_CELLS)

    assert read.attributes == Case(status=CaseStatus.CONFIRMED, diagnosed_at=datetime(2022, 2, 28, 2, 0, tzinfo=UTC))
    assert read.occurred_at == datetime(2022, 2, 28, 12, 0, tzinfo=UTC)
    assert read.document.number == "E1234567"
    assert read.place is None


def test_a_contact_row_states_a_contact_as_of_its_designation() -> None:
    read = row(CONTACTS, CONTACT_CELLS)

    designated_at = datetime(2022, 2, 28, 1, 0, tzinfo=UTC)
    assert read.attributes == Contact(
        tier=ContactTier.CLOSE,
        last_exposure_at=designated_at - timedelta(days=1),
        designated_at=designated_at,
        case="C-1",
    )
    assert read.occurred_at == designated_at


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"document_number": ""}, "document_number", "missing"),
        ({"document_type": "library_card"}, "document_type", "document_type"),
        ({"document_type": ""}, "document_type", "missing"),
        ({"document_number": "510104199003074510"}, "document_number", "document_checksum"),
        ({"document_number": "5.10104E+17"}, "document_number", "spreadsheet_number"),
        ({"document_number": "5.10104199003E+17"}, "document_number", "spreadsheet_number"),
        ({"sample_id": ""}, "sample_id", "missing"),
        ({"sample_id": "1.23E+17"}, "sample_id", "spreadsheet_number"),
        ({"sample_id": "x" * 65}, "sample_id", "too_long"),
        ({"sample_id": "a\x00b"}, "sample_id", "characters"),
        ({"sampled_at": ""}, "sampled_at", "missing"),
        ({"sample_id": "20220301.0"}, "sample_id", "spreadsheet_number"),
        ({"document_number": "510104199003074518.0"}, "document_number", "spreadsheet_number"),
        ({"document_number": "5.10104199003074518E17"}, "document_number", "spreadsheet_number"),
        ({"document_number": "510104900307451"}, "document_number", "document_old"),
        ({"sampled_at": "2022-03-01"}, "sampled_at", "time_missing"),
        ({"sampled_at": "20220301"}, "sampled_at", "time_missing"),
        ({"sampled_at": "2022-03-01T08:00"}, "sampled_at", "instant"),
        ({"sampled_at": "2022-02-30 08:00"}, "sampled_at", "instant"),
        ({"sampled_at": "44621.33"}, "sampled_at", "spreadsheet_date"),
        ({"sampled_at": "44621"}, "sampled_at", "spreadsheet_date"),
        ({"sampled_at": "2.0220301080000E+13"}, "sampled_at", "spreadsheet_number"),
        ({"sampled_at": "20220301080000.0"}, "sampled_at", "spreadsheet_number"),
        ({"sampled_at": "03/01/2022 08:00"}, "sampled_at", "day_or_month_first"),
        ({"sampled_at": "1/3/22"}, "sampled_at", "day_or_month_first"),
        ({"sampled_at": "2022/2/30 8:00"}, "sampled_at", "instant"),
        ({"sampled_at": "2022年13月1日 8时0分"}, "sampled_at", "instant"),
        ({"sampled_at": "20220301250000"}, "sampled_at", "instant"),
        ({"laboratory": "a/b"}, "laboratory", "characters"),
        ({"laboratory": "x" * 33}, "laboratory", "too_long"),
        ({"pooled": "yes"}, "tube", "tube"),
        ({"pooled": "perhaps", "tube": "T-1"}, "pooled", "yes_no"),
        ({"sampled_at": "1900-01-01 00:00"}, "sampled_at", "too_old"),
        ({"resulted_at": "2022-03-01 12:06"}, "resulted_at", "future"),
        ({"resulted_at": "2022-03-01 07:59"}, "resulted_at", "order"),
        ({"result": "probably"}, "result", "choice"),
        ({"method": ""}, "method", "missing"),
        ({"laboratory": ""}, "laboratory", "missing"),
        ({"place": "Chengdu"}, "place", "place"),
    ],
)
def test_what_cannot_be_accepted_is_named(changes: dict[str, str], field: str, code: str) -> None:
    assert faults(LAB, LAB_CELLS, **changes) == [(field, code)]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"status": "discharged"}, "discharged_at", "discharge"),
        ({"discharged_at": "2022-02-28T18:00:00+08:00"}, "discharged_at", "discharge"),
        ({"reported_at": "2022-02-27T12:00:00Z"}, "reported_at", "order"),
        ({"onset_at": "soon"}, "onset_at", "instant"),
    ],
)
def test_a_case_that_contradicts_itself_is_refused(changes: dict[str, str], field: str, code: str) -> None:
    assert faults(CASES, CASE_CELLS, **changes) == [(field, code)]


def test_a_discharge_says_when() -> None:
    read = row(CASES, CASE_CELLS, status="discharged", discharged_at="2022-03-01 09:00", reported_at="2022-03-01 10:00")

    assert isinstance(read.attributes, Case)
    assert read.attributes.discharged_at == datetime(2022, 3, 1, 1, 0, tzinfo=UTC)


def test_every_fault_of_a_row_is_named() -> None:
    found = faults(LAB, LAB_CELLS, document_number="", result="?", place="x", sampled_at="")

    assert {field for field, _ in found} == {"document_number", "result", "place", "sampled_at"}


def test_a_clock_five_minutes_ahead_is_no_future() -> None:
    row(LAB, LAB_CELLS, resulted_at="2022-03-01 12:05")


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("document_number", "５１０１０４１９９００３０７４５１８"),
        ("document_number", " 510104 19900307 4518 "),
        ("sampled_at", "２０２２-０３-０１ ０８：００"),
        ("sampled_at", "2022-03-01 08:00:00"),
        ("sampled_at", "2022/3/1 8:00"),
        ("sampled_at", "2022/03/01 08:00:00"),
        ("sampled_at", "2022年3月1日 8时0分"),
        ("sampled_at", "2022年03月01日08:00"),
        ("sampled_at", "２０２２年３月１日　８时０分０秒"),
        ("sampled_at", "20220301080000"),
        ("sampled_at", "2022-03-01T08:00+08:00"),
        ("document_type", "居民身份证"),
        ("document_type", "RESIDENT_ID"),
        ("pooled", "否"),
        ("sampled_at", "2022-03-01T00:00:00Z"),
        ("sampled_at", "2022-03-01T00:00:00.000000+00:00"),
        ("result", "阴性"),
        ("result", "NEGATIVE"),
        ("method", "核酸"),
        ("place", "５１０１０４"),
    ],
)
def test_other_spellings_of_the_same_row_state_the_same(column: str, written: str) -> None:
    assert parse(LAB, LAB_CELLS, **{column: written}) == row(LAB, LAB_CELLS)


def test_no_fault_repeats_what_the_cell_said() -> None:
    parsed = parse(LAB, LAB_CELLS, document_number="510104199003074510", sample_id="x" * 65)

    assert not isinstance(parsed, Row)
    assert not any("5101" in fault.zh + fault.en or "xxx" in fault.zh + fault.en for fault in parsed)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())
def test_a_contract_names_each_column_once_and_in_both_languages(contract: Contract) -> None:
    names = [column.name for column in contract.columns]

    assert len(set(names)) == len(names)
    assert all(column.zh and column.en for column in contract.columns)
    assert {"document_type", "document_number"} <= set(names)
