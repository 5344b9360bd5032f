"""The parts behind the residents' and the operators' API, opened once per process."""

from __future__ import annotations

from datetime import datetime
from importlib import metadata

from tianfu.access.session import SessionKeys
from tianfu.clock import Clock, SystemClock
from tianfu.console.parts import Console
from tianfu.console.parts import new_rate as console_rate
from tianfu.evidence import changes
from tianfu.ids import PersonRef
from tianfu.platform.database import Database, Write
from tianfu.platform.keyring import GateKeys, RecordKeys
from tianfu.platform.observe import Log
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.settings import Settings
from tianfu.policy.publish import Policies
from tianfu.portal.issue import Issuing
from tianfu.portal.parts import Portal
from tianfu.portal.parts import new_rates as portal_rates
from tianfu.residents.claim import Desk
from tianfu.residents.proofing_http import providers
from tianfu.tracing.screening import funnel_files


def open_database(settings: Settings) -> Database:
    """The database the settings name; without a URL the embedded server, which somebody else keeps running.

    Raises `DatabaseUnavailableError` and the other errors of `Database.open`.
    """
    url = settings.database.url or EmbeddedPostgres(settings.var / "postgres").url
    return Database.open(url, settings.database)


def portal_parts(settings: Settings, database: Database, *, clock: Clock | None = None) -> Portal:
    """What the residents' API needs. Raises for key files or providers that cannot be used."""
    clock = clock or SystemClock()
    keys = settings.var / "keys"
    pseudonym = Pseudonym(RecordKeys.load_or_create(keys / "records.json", clock=clock), clock=clock)
    proofing, messages = providers(settings)
    passwords, tries = portal_rates()
    gate_keys = GateKeys.load_or_create(keys / "gate.json", clock=clock)
    issuing = Issuing(database, gate_keys, pseudonym, settings.codes.card_days, settings.codes.device_hours)
    return Portal(
        environment=settings.environment.value,
        version=metadata.version("tianfu"),
        public_origin=settings.server.public_origin,
        database=database,
        pseudonym=pseudonym,
        desk=Desk(database, pseudonym, proofing, _announce),
        messages=messages,
        policies=Policies(),
        sessions=SessionKeys(gate_keys),
        issuing=issuing,
        clock=clock,
        passwords=passwords,
        tries=tries,
    )


def console_parts(settings: Settings, database: Database, log: Log, *, clock: Clock | None = None) -> Console:
    """What the operators' API needs. Raises for key files that cannot be used."""
    clock = clock or SystemClock()
    keys = GateKeys.load_or_create(settings.var / "keys" / "gate.json", clock=clock)
    return Console(
        public_origin=settings.server.public_origin,
        database=database,
        keys=keys,
        sessions=SessionKeys(keys),
        policies=Policies(),
        funnels=funnel_files.folder(settings.policies),
        lake=settings.var / "lake",
        pseudonym=Pseudonym(
            RecordKeys.load_or_create(settings.var / "keys" / "records.json", clock=clock), clock=clock
        ),
        clock=clock,
        tries=console_rate(),
        log=log,
    )


def _announce(write: Write, person: PersonRef, at: datetime) -> None:
    """A holder without any evidence needs a status too."""
    changes.mark(write, [person], at)
