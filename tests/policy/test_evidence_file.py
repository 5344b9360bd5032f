from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given

from tests.support.evidence_document import DOCUMENT, with_generated_part
from tests.support.histories import histories
from tianfu.evidence.kinds import KINDS
from tianfu.evidence.model import Evidence
from tianfu.policy.evidence_file import EVIDENCE_FILE_BYTES_MAX, EvidenceFileInvalidError, read_evidence, schema

STATEMENT = {
    "evidence_id": 1,
    "person": 1,
    "source": "laboratory",
    "source_record": "tube-1",
    "attributes": {
        "type": "test",
        "result": "negative",
        "method": "nucleic_acid",
        "sampled_at": "2022-03-01T08:00:00+08:00",
        "resulted_at": "2022-03-01T14:00:00+08:00",
        "laboratory": "5101-07",
    },
    "occurred_at": "2022-03-01T08:00:00+08:00",
    "received_at": "2022-03-01T14:01:00+08:00",
    "valid": {"start": "2022-03-01T08:00:00+08:00"},
}


def faults_of(value: object) -> dict[str, str]:
    with pytest.raises(EvidenceFileInvalidError) as raised:
        read_evidence(json.dumps(value).encode())
    return {fault.field: fault.code for fault in raised.value.faults}


@given(history=histories())
def test_what_is_written_is_read_back(history: list[Evidence]) -> None:
    assert list(read_evidence(msgspec.json.encode(history))) == history


def test_every_fault_is_reported_with_its_place() -> None:
    broken = {
        **STATEMENT,
        "graed": "weak",
        "occurred_at": "2022-03-01T08:00:00",
        "valid": {"start": "2022-03-02T00:00:00Z", "end": "2022-03-01T00:00:00Z"},
        "attributes": {"type": "test", "result": "positve", "method": "nucleic_acid", "sampled_at": 7},
    }

    assert faults_of([STATEMENT, broken, "what?"]) == {
        "evidence[1].graed": "unknown",
        "evidence[1].occurred_at": "value",
        "evidence[1].valid": "value",
        "evidence[1].attributes.result": "value",
        "evidence[1].attributes.sampled_at": "value",
        "evidence[1].attributes.resulted_at": "missing",
        "evidence[1].attributes.laboratory": "missing",
        "evidence[2]": "type",
    }


def test_numbers_are_unique_and_the_person_is_one() -> None:
    assert faults_of([STATEMENT, {**STATEMENT, "person": 2}]) == {
        "evidence[0].evidence_id": "duplicate",
        "evidence[1].evidence_id": "duplicate",
        "evidence[1].person": "person",
    }


def test_an_unknown_kind_is_told_the_known_ones() -> None:
    assert faults_of([{**STATEMENT, "attributes": {"type": "rumour"}}]) == {"evidence[0].attributes.type": "value"}


@pytest.mark.parametrize("data", [b"", b"[", b"{}", b"null", b"[" * 100_000, b" " * (EVIDENCE_FILE_BYTES_MAX + 1)])
def test_what_is_no_list_of_statements_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceFileInvalidError):
        read_evidence(data)


def test_the_schema_names_every_kind_and_closes_every_object() -> None:
    published = schema()

    assert set(published["$defs"]["Evidence"]["properties"]["attributes"]["discriminator"]["mapping"]) == set(KINDS)
    for definition in published["$defs"].values():
        assert definition.get("additionalProperties") is False or "enum" in definition
    assert published["$defs"]["Interval"]["properties"]["start"]["format"] == "date-time"


def test_the_page_about_evidence_shows_the_schema_of_today() -> None:
    written = DOCUMENT.read_text("utf-8")

    assert written == with_generated_part(written), "run: python -m tests.support.evidence_document"


def test_the_example_of_the_page_about_evidence_can_be_read() -> None:
    example = DOCUMENT.read_text("utf-8").split("```json\n")[1].split("```")[0]

    assert [item.kind for item in read_evidence(example.encode())] == ["contact", "test"]
