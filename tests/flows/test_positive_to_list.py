"""From a laboratory's file to the list on an operator's screen, by a whole Tianfu with nobody touching anything."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import lake
from tests.support.clock import FixedClock
from tests.support.control import Browser, resident_id
from tests.support.feeds import csv_file, lab_cells
from tests.support.running import RunningTianfu, until
from tianfu.clock import SHANGHAI, monotonic_seconds
from tianfu.feeds.contracts_lab import LAB
from tianfu.ids import PersonRef, format_person_ref
from tianfu.lake import state
from tianfu.platform import settings
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.postgres import EmbeddedPostgres
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents import documents, people

# The promise is 60 s; this bound only catches what is broken.
LIST_SECONDS_MAX = 120.0
INCIDENTS = "/api/v1/console/incidents"


def lab_file(folder: Path, sampled_at: datetime, *results: tuple[str, str]) -> str:
    """A laboratory's file of pairs of document and result."""
    sampled = sampled_at.astimezone(SHANGHAI)
    path = folder / f"lab-{sampled:%H%M}-{len(results)}.csv"
    rows = [
        lab_cells(
            number,
            document_number=document,
            sample_id=f"P2L-{document[-5:]}-{sampled:%H%M}",
            result=result,
            sampled_at=f"{sampled:%Y-%m-%d %H:%M}",
            resulted_at=f"{sampled + timedelta(minutes=30):%Y-%m-%d %H:%M}",
        )
        for number, (document, result) in enumerate(results)
    ]
    path.write_bytes(csv_file(LAB, rows))
    return str(path)


def known(tianfu: RunningTianfu, database: Database, document: str) -> PersonRef:
    pseudonym = Pseudonym(RecordKeys.load_or_create(records_path(tianfu.var)))
    parsed = documents.parse("resident_id", document, at=datetime.now(UTC))
    with database.read(Purpose.WORKER) as read:
        found = people.find(read, parsed, pseudonym=pseudonym)
    assert found is not None
    return found


def asked(client: httpx.Client, path: str, **fields: object) -> Any:  # noqa: ANN401 - JSON
    answer = client.post(f"{INCIDENTS}{path}", json={"purpose": "investigation"} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kill_the_tracer(tianfu: RunningTianfu) -> None:
    """Kill it outright, wherever it is in its work; its supervisor starts it again."""
    for pid in tianfu.pids_of("tianfu.services.tracer"):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("deaths", "gate"), [(0, 77), (3, 78)], ids=["nobody dies", "the tracer dies again and again"])
def test_a_positive_result_becomes_a_list_that_is_read_and_explained(
    tianfu: RunningTianfu,
    tmp_path: Path,
    record_testsuite_property: Callable[[str, object], None],
    deaths: int,
    gate: int,
) -> None:
    now = datetime.now(UTC)
    positive_one, contact_one = resident_id(f"510112198805120{gate}"), resident_id(f"510112197903210{gate}")
    with tianfu.client() as resident:
        holder = Browser(resident, FixedClock(now))
        document = {"type": "resident_id", "number": positive_one}
        assert (
            holder.claim(name="周一", document=document, phone=f"138000099{gate}", district="510112").status_code == 201
        )
    before = lab_file(tmp_path, now - timedelta(hours=30), (positive_one, "negative"), (contact_one, "negative"))
    tianfu.command("feed", "load", "lab", before)
    database_url = EmbeddedPostgres(tianfu.var / "postgres").url
    with Database.open(database_url, settings.load({}).database) as database:
        case, contact = known(tianfu, database, positive_one), known(tianfu, database, contact_one)
        with database.read(Purpose.WORKER) as read:
            venue, name = read.rows("select venue_ref, name from venue where category = 'catering' limit 1")[0]
    yesterday = (now.astimezone(SHANGHAI) - timedelta(days=1)).replace(hour=12, minute=0)
    later = yesterday + timedelta(minutes=20)
    scans = [lake.scan(1, at=yesterday, person=case, venue=venue), lake.scan(2, at=later, person=contact, venue=venue)]
    lake.put_segment(tianfu.var / "lake", gate, scans)
    until(lambda: state.load(tianfu.var / "lake").gates.get(gate) == len(scans), "the scans in days")
    positive = lab_file(tmp_path, now - timedelta(hours=2), (positive_one, "positive"))

    with tianfu.client() as client:
        sent = {"username": "epidemiologist", "password": "epidemiologist-demo-2022"}
        assert client.post("/api/v1/console/sessions", json=sent).status_code == 201
        started = monotonic_seconds()
        tianfu.command("feed", "load", "lab", positive)
        for _ in range(deaths):
            kill_the_tracer(tianfu)
            time.sleep(0.4)

        found: dict[str, Any] = {}

        def listed() -> bool:
            for incident in asked(client, "/list"):
                for row in asked(client, f"/{incident['number']}/people", tier="close", limit=200)["rows"]:
                    if row["person"] == format_person_ref(contact):
                        found.update(row, number=incident["number"])
            return bool(found)

        until(listed, "the contact on the list", seconds=LIST_SECONDS_MAX)
        # From before the command that loads the file, its own start included.
        seconds = round(monotonic_seconds() - started, 2)
        record_testsuite_property(f"positive_file_to_list_page_seconds_{deaths}_deaths", seconds)
        why = asked(client, f"/{found['number']}/why", person=found["person"])

    assert found["number"].startswith(f"{now.astimezone(SHANGHAI).year}-510112-")
    assert (found["hop"], found["tier"], found["parent"]) == (1, "close", format_person_ref(case))
    assert why["chain"][0]["meetings"][0]["name"] == name
    told = tianfu.command("trace", "why", found["number"], found["person"])
    assert name in told
    assert found["person"] in tianfu.command("trace", "list", found["number"], "--tier", "close", "--limit", "200")
