"""`tianfu codes`: verdicts without a database, the trust file, cards and vehicles from a terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.support.codes import AT, HOLDER, gate_ring
from tests.support.control import Control
from tests.support.credentials import Phone, card_of, card_text
from tests.support.lists import LIFE, ORIGIN, not_green_text, pinned, trust_text
from tianfu.access.roles import Role
from tianfu.cli import codes
from tianfu.cli.main import application
from tianfu.errors import TianfuError
from tianfu.ids import PersonRef, format_person_ref
from tianfu.passcode import bundle
from tianfu.passcode.bundle import Bundle, TrustFileInvalidError
from tianfu.passcode.handout import ListAbsentError, root
from tianfu.passcode.issue import Issuer
from tianfu.passcode.verify import CodeKind, verify
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.residents import credential_store
from tianfu.status.board import BoardWriter
from tianfu.venues.poster import read_poster
from tianfu.venues.vehicle import VehicleClaim


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> GateKeys:
    return gate_ring(tmp_path_factory.mktemp("gate"))


def trust_file(ring: GateKeys, folder: Path, ids: tuple[bytes, ...] = (), **changes: object) -> Path:
    made = Bundle(1, ORIGIN, root(pinned(ring, AT)).keys, trust_text(ring, AT), not_green_text(ring, AT, ids))
    path = folder / "trust.json"
    path.write_bytes(bundle.write(msgspec.structs.replace(made, **changes)))
    return path


def instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def run(path: Path, text: str | bytes, *, at: int = AT) -> list[dict[str, Any]]:
    done = CliRunner().invoke(codes.command, ["verify", "--trust", str(path), "--at", instant(at)], input=text)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_line_gets_one_verdict_in_order_without_a_database_or_a_secret(
    ring: GateKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path / "nowhere"))
    lost = card_of(ring, 1, AT)
    path = trust_file(ring, tmp_path, (lost.credential_id,))
    codes_in = [
        Issuer(ring).issue(HOLDER, 2, 7, AT).text,
        card_text(ring, card_of(ring, 1, AT), AT),
        card_text(ring, lost, AT),
        "https://example.org/",
        Phone(ring, 1, AT).text(AT),
        "",
        card_text(ring, card_of(ring, 1, AT - 8 * 86_400), AT),
    ]

    said = run(path, "\r\n".join(codes_in))

    assert [(one["kind"], one["verdict"]) for one in said] == [
        ("dynamic", "valid"),
        ("card", "valid"),
        ("card", "not_green"),
        ("unknown", "invalid"),
        ("device", "valid"),
        ("unknown", "invalid"),
        ("card", "expired"),
    ]
    assert (said[0]["colour"], said[0]["masked_name"], said[0]["last_digits"]) == ("yellow", "*小明", "1X")
    assert "colour" not in said[1]
    assert not (tmp_path / "nowhere").exists()


def test_a_file_whose_lists_are_too_old_says_cannot_check(ring: GateKeys, tmp_path: Path) -> None:
    text = card_text(ring, card_of(ring, 1, AT), AT)

    (said,) = run(trust_file(ring, tmp_path), text, at=AT + LIFE)

    assert (said["verdict"], said["why"]) == ("cannot_check", "trust list too old")
    (said,) = run(trust_file(ring, tmp_path, not_green=None), text)
    assert (said["verdict"], said["why"]) == ("cannot_check", "no not-green list")


def test_the_skew_is_what_was_asked_for(ring: GateKeys, tmp_path: Path) -> None:
    path = trust_file(ring, tmp_path)
    text = card_text(ring, card_of(ring, 1, AT, expires_at=AT + 60), AT)

    def said(skew: str) -> str:
        arguments = ["verify", "--trust", str(path), "--at", instant(AT + 64), "--skew", skew]
        done = CliRunner().invoke(codes.command, arguments, input=text)
        return str(json.loads(done.stdout)["verdict"])

    assert (said("4"), said("5")) == ("expired", "valid")


@pytest.mark.parametrize("line", [b"\xff\xfe\x00", b"HK2:" + b"0" * 100_000, b"HK1:" + b"\xe5\x81", b"\0" * 50])
def test_no_line_is_too_strange(ring: GateKeys, tmp_path: Path, line: bytes) -> None:
    good = card_text(ring, card_of(ring, 1, AT), AT).encode()

    said = run(trust_file(ring, tmp_path), line + b"\n" + good + b"\n")

    assert [one["verdict"] for one in said] == ["invalid", "valid"]


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=6))
def test_there_are_as_many_verdicts_as_lines(found: list[bytes]) -> None:
    source = io.BytesIO(b"".join(line + b"\n" for line in found))

    assert len(list(codes.lines(source))) == len(found)


@pytest.mark.parametrize("size", [8_190, 8_191, 8_192, 8_193, 16_384, 16_385])
def test_a_line_around_the_limit_is_one_line(size: int) -> None:
    for end in (b"", b"\n"):
        found = list(codes.lines(io.BytesIO(b"x" * size + end + (b"next" if end else b""))))
        assert len(found) == (2 if end else 1)
        assert not end or found[1] == "next"


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[" * 100_000, b"\xff", b" " * (bundle.FILE_BYTES_MAX + 2), b'{"version":2}'],
)
def test_a_damaged_trust_file_is_refused_in_a_sentence(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "trust.json"
    path.write_bytes(body)

    done = CliRunner().invoke(codes.command, ["verify", "--trust", str(path)], input="")

    assert isinstance(done.exception, TrustFileInvalidError)


def test_a_trust_file_whose_lists_its_own_root_has_not_signed_is_refused(ring: GateKeys, tmp_path: Path) -> None:
    elsewhere = gate_ring(tmp_path)

    for changes in (
        {"root": root(pinned(elsewhere, AT)).keys},
        {"trust": trust_text(elsewhere, AT)},
        {"not_green": not_green_text(elsewhere, AT)},
        {"root": ()},
    ):
        with pytest.raises(TrustFileInvalidError):
            bundle.read(trust_file(ring, tmp_path, **changes).read_bytes())


def test_the_trust_file_is_what_the_board_and_the_keys_say_and_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
    monkeypatch.setenv("TIANFU_PUBLIC_ORIGIN", ORIGIN)
    ring = gate_ring(tmp_path)
    out = tmp_path / "trust.json"
    writer = BoardWriter.open(tmp_path / "board")
    writer.close()
    absent = CliRunner().invoke(codes.command, ["trust", "--out", str(out)])
    writer = BoardWriter.open(tmp_path / "board")
    writer.put_lists([(b"trust", trust_text(ring, AT).encode()), (b"not-green", not_green_text(ring, AT).encode())])
    writer.close()

    done = CliRunner().invoke(codes.command, ["trust", "--out", str(out)])

    assert isinstance(absent.exception, ListAbsentError)
    assert done.exit_code == 0, done.output
    text = out.read_text()
    assert not any(key.secret in text or (key.reference and key.reference in text) for key in ring.keys)
    assert run(out, card_text(ring, card_of(ring, 1, AT), AT))[0]["verdict"] == "valid"


def test_help_shows_how_it_is_used() -> None:
    done = CliRunner().invoke(application, ["codes", "verify", "--help"])

    assert done.exit_code == 0
    for words in ("tianfu codes verify --trust trust.json < codes.txt", "cannot_check", "--skew", "--at"):
        assert words in done.output


@pytest.fixture
def control(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Control]:
    with Control(database, tmp_path).served() as running:
        monkeypatch.setenv("TIANFU_VAR", str(tmp_path))
        monkeypatch.setenv("TIANFU_DATABASE_URL", database_url)
        monkeypatch.setenv("TIANFU_PUBLIC_ORIGIN", ORIGIN)
        yield running


def make(*arguments: str) -> Result:
    return CliRunner().invoke(codes.command, list(arguments))


def test_a_card_is_printed_for_somebody_without_a_phone_and_they_see_it(control: Control, tmp_path: Path) -> None:
    browser = control.browser()
    browser.claim()
    out = tmp_path / "card.svg"

    done = make("card", format_person_ref(PersonRef(1)), "--kind", "elder", "--out", str(out))

    assert done.exit_code == 0, done.output
    assert "张*明" in out.read_text(encoding="utf-8")
    assert "老人" in out.read_text(encoding="utf-8")
    with control.database.read(Purpose.OPERATOR) as read:
        (row,) = credential_store.live(read, PersonRef(1), "card", datetime.now(UTC))
    assert row.expires_at - row.issued_at == timedelta(days=7)
    assert [entry["action"] for entry in browser.ask("GET", "/api/v1/me/reads").json()] == ["card_printed"]


def test_nobody_without_a_claim_gets_a_card(control: Control, tmp_path: Path) -> None:
    with control.database.write(Purpose.OPERATOR) as write:
        write.execute("insert into person (first_seen_at) values (now())")

    done = make("card", format_person_ref(PersonRef(1)), "--out", str(tmp_path / "card.svg"))

    assert isinstance(done.exception, TianfuError)
    assert done.exception.code == "not_found"
    assert not (tmp_path / "card.svg").exists()


def test_a_vehicle_is_made_from_a_terminal_under_a_managers_account(control: Control, tmp_path: Path) -> None:
    control.account("manager", (Role.VENUE_MANAGER, "510107"))
    words = ["--plate", "川A12345", "--operator", "蜀运", "--kind", "bus", "--district", "510107"]

    done = make("vehicle", "create", *words, "--account", "manager", "--svg", str(tmp_path / "bus.svg"))

    assert done.exit_code == 0, done.output
    keys = GateKeys.load_or_create(gate_path(tmp_path)).at(int(datetime.now(UTC).timestamp()))
    claim = read_poster(done.stdout.strip(), keys.verify, ORIGIN)
    assert isinstance(claim, VehicleClaim)
    assert (claim.plate, claim.operator, claim.kind, claim.generation) == ("川A12345", "蜀运", "bus", 1)
    assert "公交车" in (tmp_path / "bus.svg").read_text(encoding="utf-8")
    refused = make("vehicle", "create", *words, "--account", "nobody")
    assert isinstance(refused.exception, TianfuError)
    assert refused.exception.code == "account_not_found"


def test_the_card_of_the_portal_is_the_same_kind_of_code(control: Control, tmp_path: Path) -> None:
    browser = control.browser()
    browser.claim()
    code = browser.ask("POST", "/api/portal/card", {"kind": "self"}).json()["code"]
    ring = GateKeys.load_or_create(gate_path(tmp_path))

    assert verify(code, ring, int(control.clock.now().timestamp())).kind is CodeKind.CARD
