"""The proof of erasure: what was erased, when, by which setting, signed. docs/lake.md shows every byte.

A COSE_Sign1 message (`tianfu.platform.cose`) under the key for evidence; its payload is JSON that begins with its
`type`, so that no other message under that key can be taken for one. Kept in `lake/erased/` and never erased.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from tianfu.clock import Instant
from tianfu.errors import TianfuError
from tianfu.lake import segment
from tianfu.lake.segment import LakeFullError
from tianfu.lake.state import LakeFile
from tianfu.platform import cose
from tianfu.platform.cose import CodeInvalidError
from tianfu.platform.sign import KeyPurpose, Signer, VerifyKeys

TYPE: Final = "tianfu-erasure-1"
SUFFIX: Final = ".erased"
# 130 bytes each: a proof stays far below what a signed message may carry.
FILES_MAX: Final = 2_000


class ProofInvalidError(TianfuError):
    """A proof of erasure was altered, or none of our keys for evidence has signed it."""

    code = "erasure_proof_invalid"
    status = 422
    zh = "销毁证明无效：内容被改动，或并非由本系统签发。"
    en = "The proof of erasure is not valid: it was altered, or none of our keys has signed it."


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was erased.

    `subject`: `day:2022-03-01`, `aside:2022-03-01` (records set aside on that day) or `incoming:gate-00003` (segments
    that were never rolled). `scans` and `visits` as the state had them, `files` as they were found right before they
    were deleted (a file that had gone by then has no bytes and no hash). `setting` and `days_kept` say why.
    """

    type: str
    subject: str
    scans: int
    visits: int
    files: tuple[LakeFile, ...]
    setting: str
    days_kept: int
    erased_at: Instant
    trail: int


def folder(lake: Path) -> Path:
    """Where the proofs are."""
    return lake / "erased"


def write(lake: Path, name: str, proof: Proof, signer: Signer) -> Path:
    """Sign `proof` and keep it under `name`, durably; the same name again replaces it. Raises `LakeFullError`."""
    path = folder(lake) / f"{name}{SUFFIX}"
    part = folder(lake) / "proof.part"
    try:
        folder(lake).mkdir(parents=True, exist_ok=True)
        segment.write_synced(part, cose.sign1(signer, msgspec.json.encode(proof)))
        part.replace(path)
        segment.sync_folder(folder(lake))
        segment.sync_folder(lake)
    except OSError as error:
        raise LakeFullError from error
    return path


def verify(data: bytes, keys: VerifyKeys) -> Proof:
    """What a proof says, if its signature holds. Raises `ProofInvalidError`."""
    try:
        payload = cose.verify1(data, keys, KeyPurpose.EVIDENCE)
        proof = msgspec.json.decode(payload, type=Proof)
    except (CodeInvalidError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProofInvalidError from error
    if proof.type != TYPE:
        raise ProofInvalidError
    return proof


def all_of(lake: Path) -> list[Path]:
    """The proofs in the lake, the oldest first."""
    return sorted(folder(lake).glob(f"*{SUFFIX}"))


def lines(proof: Proof) -> list[str]:
    """What a proof says, for a terminal."""
    size = sum(file.bytes for file in proof.files)
    at = proof.erased_at.isoformat(timespec="seconds")
    return [
        f"  {proof.subject}: {proof.scans:,} scans, {proof.visits:,} visits; {len(proof.files)} files, {size:,} bytes",
        f"  erased at {at} because {proof.setting}={proof.days_kept}; trail entry {proof.trail}",
        *(f"  {file.sha256 or 'was gone already':<64}  {file.name}" for file in proof.files),
    ]
