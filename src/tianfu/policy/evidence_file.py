"""A file with one person's evidence: JSON, an array of statements, as docs/evidence-schema.md describes.

For deciding without a database: rehearsing a rule set, answering a complaint, checking another implementation.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec

from tianfu.errors import Fault, TianfuError
from tianfu.evidence.model import Evidence
from tianfu.policy.strict import read

# A person tested daily for ten years has 3,650 statements of about 400 bytes: 1.5 MB.
EVIDENCE_FILE_BYTES_MAX: Final = 4_000_000

SCHEMA_ID: Final = "urn:tianfu:schema:evidence:1"
_REFERENCES: Final = "#/$defs/{name}"


class EvidenceFileInvalidError(TianfuError):
    """The file is not one person's evidence; `faults` names everything that is wrong with it."""

    code = "evidence_file_invalid"
    status = 422
    zh = "证据文件有误。"
    en = "The evidence file cannot be used; every fault is listed."


class EvidenceFile(msgspec.Struct, frozen=True):
    """The statements of a file, in the order written."""

    evidence: tuple[Evidence, ...]


def read_evidence_at(path: Path) -> tuple[Evidence, ...]:
    """The statements in the file at `path`. Raises `EvidenceFileInvalidError`, also when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(EVIDENCE_FILE_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise EvidenceFileInvalidError(
            zh=f"无法读取证据文件 {path}：{reason}。", en=f"The evidence file {path} cannot be read: {reason}."
        ) from error
    return read_evidence(data)


def read_evidence(data: bytes) -> tuple[Evidence, ...]:
    """The statements in `data`. Raises `EvidenceFileInvalidError` with every fault found."""
    if len(data) > EVIDENCE_FILE_BYTES_MAX:
        raise EvidenceFileInvalidError(
            zh=f"证据文件超过 {EVIDENCE_FILE_BYTES_MAX} 字节。",
            en=f"The evidence file is larger than {EVIDENCE_FILE_BYTES_MAX} bytes.",
        )
    faults: list[Fault] = []
    try:
        parsed: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        fault = Fault(field="file", code="syntax", zh=f"不是有效的 JSON（{error}）", en=f"is not valid JSON: {error}")
        raise EvidenceFileInvalidError(faults=(fault,)) from error
    file = read({"evidence": parsed}, EvidenceFile, path="", faults=faults)
    if file is not None:
        faults = _faults_between(file.evidence)
    if file is None or faults:
        raise EvidenceFileInvalidError(faults=tuple(faults))
    return file.evidence


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the file. Fields not named in it are refused."""
    (array,), components = msgspec.json.schema_components([tuple[Evidence, ...]], ref_template=_REFERENCES)
    for component in components.values():
        if component.get("type") == "object":
            component["additionalProperties"] = False
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "One person's evidence",
        **array,
        "$defs": components,
    }


def _faults_between(evidence: tuple[Evidence, ...]) -> list[Fault]:
    """What is wrong between statements: numbers used twice, more than one person."""
    counts = Counter(item.evidence_id for item in evidence)
    faults = [
        Fault(
            field=f"evidence[{place}].evidence_id",
            code="duplicate",
            zh=f"编号 {item.evidence_id} 重复",
            en=f"{item.evidence_id} is used twice",
        )
        for place, item in enumerate(evidence)
        if counts[item.evidence_id] > 1
    ]
    faults.extend(
        Fault(
            field=f"evidence[{place}].person",
            code="person",
            zh="与第一条不是同一个人",
            en="is another person than in the first statement",
        )
        for place, item in enumerate(evidence)
        if item.person != evidence[0].person
    )
    return faults
