"""Messages put in line and sent. There is no SMS gateway here: what is sent goes into a folder.

The seam is `NoticeSender`, as `tianfu.residents.proofing.MessageSender` is for one-time passwords. `Outbox` writes one
file a message, readable by its owner only, for a gateway's own program to take away.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from tianfu.clock import shanghai_day
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Purpose, Read, Write
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import profile
from tianfu.residents import store as residents
from tianfu.residents.proofing import MessageNotSentError
from tianfu.tracing.followup.planning import Schedules
from tianfu.tracing.incidents import Incident
from tianfu.tracing.notices import store
from tianfu.tracing.notices.store import Followed, Notice
from tianfu.tracing.notices.texts import LANGUAGES, Audience, Form, Texts, Told, contact_text, place_text

PEOPLE_AT_ONCE: Final = 1_000
MESSAGES_AT_ONCE: Final = 200
ATTEMPTS_MAX: Final = 5


class NoticeSender(Protocol):
    """Sends a text to a phone, or publishes it."""

    def send(self, notice: Notice, *, phone: str | None) -> None:
        """Send to `phone` (E.164), publish when None. Sending twice is harmless. Raises `MessageNotSentError`."""
        ...


class Outbox:
    """A folder with one file a message, `notice-000000012.json`, mode 0600."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first message is sent."""
        self._folder = folder

    def send(self, notice: Notice, *, phone: str | None) -> None:
        """Write the file, over one of the same number. Raises `MessageNotSentError`."""
        content = {"to": phone, "form": notice.form, "language": notice.language, "text": notice.text}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._folder / f"notice-{notice.notice_ref:09d}.json"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                json.dump(content, handle, ensure_ascii=False)
        except OSError as error:
            raise MessageNotSentError from error


class Sent(NamedTuple):
    """What became of the messages that waited."""

    sent: int
    unreachable: int
    failed: int


class Message(NamedTuple):
    """What is told to whom in which form, and who says so when."""

    texts: Texts
    schedules: Schedules
    by: str
    at: datetime
    form: Form = Form.SHORT
    audience: Audience = Audience.SELF


def queue_contacts(
    database: Database, incident: Incident, message: Message, *, persons: Sequence[PersonRef] | None = None
) -> int:
    """Put a message to everybody who is followed (or `persons` of them) in line; how many are new.

    In the language of the person's code, Chinese without one. The same text is not queued twice, so this can be
    run again after each planning: who gets another tier, measure or other test days is told so.
    """
    queued, after = 0, 0
    while True:
        with database.write(Purpose.BATCH) as write:
            part = store.followed(write, incident.incident_ref, after=after, limit=PEOPLE_AT_ONCE, persons=persons)
            queued += store.queue(write, list(_rows(write, incident, part, message)))
        if len(part) < PEOPLE_AT_ONCE:
            return queued
        after = part[-1].person


def queue_places(write: Write, incident: Incident, texts: Texts, *, by: str, at: datetime) -> int:
    """Put the incident's place announcements in line, in both languages and forms; how many are new."""
    rows = [
        (incident.incident_ref, None, venue, form.value, language, text, _digest(text), at, by)
        for venue, name, begins, ends in store.announcements(write, incident.incident_ref)
        for language in LANGUAGES
        for form in Form
        for text in [place_text(texts, place=name, begins=begins, ends=ends, form=form, language=language)]
    ]
    return store.queue(write, rows)


def told_of(found: Followed, schedules: Schedules, audience: Audience) -> Told:
    """What the message to somebody who is followed tells."""
    return Told(
        tier=found.tier,
        setting=found.setting,
        schedule=schedules(found.tier),
        last_exposure=shanghai_day(found.last_exposure),
        tests=found.tests,
        announced=found.announced,
        audience=audience,
    )


def send_waiting(database: Database, sender: NoticeSender, *, pseudonym: Pseudonym, at: datetime) -> Sent:
    """Send what waits. A message that cannot be sent is tried again by later calls, `ATTEMPTS_MAX` times in all.

    A crash between sending and writing that down sends a message twice, never not at all.
    """
    total, after = Sent(0, 0, 0), 0
    while True:
        with database.write(Purpose.BATCH) as write:
            waiting = store.waiting(write, after, MESSAGES_AT_ONCE)
            states = [_send(write, sender, notice, pseudonym, at) for notice in waiting]
        total = Sent(
            total.sent + states.count("sent"),
            total.unreachable + states.count("unreachable"),
            total.failed + states.count("queued") + states.count("failed"),
        )
        if len(waiting) < MESSAGES_AT_ONCE:
            return total
        after = waiting[-1].notice_ref


def _send(write: Write, sender: NoticeSender, notice: Notice, pseudonym: Pseudonym, at: datetime) -> str:
    phone = None if notice.person is None else _phone(write, notice.person, pseudonym)
    if notice.person is not None and phone is None:
        state = "unreachable"
    else:
        try:
            sender.send(notice, phone=phone)
            state = "sent"
        except MessageNotSentError:
            state = "failed" if notice.attempts + 1 >= ATTEMPTS_MAX else "queued"
    store.set_state(write, notice.notice_ref, state, at if state == "sent" else None)
    return state


def _phone(read: Read, person: PersonRef, pseudonym: Pseudonym) -> str | None:
    row = residents.find_resident(read, person)
    return None if row is None else profile.opened(row, pseudonym=pseudonym).phone


def _rows(read: Read, incident: Incident, part: Sequence[Followed], message: Message) -> Iterator[tuple[object, ...]]:
    form = message.form
    for found in part:
        row = residents.find_resident(read, found.person)
        language = "zh" if row is None else row.language
        told = told_of(found, message.schedules, message.audience)
        text = contact_text(message.texts, told, form=form, language=language)
        who = (incident.incident_ref, found.person, None)
        yield (*who, form.value, language, text, _digest(text), message.at, message.by)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
