"""The report of an incident opens without network, draws its charts, and asks nobody for anything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
from playwright.sync_api import Browser

from tests.support.clock import NOON
from tests.support.evidence import people
from tests.support.listed import NUMBER, case_of, incident, listed
from tianfu.platform.database import Database, Purpose
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.tracing import incidents, known_store
from tianfu.tracing.report.data import FunnelStep, collect
from tianfu.tracing.report.page import page

SCRIPT = PROJECT_ROOT / "web" / "dist-report" / "report.js"


def test_it_opens_offline_and_draws_every_chart(database: Database, browser: Browser, tmp_path: Path) -> None:
    index, second, contact = people(database, 3)
    reference = incident(database)
    case_of(database, reference, index)
    listed(database, reference, second, index)
    with database.write(Purpose.OPERATOR) as write:
        known_store.keep(write, reference, second, NOON)
    case_of(database, reference, second, at=NOON + timedelta(days=2))
    listed(database, reference, contact, index)
    with database.read(Purpose.OPERATOR) as read:
        found = incidents.find(read, NUMBER)
        report = collect(read, found, language="zh", at=NOON)
    report = msgspec.structs.replace(report, funnel=(FunnelStep("漫入名单", 9, 9, 0),))
    path = tmp_path / "incident.html"
    path.write_text(page(report, SCRIPT.read_text(encoding="utf-8")), encoding="utf-8")

    with browser.new_context(offline=True) as context:
        opened = context.new_page()
        trouble: list[str] = []
        asked: list[str] = []
        opened.on("console", lambda message: trouble.append(message.text))
        opened.on("pageerror", lambda error: trouble.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(path.as_uri())
        opened.locator("#funnel svg").wait_for()
        drawn = [opened.locator(f"#{name} svg path").count() for name in ("chain", "timeline", "map", "funnel")]
        opened.get_by_text("以表格查看").first.click()
        first = opened.locator("#chain + details tbody tr")

        assert all(drawn)
        assert first.count() == 2
        assert trouble == []
        assert asked == [path.as_uri()]
