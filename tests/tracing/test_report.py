"""The report: what it counts, and a page that loads nothing and holds nobody's name."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import timedelta

import msgspec

from tests.support import incidents as traced
from tests.support.clock import NOON
from tests.support.evidence import people
from tests.support.incidents import Reached
from tests.support.listed import NUMBER, case_of, incident, listed
from tests.support.screening import FUNNELS
from tianfu.access.places import is_county, sichuan
from tianfu.platform.database import Database, Purpose
from tianfu.tracing import incidents, known_store
from tianfu.tracing.report.data import FunnelStep, Report, collect
from tianfu.tracing.report.page import page
from tianfu.tracing.report.seats import SEATS
from tianfu.tracing.report.words import words
from tianfu.tracing.screening import funnel_files, screenings


def report_of(database: Database, language: str = "en") -> Report:
    with database.read(Purpose.OPERATOR) as read:
        found = incidents.find(read, NUMBER)
        return collect(read, found, language=language, at=NOON)


def test_it_counts_cases_people_days_and_counties(database: Database) -> None:
    index, second, near, far, nowhere = people(database, 5)
    reference = incident(database)
    case_of(database, reference, index)
    listed(database, reference, second, index)
    with database.write(Purpose.OPERATOR) as write:
        known_store.keep(write, reference, second, NOON)
        write.execute("delete from traced where person_ref = %s", (second,))
    case_of(database, reference, second, at=NOON + timedelta(days=2))
    listed(database, reference, near, index)
    listed(database, reference, far, index, place="510104", tier="secondary", hop=2, state="dropped")
    listed(database, reference, nowhere, index, place=None)

    report = report_of(database)

    totals = report.totals
    assert (totals.cases, totals.known_before, totals.listed, totals.unplaced) == (2, 1, 3, 1)
    assert (totals.tiers, totals.states) == ({"close": 2, "secondary": 1}, {"proposed": 2, "dropped": 1})
    assert [(case.through, case.traced) for case in report.cases] == [(None, 4), (report.cases[0].reference, 0)]
    assert [(county.code, county.listed) for county in report.counties] == [("510104", 1), ("510107", 1)]
    assert [(day.day, day.cases, day.exposed) for day in report.days] == [
        ("2022-02-28", 0, {"close": 2}),
        ("2022-03-01", 1, {}),
        ("2022-03-02", 0, {}),
        ("2022-03-03", 1, {}),
    ]


def test_the_funnel_is_that_of_the_last_screening_in_the_words_of_the_page(database: Database) -> None:
    near, roamer = people(database, 2)
    found, _ = traced.opened(database, [Reached(near)])
    traced.append(database, traced.stay(near, "1"), traced.stay(roamer, "2"))
    loaded = funnel_files.find(FUNNELS, funnel_files.DEFAULT)
    with database.write(Purpose.BATCH) as write:
        screenings.begin(write, found, loaded, by="li.na", at=NOON)
        run = screenings.undo(write, found, "tests", by="li.na", at=NOON)
        told = {language: collect(write, found, language=language, at=NOON).funnel for language in ("zh", "en")}

    steps = [step for step in run.summary.steps if step.name != "tests"]
    assert told["en"][0] == FunnelStep(steps[0].en, 2, 2, 0)
    assert [step.name for step in told["zh"]] == [step.zh for step in steps]
    assert [step.after for step in told["zh"]] == [step.after for step in steps]
    assert sum(step.removed for step in told["zh"]) > 0


def test_the_page_allows_its_own_script_only_and_text_cannot_break_out(database: Database) -> None:
    (index,) = people(database, 1)
    case_of(database, incident(database), index)
    evil = msgspec.structs.replace(report_of(database), funnel=(FunnelStep("</script><b>&", 1, 0, 0),))

    made = page(evil, "console.log('</script>')")

    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", made, re.DOTALL)
    assert len(scripts) == 2
    digest = base64.b64encode(hashlib.sha256(scripts[1][1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in made
    assert "default-src 'none'" in made
    assert json.loads(scripts[0][1])["funnel"][0]["name"] == "</script><b>&"
    assert "<b>&" not in made
    assert not re.search(r"""(?:src|href)=|url\(|https?://""", made)


def test_an_incident_without_anything_says_so(database: Database) -> None:
    incident(database)
    with database.read(Purpose.OPERATOR) as read:
        empty = collect(read, incidents.find(read, NUMBER), language="zh", at=NOON)

    made = page(empty, "")

    assert made.count("没有可显示的内容。</p>") == 4
    assert 'lang="zh-CN"' in made


def test_every_county_has_a_seat_and_every_text_two_languages() -> None:
    assert set(SEATS) == {division.code for division in sichuan() if is_county(division.code)}
    assert words("zh").keys() == words("en").keys()
    assert all(words(language).values() for language in ("zh", "en"))
