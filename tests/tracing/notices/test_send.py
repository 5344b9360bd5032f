"""The line of messages: queued once, sent to the phone, tried again, and a place named once it was announced."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import NOON
from tests.support.evidence import people
from tests.support.followed import NEIGHBOUR, ninth, open_incident, put_on_list
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.residents import profile
from tianfu.residents import store as residents
from tianfu.residents.documents import Document, DocumentType
from tianfu.residents.profile import Personal
from tianfu.residents.proofing import MessageNotSentError, Proof
from tianfu.tracing.followup import planning
from tianfu.tracing.incidents import Incident
from tianfu.tracing.notices import send, store
from tianfu.tracing.notices.send import ATTEMPTS_MAX, Message, Outbox
from tianfu.tracing.notices.store import Notice
from tianfu.tracing.notices.texts import Form, load

TEXTS = load(PROJECT_ROOT / "policies" / "tracing" / "texts" / "notices.toml")
MESSAGE = Message(TEXTS, ninth, "epidemiologist", NOON, Form.LONG)


@pytest.fixture
def pseudonym(tmp_path: Path) -> Pseudonym:
    return Pseudonym(RecordKeys.load_or_create(tmp_path / "records.json"))


def claim(database: Database, person: PersonRef, pseudonym: Pseudonym, *, language: str = "zh") -> None:
    """Give a person a code, and so a name and a phone."""
    personal = Personal("张小明", Document(DocumentType.PASSPORT, f"E{person:08d}"), f"+86138{person:08d}")
    row = profile.sealed(
        person,
        personal,
        district=NEIGHBOUR,
        language=language,
        proof=Proof("sandbox", "sandbox"),
        claimed_at=NOON,
        pseudonym=pseudonym,
    )
    with database.write(Purpose.OPERATOR) as write:
        residents.insert_resident(write, row)


def incident_of(database: Database, persons: list[PersonRef], case: PersonRef) -> Incident:
    incident = open_incident(database, [case])
    put_on_list(database, incident, persons, case=case)
    planning.plan_incident(database, incident, ninth, at=NOON)
    return incident


def test_a_message_is_queued_once_sent_to_the_phone_and_who_has_none_is_called_on(
    database: Database, pseudonym: Pseudonym, tmp_path: Path
) -> None:
    case, english, nobody = people(database, 3)
    claim(database, english, pseudonym, language="en")
    incident = incident_of(database, [english, nobody], case)

    queued = [send.queue_contacts(database, incident, MESSAGE) for _ in range(2)]
    outbox = tmp_path / "outbox"
    sent = [send.send_waiting(database, Outbox(outbox), pseudonym=pseudonym, at=NOON) for _ in range(2)]

    assert queued == [2, 0]
    assert sent == [(1, 1, 0), (0, 0, 0)]
    (file,) = outbox.iterdir()
    content = json.loads(file.read_text(encoding="utf-8"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert content["to"] == f"+86138{english:08d}"
    assert "You have been named a close contact" in content["text"]
    with database.read(Purpose.OPERATOR) as read:
        assert store.unreachable(read, incident.incident_ref, 0, 10) == [nobody]
        assert {one.state: one.count for one in store.counts(read, incident.incident_ref)} == {
            "sent": 1,
            "unreachable": 1,
        }


def test_what_cannot_be_sent_is_tried_again_a_few_times(database: Database, pseudonym: Pseudonym) -> None:
    class Broken:
        def send(self, notice: Notice, *, phone: str | None) -> None:  # noqa: ARG002 - it never gets that far
            raise MessageNotSentError

    case, person = people(database, 2)
    claim(database, person, pseudonym)
    incident = incident_of(database, [person], case)
    send.queue_contacts(database, incident, MESSAGE)

    tries = [
        send.send_waiting(database, Broken(), pseudonym=pseudonym, at=NOON).failed for _ in range(ATTEMPTS_MAX + 1)
    ]

    assert tries == [1] * ATTEMPTS_MAX + [0]
    with database.read(Purpose.OPERATOR) as read:
        assert [one.state for one in store.counts(read, incident.incident_ref)] == ["failed"]


def test_a_place_is_named_to_its_contacts_only_once_it_was_announced(database: Database) -> None:
    case, person = people(database, 2)
    incident = incident_of(database, [person], case)
    with database.write(Purpose.OPERATOR) as write:
        write.execute(
            "insert into account (username, display_name, password_hash, created_at) values ('boss', 'boss', '-', %s)",
            (NOON,),
        )
        venue = write.value(
            "insert into venue (venue_id, name, category, district, manager, created_at, sequence)"
            " select %s, '某餐厅', 'restaurant', %s, account_ref, %s, nextval('venue_sequence') from account"
            " returning venue_ref",
            (bytes(16), NEIGHBOUR, NOON),
        )
        write.execute("update traced set venue_ref = %s", (venue,))
        write.execute(
            "insert into place_announcement (incident_ref, venue_ref, begins_at, ends_at, scans, run_ref)"
            " select incident_ref, %s, %s, %s, 900, run_ref from trace_run",
            (venue, NOON, NOON + timedelta(hours=2)),
        )
        before = store.followed(write, incident.incident_ref, after=0, limit=10)
        queued = [send.queue_places(write, incident, TEXTS, by="epidemiologist", at=NOON) for _ in range(2)]
        after = store.followed(write, incident.incident_ref, after=0, limit=10)

    assert queued == [4, 0]
    assert [one.announced for one in (*before, *after)] == [None, "某餐厅"]
