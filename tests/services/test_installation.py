from __future__ import annotations

from pathlib import Path

from tianfu.platform import settings
from tianfu.platform.database import Purpose
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.services.installation import installed_database


def test_a_named_database_is_opened_and_left_alone(database_url: str) -> None:
    with (
        installed_database(settings.load({"TIANFU_DATABASE_URL": database_url})) as database,
        database.read(Purpose.OPERATOR) as read,
    ):
        assert read.value("select count(*) from policy_publication") == 0


def test_the_embedded_server_is_started_for_the_while_and_left_running_when_it_ran(tmp_path: Path) -> None:
    chosen = settings.load({"TIANFU_VAR": str(tmp_path)})
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)

    with installed_database(chosen) as database, database.read(Purpose.OPERATOR) as read:
        assert read.value("select 1") == 1
    assert not server.is_running()

    server.start()
    try:
        with installed_database(chosen):
            pass
        assert server.is_running()
    finally:
        server.stop()
