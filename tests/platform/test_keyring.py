from __future__ import annotations

import errno
import json
import multiprocessing
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.clock import FixedClock
from tests.support.codes import AT, gate_ring, retire, rotate
from tianfu.access import session
from tianfu.cli.keys import command
from tianfu.passcode.token import CODE_LIFE_SECONDS
from tianfu.passcode.verify import SKEW_SECONDS
from tianfu.platform import keyfile
from tianfu.platform.keychange import ANNOUNCE_SECONDS, OVERLAP_SECONDS, KeyInUseError, KeyUnknownError
from tianfu.platform.keyfile import KeyringBrokenError, KeyringUnwritableError, KeyUse
from tianfu.platform.keyring import GATE_KIND, RELOAD_SECONDS, GateKeys, RecordKeys, gate_path, records_path
from tianfu.platform.sign import KeyPurpose

Made = Callable[[Path], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return gate_path(tmp_path)


def test_a_new_ring_has_one_key_of_each_use_and_comes_back_the_same(path: Path) -> None:
    first = GateKeys.load_or_create(path, clock=FixedClock())
    again = GateKeys.load_or_create(path, clock=FixedClock())

    assert {key.use for key in first.keys} == {use for use in KeyUse if use not in (KeyUse.SEAL, KeyUse.INDEX)}
    assert again.keys == first.keys
    assert len({key.secret for key in first.keys}) == len(first.keys)


def test_file_and_folder_are_for_the_owner_alone(path: Path) -> None:
    GateKeys.load_or_create(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not [other for other in path.parent.iterdir() if other.name.startswith(".")]


def _create_and_tell(path: Path, start: object, answers: multiprocessing.SimpleQueue[list[str]]) -> None:
    start.wait()  # type: ignore[attr-defined]
    answers.put([key.secret for key in GateKeys.load_or_create(path).keys])


def test_processes_that_start_together_agree_on_one_set_of_keys(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Event()
    answers = context.SimpleQueue()
    workers = [context.Process(target=_create_and_tell, args=(path, start, answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    start.set()
    told = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()

    assert told == [told[0]] * 4


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o601])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    GateKeys.load_or_create(path)
    path.chmod(mode)

    with pytest.raises(KeyringBrokenError, match="0600"):
        GateKeys.load_or_create(path)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"\xff\xfe",
        b'{"version":1,"kind":"gate","keys":[',
        b'{"version":2,"kind":"gate","keys":[]}',
        b'{"version":1,"kind":"records","keys":[]}',
        b'{"version":1,"kind":"gate","keys":[]}',
        b'{"version":1,"kind":"gate","keys":[],"more":1}',
        b'{"version":1,"kind":"gate","keys":[{"id":"1","use":"magic","created_at":0,"secret":""}]}',
        b" " * (keyfile.KEY_FILE_BYTES_MAX + 1),
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, body: bytes) -> None:
    GateKeys.load_or_create(path)
    path.write_bytes(body)

    with pytest.raises(KeyringBrokenError):
        GateKeys.load_or_create(path)
    assert path.read_bytes() == body


@pytest.mark.parametrize("secret", ["", "AAAA", "not base64", "AAAA" * 20])
@pytest.mark.parametrize("use", ["personal", "venue", "session"])
def test_a_damaged_secret_is_refused_with_the_name_of_its_key(path: Path, use: str, secret: str) -> None:
    GateKeys.load_or_create(path)
    content = json.loads(path.read_bytes())
    damaged = next(key for key in content["keys"] if key["use"] == use)
    damaged["secret"] = secret
    path.write_text(json.dumps(content))

    with pytest.raises(KeyringBrokenError, match=damaged["id"]):
        GateKeys.load_or_create(path)


def test_a_vanished_file_is_never_replaced_by_a_fresh_one(path: Path) -> None:
    GateKeys.load_or_create(path)
    path.unlink()

    with pytest.raises(KeyringBrokenError, match="existed"):
        GateKeys.load_or_create(path)
    assert not path.exists()


def test_a_folder_that_cannot_be_written_is_named(path: Path) -> None:
    path.parent.write_bytes(b"a file where the folder should be")

    with pytest.raises(KeyringUnwritableError, match="keys"):
        GateKeys.load_or_create(path)


def test_a_write_that_fails_half_way_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = GateKeys.load_or_create(path).keys

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tianfu.platform.keyfile.os.fsync", full)
    with pytest.raises(KeyringUnwritableError, match="No space left"):
        rotate(path, KeyUse.VENUE, AT)

    assert GateKeys.load_or_create(path).keys == before
    assert not [other for other in path.parent.iterdir() if other.name.startswith(".")]


def test_a_link_in_place_of_the_file_is_refused(path: Path, tmp_path: Path) -> None:
    GateKeys.load_or_create(path)
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(KeyringBrokenError):
        GateKeys.load_or_create(path)


def test_a_rotated_key_signs_only_when_everybody_knows_it_and_the_old_one_stays_for_the_overlap(path: Path) -> None:
    ring = GateKeys.load_or_create(path, clock=FixedClock())
    old = ring.at(AT).signers[KeyPurpose.PERSONAL].kid
    new = bytes.fromhex(rotate(path, KeyUse.PERSONAL, AT).id)
    starts = AT + ANNOUNCE_SECONDS
    ends = starts + (OVERLAP_SECONDS[KeyUse.PERSONAL] or 0)

    assert ring.at(AT + RELOAD_SECONDS).signers[KeyPurpose.PERSONAL].kid == old
    assert ring.at(AT + RELOAD_SECONDS).verify.candidates(KeyPurpose.PERSONAL, new)
    assert ring.at(starts - 1).signers[KeyPurpose.PERSONAL].kid == old
    assert ring.at(starts).signers[KeyPurpose.PERSONAL].kid == new
    assert ring.at(ends - 1).verify.candidates(KeyPurpose.PERSONAL, old)
    assert not ring.at(ends).verify.candidates(KeyPurpose.PERSONAL, old)
    assert old not in ring.at(ends).references


def test_each_key_of_codes_about_people_has_a_reference_key_of_its_own(path: Path) -> None:
    ring = GateKeys.load_or_create(path, clock=FixedClock())
    rotate(path, KeyUse.PERSONAL, AT)

    references = ring.at(AT + ANNOUNCE_SECONDS).references

    assert len(references) == 4
    assert len({cipher.update(bytes(16)) for cipher in references.values()}) == 4


def test_a_retired_key_is_refused_within_the_reload_interval_and_the_waiting_one_takes_over(path: Path) -> None:
    ring = GateKeys.load_or_create(path, clock=FixedClock())
    old = ring.at(AT).signers[KeyPurpose.VENUE].kid
    new = rotate(path, KeyUse.VENUE, AT)

    retire(path, KeyUse.VENUE, old.hex(), AT)

    later = ring.at(AT + RELOAD_SECONDS)
    assert not later.verify.candidates(KeyPurpose.VENUE, old)
    assert later.signers[KeyPurpose.VENUE].kid.hex() == new.id
    assert '"retired_at"' in path.read_text()


def test_the_newest_key_cannot_be_retired_nor_an_unknown_one(path: Path) -> None:
    ring = GateKeys.load_or_create(path)
    before = path.read_bytes()

    with pytest.raises(KeyInUseError):
        retire(path, KeyUse.VENUE, ring.at(AT).signers[KeyPurpose.VENUE].kid.hex(), AT)
    with pytest.raises(KeyUnknownError):
        retire(path, KeyUse.VENUE, "1", AT)  # the session key's number
    assert path.read_bytes() == before


def test_nothing_changed_gives_the_same_keys_object(path: Path) -> None:
    ring = GateKeys.load_or_create(path, clock=FixedClock())
    keys = ring.at(AT)

    assert ring.at(AT + 1) is keys
    assert ring.at(AT + 10 * RELOAD_SECONDS) is keys
    rotate(path, KeyUse.LIST, AT)
    assert ring.at(AT + 12 * RELOAD_SECONDS) is not keys


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"{")])
def test_a_running_process_keeps_its_keys_when_the_file_breaks_and_says_so(path: Path, damage: Made) -> None:
    ring = GateKeys.load_or_create(path, clock=FixedClock())
    keys = ring.at(AT)

    damage(path)

    assert ring.at(AT + RELOAD_SECONDS) is keys
    assert ring.trouble is not None


def test_an_outrun_key_ends_on_time_although_the_file_is_gone(path: Path) -> None:
    ring = GateKeys.load_or_create(path, clock=FixedClock())
    old = ring.at(AT).signers[KeyPurpose.PERSONAL].kid
    rotate(path, KeyUse.PERSONAL, AT)
    ends = AT + ANNOUNCE_SECONDS + (OVERLAP_SECONDS[KeyUse.PERSONAL] or 0)
    assert ring.at(AT + RELOAD_SECONDS).verify.candidates(KeyPurpose.PERSONAL, old)

    path.unlink()

    assert ring.at(ends - 1).verify.candidates(KeyPurpose.PERSONAL, old)
    assert not ring.at(ends).verify.candidates(KeyPurpose.PERSONAL, old)


def test_session_numbers_of_dead_keys_are_given_out_again(path: Path) -> None:
    GateKeys.load_or_create(path, clock=FixedClock())
    at_seconds = AT

    for _ in range(300):
        at_seconds += 100 * 86_400
        rotate(path, KeyUse.SESSION, at_seconds)

    numbers = [int(key.id) for key in keyfile.load(path, GATE_KIND).keys if key.use is KeyUse.SESSION]
    assert max(numbers) <= 3
    assert len(numbers) == len(set(numbers))


def test_an_outrun_key_is_accepted_longer_than_anything_made_with_it_lives() -> None:
    assert (OVERLAP_SECONDS[KeyUse.PERSONAL] or 0) > CODE_LIFE_SECONDS + SKEW_SECONDS
    assert (OVERLAP_SECONDS[KeyUse.SESSION] or 0) > session.SESSION_LIFE_SECONDS_MAX
    assert ANNOUNCE_SECONDS > 2 * RELOAD_SECONDS


def test_no_secret_shows_when_keys_are_printed(path: Path, tmp_path: Path) -> None:
    gate = GateKeys.load_or_create(path)
    records = RecordKeys.load_or_create(records_path(tmp_path))
    shown = repr((gate.keys, gate.at(AT), records.keys, records.at(AT)))

    assert not [key for key in (*gate.keys, *records.keys) if key.secret in shown or repr(key.secret_bytes()) in shown]


def test_the_command_lists_rotates_and_retires_without_showing_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    ring = gate_ring(tmp_path)
    RecordKeys.load_or_create(records_path(tmp_path))
    venue = next(key for key in ring.keys if key.use is KeyUse.VENUE)
    run = CliRunner()

    rotated = run.invoke(command, ["rotate", "--which", "venue"])
    retired = run.invoke(command, ["retire", venue.id, "--which", "venue"])
    listed = run.invoke(command, ["list"])

    assert [rotated.exit_code, retired.exit_code, listed.exit_code] == [0, 0, 0]
    assert [line.split()[1:3] for line in listed.output.splitlines() if venue.id in line] == [["venue", "retired"]]
    assert not [key for key in ring.keys if key.secret in rotated.output + retired.output + listed.output]


def test_the_command_retires_a_sealing_key_only_when_told_that_nothing_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    seal = next(k for k in RecordKeys.load_or_create(records_path(tmp_path)).keys if k.use is KeyUse.SEAL)
    rotate(records_path(tmp_path), KeyUse.SEAL, AT)
    run = CliRunner()

    assert run.invoke(command, ["retire", seal.id, "--which", "seal"]).exit_code == 2
    assert run.invoke(command, ["retire", seal.id, "--which", "seal", "--nothing-uses-it"]).exit_code == 0


def test_the_command_makes_no_keys_by_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path / "fresh"))

    result = CliRunner().invoke(command, ["list"])

    assert result.exit_code == 1
    assert "no keys" in result.output
    assert not (tmp_path / "fresh").exists()
