"""A key file from before printed cards, device-bound and vehicle codes, and the public halves of what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.clock import FixedClock
from tests.support.codes import AT, gate_ring, retire, rotate
from tianfu.cli.keys import command
from tianfu.platform.keychange import ANNOUNCE_SECONDS, OVERLAP_SECONDS
from tianfu.platform.keyfile import KeyringBrokenError, KeyUse
from tianfu.platform.keyring import GateKeys, RecordKeys, gate_path, records_path
from tianfu.platform.sign import KeyPurpose


def make_old(path: Path, *, without: tuple[str, ...] = ("device", "vehicle")) -> list[dict[str, Any]]:
    """Turn the ring at `path` into one from before; its keys."""
    content = json.loads(path.read_bytes())
    content["keys"] = [key for key in content["keys"] if key["use"] not in without]
    for key in content["keys"]:
        if key["use"] == "card":
            key.pop("reference", None)
    path.write_text(json.dumps(content))
    return list(content["keys"])


def test_a_file_from_before_gets_the_new_uses_and_keeps_every_key_it_had(tmp_path: Path) -> None:
    gate_ring(tmp_path)
    old = make_old(gate_path(tmp_path))

    ring = gate_ring(tmp_path)

    keys = ring.at(AT)
    assert {purpose for purpose in KeyPurpose if purpose in keys.signers} == set(KeyPurpose)
    for purpose in (KeyPurpose.PERSONAL, KeyPurpose.CARD, KeyPurpose.DEVICE):
        assert keys.signers[purpose].kid in keys.references
    stored = {key.id: key.secret for key in ring.keys}
    assert all(stored[key["id"]] == key["secret"] for key in old)
    assert gate_ring(tmp_path).keys == ring.keys, "the second start adds nothing more"


@pytest.mark.parametrize("missing", ["personal", "venue", "session"])
def test_a_file_that_lacks_what_there_always_was_is_damaged_and_left_as_it_is(tmp_path: Path, missing: str) -> None:
    gate_ring(tmp_path)
    make_old(gate_path(tmp_path), without=("device", "vehicle", missing))
    before = gate_path(tmp_path).read_bytes()

    with pytest.raises(KeyringBrokenError):
        gate_ring(tmp_path)
    assert gate_path(tmp_path).read_bytes() == before


def test_a_retired_card_key_gets_no_reference_at_the_upgrade(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    old = ring.at(AT).signers[KeyPurpose.CARD].kid.hex()
    rotate(gate_path(tmp_path), KeyUse.CARD, AT)
    retire(gate_path(tmp_path), KeyUse.CARD, old, AT)
    make_old(gate_path(tmp_path))

    upgraded = gate_ring(tmp_path)

    cards = {key.id: key for key in upgraded.keys if key.use is KeyUse.CARD}
    assert cards[old].reference == ""
    assert all(key.reference for name, key in cards.items() if name != old)


@pytest.mark.parametrize("use", [KeyUse.CARD, KeyUse.DEVICE, KeyUse.VEHICLE])
def test_the_new_uses_rotate_with_an_overlap_and_retire(tmp_path: Path, use: KeyUse) -> None:
    ring = gate_ring(tmp_path)
    purpose = KeyPurpose(use.value)
    old = ring.at(AT).signers[purpose].kid
    new = rotate(gate_path(tmp_path), use, AT)
    turn = AT + ANNOUNCE_SECONDS

    assert ring.at(turn - 1).signers[purpose].kid == old
    assert ring.at(turn).signers[purpose].kid.hex() == new.id
    overlap = OVERLAP_SECONDS[use]
    later = turn + (overlap or 400 * 86_400)
    assert ring.at(later - 1).verify.candidates(purpose, old)
    assert bool(ring.at(later).verify.candidates(purpose, old)) is (overlap is None)
    retire(gate_path(tmp_path), use, old.hex(), turn)
    assert not ring.at(turn + 10).verify.candidates(purpose, old)


def test_the_public_half_verifies_what_the_key_signs_and_nothing_of_it_is_secret(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)

    told = ring.public(AT, tuple(KeyPurpose))

    assert {key.purpose for key in told} == set(KeyPurpose)
    for key in told:
        signer = ring.at(AT).signers[key.purpose]
        assert key.kid == signer.kid
        assert key.verify_key().verify(signer.sign(b"message"), b"message")
    with pytest.raises(ValueError):
        told[0]._replace(kid=told[1].kid).verify_key()
    with pytest.raises(ValueError):
        told[0]._replace(point=told[0].point[:-1]).verify_key()


def test_an_ended_key_is_not_told(tmp_path: Path) -> None:
    ring = GateKeys.load_or_create(gate_path(tmp_path), clock=FixedClock())
    first = ring.at(AT).signers[KeyPurpose.CARD].kid
    rotate(gate_path(tmp_path), KeyUse.CARD, AT)
    turn = AT + ANNOUNCE_SECONDS
    overlap = OVERLAP_SECONDS[KeyUse.CARD]
    assert overlap is not None

    told = {key.kid: key for key in ring.public(turn, (KeyPurpose.CARD,))}
    assert told[first].ends_at == turn + overlap
    assert {key.starts_at for key in told.values()} == {0, turn}
    assert first not in {key.kid for key in ring.public(turn + overlap, (KeyPurpose.CARD,))}


def test_a_retired_key_is_not_told(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    first = ring.at(AT).signers[KeyPurpose.CARD].kid
    rotate(gate_path(tmp_path), KeyUse.CARD, AT)
    retire(gate_path(tmp_path), KeyUse.CARD, first.hex(), AT)

    assert first not in {key.kid for key in ring.public(AT + 10, tuple(KeyPurpose))}


@pytest.mark.parametrize("use", ["personal", "card", "device", "venue", "vehicle", "list", "evidence", "session"])
def test_every_use_is_listed_rotated_and_retired_from_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    RecordKeys.load_or_create(records_path(tmp_path))
    old = next(key.id for key in GateKeys.load_or_create(gate_path(tmp_path)).keys if key.use.value == use)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(command, list(arguments))
        assert done.exit_code == 0, done.output
        return done.output

    run("rotate", "--which", use)
    run("retire", old, "--which", use)

    states = [line.split()[2] for line in run("list").splitlines() if line.split()[1] == use]
    assert states == ["retired", "in"], "in use"
