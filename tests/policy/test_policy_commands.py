"""The commands about rule sets and evidence on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.clock import NOON
from tests.support.evidence import case, contact, declaration, lab_test, people
from tests.support.status import POLICY_FILE, append, core_policy, recompute_all
from tests.support.worker import put_in_force
from tianfu.audit import trail
from tianfu.cli.main import application
from tianfu.errors import NotFoundError
from tianfu.evidence.kinds import ContactTier
from tianfu.ids import format_person_ref
from tianfu.platform.database import Database, Purpose
from tianfu.policy import store
from tianfu.policy.combine import OverlayFileInvalidError
from tianfu.policy.load import PolicyInvalidError, load
from tianfu.policy.publish import PolicyNumberTakenError, PublicationNeedsTwoError
from tianfu.status.takeover import Takeover

Command = Callable[..., Result]
BODY = POLICY_FILE.read_text(encoding="utf-8")
# Contacts are yellow instead of red, and for a week longer.
MILDER = BODY.replace("number = 8\n", "number = 9\n").replace(
    'colour = "red"\nfrom = { anchor = "designated_at" }\nuntil = { anchor = "last_exposure_at", days = 21 }',
    'colour = "yellow"\nfrom = { anchor = "designated_at" }\nuntil = { anchor = "last_exposure_at", days = 28 }',
)
OPEN_ROW = BODY.replace('until = { anchor = "last_exposure_at", days = 7 }\n', "").replace(
    'ends = { zh = "自最后一次接触起满7天', 'ends_open = { zh = "自最后一次接触起满7天'
)
OVERLAY = """
[[overlay]]
id = "chengdu"
places = ["5101"]
title = { zh = "成都市", en = "Chengdu" }
authority = { zh = "成都市指挥部", en = "Chengdu headquarters" }
suspends = ["close-contact"]
"""


@pytest.fixture
def tianfu(database_url: str, tmp_path: Path) -> Command:
    """Runs `tianfu` on the test's database and data folder."""
    runner = CliRunner(env={"TIANFU_DATABASE_URL": database_url, "TIANFU_VAR": str(tmp_path), "LANG": "en_US.UTF-8"})
    return lambda *arguments: runner.invoke(application, arguments)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], str]:
    """Writes a rule set; its path."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_checking_tells_warnings_and_strict_makes_them_count(tianfu: Command, file: Callable[[str, str], str]) -> None:
    path = file("open.toml", OPEN_ROW.replace("即{until}", "").replace(", on {until}", ""))

    told, strict = tianfu("policy", "check", path), tianfu("policy", "check", path, "--strict")
    machine = json.loads(tianfu("policy", "check", path, "--json").output)

    assert (told.exit_code, strict.exit_code) == (0, 1)
    assert "rule[4].phase[0] (secondary-contact): has no end and no release" in told.output
    assert {warning["code"] for warning in machine["warnings"]} == {"no_end", "overlap"}
    assert (machine["number"], machine["faults"]) == (8, [])


def test_checking_tells_faults_to_programs_too(tianfu: Command, file: Callable[[str, str], str]) -> None:
    result = tianfu("policy", "check", file("bad.toml", "[set]\nname = 1\n"), "--json")

    assert result.exit_code == 2
    assert json.loads(result.output)["faults"]


def test_the_schema_of_a_rule_set_is_printed(tianfu: Command) -> None:
    printed = json.loads(tianfu("policy", "schema").output)

    assert printed["$schema"].startswith("https://json-schema.org/")
    assert {"Rule", "Phase", "Overlay"} <= set(printed["$defs"])


def test_a_difference_is_told_in_words_and_says_whom_it_can_change(
    database: Database, tianfu: Command, file: Callable[[str, str], str]
) -> None:
    put_in_force(database)
    new = file("new.toml", MILDER)

    told = tianfu("policy", "diff", core_policy().hash[:10], new)
    machine = json.loads(tianfu("policy", "diff", str(POLICY_FILE), new, "--json").output)

    assert "~ rule close-contact" in told.output
    assert "+ yellow, from designated_at until 28 days after last_exposure_at" in told.output
    assert "0 rules added, 0 removed, 1 changed" in told.output
    assert "people with statements of these kinds: contact" in told.output
    assert machine["affected"] == {"everybody": False, "kinds": ["contact"]}
    assert {change["part"] for change in machine["changes"]} == {"set", "rule"}


def test_a_hash_that_nobody_published_is_not_found(database: Database, tianfu: Command) -> None:
    put_in_force(database)

    assert isinstance(tianfu("policy", "diff", "0" * 12, str(POLICY_FILE)).exception, NotFoundError)
    assert isinstance(tianfu("policy", "show", "0" * 64).exception, NotFoundError)
    assert tianfu("policy", "show", core_policy().hash[:8]).stdout_bytes == POLICY_FILE.read_bytes()


def test_a_comparison_counts_everybody_and_writes_nothing(
    database: Database, tianfu: Command, file: Callable[[str, str], str]
) -> None:
    persons = people(database, 6)
    append(
        database,
        contact(persons[0], "K1"),
        contact(persons[1], "K2"),
        contact(persons[2], "K3", ContactTier.COPRESENT),
        lab_test(persons[3], "L1"),
        case(persons[4], "C1"),
        lab_test(persons[0], "L2"),
    )
    at = (NOON + timedelta(minutes=1)).isoformat()
    arguments = ("policy", "compare", str(POLICY_FILE), file("new.toml", MILDER), "--at", at)

    told = tianfu(*arguments)
    machine = json.loads(tianfu(*arguments, "--json").output)

    assert machine["people"] == 5, machine
    assert {"old": "red", "new": "yellow", "people": 2} in machine["colours"]
    assert (machine["changed"], machine["colour_changed"], machine["worse"], machine["failed"]) == (2, 2, 0, 0)
    assert {"district": "510104", "people": 2, "changed": 1, "worse": 0} in machine["districts"]
    assert {"district": "unknown", "people": 3, "changed": 1, "worse": 0} in machine["districts"]
    assert "2 come out differently, 2 of them in another colour (0 worse, 2 better)" in told.output
    assert "red -> yellow: 2" in told.output
    with database.read(Purpose.WORKER) as read:
        assert read.value("select count(*) from status") == 0
        assert read.value("select count(*) from audit_trail") == 0


def test_a_rehearsal_says_what_a_publication_would_do_and_does_not_do_it(
    database: Database, tianfu: Command, file: Callable[[str, str], str]
) -> None:
    put_in_force(database)
    persons = people(database, 3)
    append(database, contact(persons[0], "K1"), lab_test(persons[1], "L1"))
    by = ("--by", "li.na", "--approved-by", "wang.wei", "--dry-run")

    rehearsed = tianfu("policy", "publish", file("new.toml", MILDER), *by)
    taken = tianfu("policy", "publish", file("other.toml", BODY + "\n# other\n"), *by)
    alone = tianfu("policy", "publish", file("new.toml", MILDER), *by[:3], "LI.NA", "--dry-run")

    assert "close-contact" in rehearsed.output
    assert "1 people would be decided again; nothing was published" in rehearsed.output
    assert isinstance(taken.exception, PolicyNumberTakenError)
    assert isinstance(alone.exception, PublicationNeedsTwoError)
    with database.read(Purpose.WORKER) as read:
        assert len(store.page(read)) == 1


def test_progress_is_told_while_a_policy_takes_over_and_after(
    database: Database, tianfu: Command, file: Callable[[str, str], str]
) -> None:
    begun = datetime.now(UTC) - timedelta(days=1)
    put_in_force(database, at=begun)
    append(database, *(contact(person, f"K{person}") for person in people(database, 3)))
    recompute_all(database, datetime.now(UTC))
    assert "has not looked yet" in tianfu("policy", "progress").output
    tianfu("policy", "publish", file("new.toml", MILDER), "--by", "li.na", "--approved-by", "wang.wei")

    under_way = Takeover(database)
    while under_way.step(load(MILDER.encode()), datetime.now(UTC)) is not None:
        pass

    (told,) = json.loads(tianfu("policy", "progress", "--json").output)
    assert (told["done"], told["total"], told["finished"], told["kinds"]) == (3, 3, True, ["contact"])
    assert "3 of 3 looked at, done" in tianfu("policy", "progress").output


def test_cities_files_are_added_to_the_province_s_and_the_whole_is_checked(
    tianfu: Command, file: Callable[[str, str], str], tmp_path: Path
) -> None:
    output = tmp_path / "combined.toml"
    base, good = file("base.toml", BODY), file("chengdu.toml", OVERLAY)

    done = tianfu("policy", "combine", base, good, "-o", str(output))
    alien = tianfu("policy", "combine", base, file("x.toml", "[set]\nnumber = 3\n"), "-o", str(tmp_path / "no.toml"))
    unknown = file("y.toml", OVERLAY.replace("close-contact", "no-such-rule"))
    faulty = tianfu("policy", "combine", base, unknown, "-o", str(tmp_path / "no.toml"))

    assert done.exit_code == 0, done.output
    assert [overlay.id for overlay in load(output).rule_set.overlay] == ["chengdu"]
    assert output.read_text(encoding="utf-8").startswith(BODY.rstrip())
    assert isinstance(alien.exception, OverlayFileInvalidError)
    assert isinstance(faulty.exception, PolicyInvalidError)
    assert not (tmp_path / "no.toml").exists()


def test_evidence_is_listed_on_both_axes_of_time_and_the_look_is_in_the_trail(
    database: Database, tianfu: Command
) -> None:
    (person,) = people(database, 1)
    received = datetime(2022, 3, 2, tzinfo=UTC)
    append(database, declaration(person, "D1", at=received), at=received)
    append(database, contact(person, "K1", at=received), at=received + timedelta(days=2))
    reference = format_person_ref(person)

    whole = tianfu("evidence", "list", reference, "--purpose", "appeal")
    known = tianfu("evidence", "list", reference, "--known-at", "2022-03-03T00:00:00+00:00", "--json")
    counting = tianfu("evidence", "list", reference, "--as-of", "2022-03-01T12:00:00+00:00", "--json")
    nobody = tianfu("evidence", "list", "P-000000012-62")

    assert "contact" in whole.output
    assert "tier=close" in whole.output
    assert [item["attributes"]["type"] for item in json.loads(known.output)] == ["declaration"]
    assert [item["attributes"]["type"] for item in json.loads(counting.output)] == ["contact"]
    assert isinstance(nobody.exception, NotFoundError)
    with database.read(Purpose.WORKER) as read:
        looks = trail.reads_of(read, person, limit=10, before=None)
    assert [(look.action, look.purpose) for look in looks] == [
        ("evidence.list", "consultation"),
        ("evidence.list", "consultation"),
        ("evidence.list", "appeal"),
    ]


def test_a_decision_about_one_instant_is_explained_by_what_was_known_at_another(
    database: Database, tianfu: Command
) -> None:
    put_in_force(database, at=datetime.now(UTC) - timedelta(days=30))
    (person,) = people(database, 1)
    received = datetime.now(UTC) - timedelta(days=2)
    append(database, contact(person, "K1", at=received - timedelta(days=3)), at=received)
    reference = format_person_ref(person)
    at = (received - timedelta(days=1)).isoformat()

    then = tianfu("explain", reference, "--at", at)
    since = tianfu("explain", reference, "--at", at, "--known-at", received.isoformat())

    assert "GREEN" in then.output, then.output
    assert "RED" in since.output, since.output
