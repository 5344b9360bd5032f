"""The text of a venue's poster, as its QR holds it, of a Tianfu that runs."""

from __future__ import annotations

from tests.support.running import RunningTianfu, until
from tianfu.access import accounts
from tianfu.clock import now_milliseconds
from tianfu.platform import settings
from tianfu.platform.database import Database, DatabaseUnavailableError, Purpose
from tianfu.platform.keyring import GateKeys
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.sign import KeyPurpose
from tianfu.venues import store
from tianfu.venues.poster import PosterClaim, poster_text


def first_poster(tianfu: RunningTianfu) -> str:
    """The poster of the first venue of the demo's first manager.

    A test before may have killed the database, which reads its log when it starts again; that is waited for.
    """
    url = EmbeddedPostgres(tianfu.var / "postgres").url
    until(lambda: _answers(url), "the database to answer again")
    with Database.open(url, settings.load({}).database) as database, database.read(Purpose.BATCH) as read:
        manager = accounts.find(read, "manager")
        assert manager is not None
        venue = store.managed_by(read, manager.account_ref, 1)[0]
    keys = GateKeys.load_or_create(tianfu.var / "keys" / "gate.json").at(now_milliseconds() // 1000)
    claim = PosterClaim(
        venue_id=venue.venue_id,
        generation=venue.generation,
        district=venue.district,
        category=venue.category.value,
        name=venue.name,
    )
    return poster_text(keys.signers[KeyPurpose.VENUE], claim, tianfu.address)


def _answers(url: str) -> bool:
    try:
        with Database.open(url, settings.load({}).database):
            return True
    except DatabaseUnavailableError:
        return False
