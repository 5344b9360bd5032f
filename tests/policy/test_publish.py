from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from tests.support.evidence import contact
from tianfu.audit import verify
from tianfu.errors import InputInvalidError, TianfuError
from tianfu.evidence import changes
from tianfu.evidence.kinds import ContactTier
from tianfu.evidence.model import Evidence
from tianfu.ids import EvidenceId, PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy import store
from tianfu.policy.decide import decide
from tianfu.policy.load import PolicyInvalidError, load
from tianfu.policy.publish import (
    NoPolicyInForceError,
    Policies,
    PolicyAlteredError,
    PolicyNumberTakenError,
    PublicationBackdatedError,
    PublicationNeedsTwoError,
    PublicationTooEarlyError,
    any_in_force,
    in_force,
    publish,
)
from tianfu.policy.store import Publication

BODY = (PROJECT_ROOT / "policies" / "sichuan-core.toml").read_bytes()
OTHER = BODY.replace(b"number = 8", b"number = 9")
NOW = datetime(2022, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def published(
    database: Database, body: bytes = BODY, *, effective_from: datetime = NOW, at: datetime = NOW, by: str = "li.na"
) -> Publication:
    with database.write(Purpose.OPERATOR) as write:
        return publish(write, body=body, published_by=by, approved_by="wang.wei", effective_from=effective_from, at=at)


def number_at(database: Database, at: datetime) -> int:
    with database.read(Purpose.OPERATOR) as read:
        return in_force(read, at).number


def test_a_policy_governs_from_its_instant_on_and_the_latest_one_wins(database: Database) -> None:
    published(database)
    published(database, OTHER, effective_from=NOW + DAY)

    assert number_at(database, NOW) == 8
    assert number_at(database, NOW + DAY - timedelta(microseconds=1)) == 8
    assert number_at(database, NOW + DAY) == 9
    with database.read(Purpose.OPERATOR) as read:
        assert store.next_effective(read, NOW) == NOW + DAY
        assert store.next_effective(read, NOW + DAY) is None
        assert any_in_force(read, NOW)
        assert not any_in_force(read, NOW - DAY)


def test_of_two_for_one_instant_the_last_published_governs_which_is_how_to_roll_back(database: Database) -> None:
    for body in (BODY, OTHER, BODY):
        published(database, body)

    assert number_at(database, NOW) == 8
    with database.read(Purpose.OPERATOR) as read:
        assert [item.number for item in store.page(read)] == [8, 9, 8]


def test_a_number_stands_for_one_body_for_ever(database: Database) -> None:
    published(database)

    with pytest.raises(PolicyNumberTakenError):
        published(database, BODY + b"\n# another hand\n", effective_from=NOW + DAY)

    published(database, BODY, effective_from=NOW + DAY)
    assert number_at(database, NOW + DAY) == 8


def test_a_publication_wakes_the_worker_when_it_commits(database: Database) -> None:
    with database.listen(changes.CHANNEL) as listener:
        assert not listener.wait(0.01)
        published(database)
        assert listener.wait(60)


def test_a_publication_is_in_the_trail_and_the_trail_holds(database: Database) -> None:
    publication = published(database)

    with database.read(Purpose.OPERATOR) as read:
        row = read.row("select actor, action, subject, detail->>'approved_by' from audit_trail")
        verdict = verify.verify(read)
    assert row == ("li.na", "policy.publish", publication.policy_hash, "wang.wei")
    assert verdict.broken_at is None


@pytest.mark.parametrize("by", ["wang.wei", "WANG.WEI"])
def test_one_person_cannot_publish_alone(database: Database, by: str) -> None:
    refused(database, PublicationNeedsTwoError, by=by)


@pytest.mark.parametrize("by", ["", " li.na", "li na", "李娜", "x" * 65])
def test_whoever_publishes_has_a_name(database: Database, by: str) -> None:
    refused(database, InputInvalidError, by=by)


def test_a_faulty_file_is_not_published(database: Database) -> None:
    refused(database, PolicyInvalidError, body=BODY.replace(b"[[rule]]", b"[[rules]]"))


def test_a_policy_cannot_take_effect_before_its_own_date(database: Database) -> None:
    refused(database, PublicationTooEarlyError, effective_from=datetime(2021, 8, 10, tzinfo=UTC))


def test_only_the_first_policy_may_reach_back(database: Database) -> None:
    published(database, effective_from=NOW - 10 * DAY, at=NOW)

    with pytest.raises(PublicationBackdatedError):
        published(database, OTHER, effective_from=NOW - timedelta(seconds=1), at=NOW)

    assert number_at(database, NOW) == 8


def test_without_a_policy_nothing_can_be_decided(database: Database) -> None:
    with database.read(Purpose.OPERATOR) as read:
        with pytest.raises(NoPolicyInForceError):
            in_force(read, NOW)
        with pytest.raises(NoPolicyInForceError):
            Policies().by_hash(read, "0" * 64)


def test_a_policy_is_compiled_once_and_an_altered_one_is_not_used(database: Database) -> None:
    publication = published(database)
    policies = Policies()
    with database.read(Purpose.OPERATOR) as read:
        kept = policies.in_force(read, NOW)
    assert kept.body == BODY

    with database.write(Purpose.OPERATOR) as write:
        write.execute("alter table policy_publication disable trigger policy_publication_no_update")
        write.execute("update policy_publication set body = replace(body, 'days = 28', 'days = 27')")

    with database.read(Purpose.OPERATOR) as read:
        assert policies.in_force(read, NOW) is kept
        with pytest.raises(PolicyAlteredError):
            Policies().by_hash(read, publication.policy_hash)


def test_a_corrected_text_is_read_at_once_and_a_changed_rule_when_it_has_reached_the_person(
    database: Database,
) -> None:
    words = BODY.replace(b"number = 8", b"number = 9").replace("时空交集".encode(), "时空伴随".encode())
    rules = words.replace(b"number = 9", b"number = 10").replace(
        b'anchor = "designated_at", days = 14', b'anchor = "designated_at", days = 10'
    )
    published(database)
    published(database, words, effective_from=NOW + DAY)
    published(database, rules, effective_from=NOW + 2 * DAY)
    item = Evidence(
        **msgspec.structs.asdict(contact(PersonRef(1), "K1", ContactTier.COPRESENT, at=NOW)) | {"withdraws": None},
        evidence_id=EvidenceId(1),
        received_at=NOW,
    )
    decision = decide(load(BODY), [item], NOW + timedelta(hours=1))
    policies = Policies()

    with database.read(Purpose.OPERATOR) as read:
        first, _ = policies.as_told(read, decision, NOW)
        corrected, named = policies.as_told(read, decision, NOW + DAY)
        changed, unnamed = policies.as_told(read, decision, NOW + 2 * DAY)

    assert (first.number, corrected.number, changed.number) == (8, 9, 8)
    assert named == decide(corrected, [item], NOW + timedelta(hours=1))
    assert unnamed == decision


@pytest.mark.parametrize("statement", ["update policy_publication set number = 1", "delete from policy_publication"])
def test_the_database_refuses_to_change_a_publication(database: Database, statement: str) -> None:
    published(database)

    with pytest.raises(psycopg.IntegrityError), database.write(Purpose.OPERATOR) as write:
        write._connection.execute(statement.encode())

    assert number_at(database, NOW) == 8


def refused(
    database: Database,
    error: type[TianfuError],
    *,
    body: bytes = BODY,
    by: str = "li.na",
    effective_from: datetime = NOW,
) -> None:
    with pytest.raises(error):
        published(database, body, by=by, effective_from=effective_from)
    with database.read(Purpose.OPERATOR) as read:
        assert store.page(read) == []
        assert read.value("select count(*) from audit_trail") == 0
