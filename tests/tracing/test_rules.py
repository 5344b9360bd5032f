"""Tracing rules are dated data: what the sources say is what the sets say, and a set that cannot be used says why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tianfu.evidence.care_kinds import IsolationStage
from tianfu.evidence.co_stays import StayKind
from tianfu.evidence.kinds import ContactSetting
from tianfu.lake.layout import absolute_minute
from tianfu.tracing import rule_files, rules
from tianfu.tracing.model import Tier
from tianfu.tracing.rules import CaseFacts, Joined, Telecom
from tianfu.venues import vehicle
from tianfu.venues.model import VenueCategory

CHINA_MIDNIGHT = datetime(2022, 7, 9, 16, 0, tzinfo=UTC)
ONSET = CHINA_MIDNIGHT + timedelta(hours=8)
NINTH = rule_files.find("ninth-protocol").rules
BODY = (rule_files.FOLDER / "ninth-protocol.toml").read_text()


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2021, 5, 11), "eighth-protocol"),
        (date(2022, 6, 27), "eighth-protocol"),
        (date(2022, 6, 28), "ninth-protocol"),
        (date(2022, 11, 10), "ninth-protocol"),
        (date(2022, 11, 11), "twenty-measures"),
        (date(2022, 12, 6), "twenty-measures"),
        (date(2022, 12, 7), "new-ten"),
        (date(2026, 11, 25), "new-ten"),
    ],
)
def test_the_latest_set_that_is_not_local_is_in_force(day: date, name: str) -> None:
    loaded = rule_files.in_force(day)
    assert loaded.rules.name == name
    assert len(loaded.digest) == 32


def test_before_the_first_set_there_are_no_rules_but_a_local_one_may_be_named() -> None:
    with pytest.raises(rule_files.TracingRulesNotFoundError):
        rule_files.in_force(date(2021, 5, 10))
    assert rule_files.in_force(date(2021, 5, 10), "zhengzhou-2021").rules.look_back.days == 5
    with pytest.raises(rule_files.TracingRulesNotFoundError):
        rule_files.in_force(date(2022, 7, 1), "../ninth-protocol")


@pytest.mark.parametrize(
    ("name", "days", "flight_rows"),
    [
        ("early-2020", 2, 2),
        ("eighth-protocol", 4, 3),
        ("zhengzhou-2021", 5, 3),
        ("ninth-protocol", 2, 3),
        ("twenty-measures", 2, 3),
        ("new-ten", 2, 3),
    ],
)
def test_look_back_and_flight_rows_are_those_of_the_sources(name: str, days: int, flight_rows: int) -> None:
    found = rule_files.find(name).rules
    assert found.look_back.days == days
    assert rules.near(found, 1).rows[rules.STAY_CODE[StayKind.FLIGHT]] == flight_rows


@pytest.mark.parametrize(
    ("name", "tier", "stays"),
    [
        ("eighth-protocol", Tier.CLOSE, [("central", 14, (1, 4, 7, 14)), ("monitoring", 7, (2, 7))]),
        ("eighth-protocol", Tier.SECONDARY, [("central", 7, (1, 4, 7))]),
        ("ninth-protocol", Tier.CLOSE, [("central", 7, (1, 2, 3, 5, 7)), ("monitoring", 3, (3,))]),
        ("ninth-protocol", Tier.SECONDARY, [("home", 7, (1, 4, 7))]),
        ("twenty-measures", Tier.CLOSE, [("central", 5, (1, 2, 3, 5)), ("home", 3, (1, 3))]),
        ("new-ten", Tier.CLOSE, [("home", 5, (5,))]),
    ],
)
def test_quarantine_and_tests_are_those_of_the_sources(name: str, tier: Tier, stays: list[tuple[object, ...]]) -> None:
    asked = rules.schedule(rule_files.find(name).rules, tier)
    assert asked is not None
    assert [(stay.stage.value, stay.days, stay.tests) for stay in asked.stay] == stays


def test_contacts_of_contacts_end_on_their_day() -> None:
    assert rules.hops(NINTH, date(2022, 11, 10)) == 2
    assert rules.hops(NINTH, date(2022, 11, 11)) == 1
    twenty = rule_files.find("twenty-measures").rules
    assert rules.hops(twenty, date(2022, 11, 11)) == 1
    assert rules.schedule(twenty, Tier.SECONDARY) is None
    with pytest.raises(IndexError):
        rules.reach(twenty, 2)


def test_the_plan_of_a_quarantine_counts_each_stay_from_its_own_first_day() -> None:
    asked = rules.schedule(NINTH, Tier.CLOSE)
    assert asked is not None
    days = rules.plan(asked, date(2022, 7, 10))
    assert len(days) == 10
    assert [found.day.day for found in days if found.test] == [10, 11, 12, 14, 16, 19]
    assert days[7] == rules.PlannedDay(date(2022, 7, 17), IsolationStage.MONITORING, 1, test=False)


def test_a_case_is_infectious_from_the_whole_day_of_the_look_back_until_isolation() -> None:
    sampled = ONSET + timedelta(days=1)
    isolated = sampled + timedelta(hours=6)
    ill = rules.infectious(CaseFacts(onset_at=ONSET, sampled_at=sampled, isolated_at=isolated), NINTH)
    assert (ill.start, ill.end) == (CHINA_MIDNIGHT - timedelta(days=2), isolated)
    without = rules.infectious(CaseFacts(onset_at=None, sampled_at=sampled, isolated_at=None), NINTH)
    assert (without.start, without.end) == (CHINA_MIDNIGHT - timedelta(days=1), None)
    before = CHINA_MIDNIGHT - timedelta(days=9)
    shut = rules.infectious(CaseFacts(onset_at=ONSET, sampled_at=sampled, isolated_at=before), NINTH)
    assert shut.start == shut.end


@pytest.mark.parametrize(("minutes", "meets"), [(-121, False), (-120, False), (-119, True), (149, True), (150, False)])
def test_two_scans_meet_when_the_stays_they_stand_for_overlap(tmp_path: Path, minutes: int, *, meets: bool) -> None:
    """A stay [t - 30, t + 90) and 30 minutes of bad air: others' stays of the same length overlap it or not."""
    dwell = next(found for found in NINTH.dwell if VenueCategory.CATERING in found.categories)
    assert (dwell.before, dwell.stay, dwell.after) == (0, 90, 30)
    wider = BODY.replace("before = 0\nstay = 90", "before = 30\nstay = 90", 1)
    path = tmp_path / "ninth-protocol.toml"
    path.write_text(wider)
    found = rules.reach(rule_files.load(path).rules, 1)
    code = rules.VENUE_TYPE[VenueCategory.CATERING]
    here = absolute_minute(ONSET)
    there = here + minutes
    overlap = there - 30 < here + 90 + 30 and here - 30 < there + 90
    assert overlap is meets
    assert (-int(found.before[code]) < minutes < int(found.after[code])) is meets


def test_shops_make_general_contacts_only_and_nothing_at_the_second_hop() -> None:
    code = rules.VENUE_TYPE[VenueCategory.RETAIL]
    assert rules.reach(NINTH, 1).before[code] == 0
    assert rules.reach(NINTH, 1, Tier.GENERAL).before[code] == 30
    assert rules.reach(NINTH, 1, Tier.GENERAL).before[rules.VENUE_UNKNOWN] == 30
    assert rules.reach(NINTH, 2).before[code] == 0
    ground = rules.venue_ground(NINTH, 1, VenueCategory.RETAIL)
    assert ground is not None
    assert ground.tier is Tier.GENERAL
    assert rules.venue_ground(NINTH, 2, None) is None
    assert rules.tiers(NINTH, 1) == (Tier.CLOSE, Tier.GENERAL, Tier.COPRESENT)


def test_plain_scans_reach_alike_everywhere_with_the_minutes_asked_for() -> None:
    plain, asked = rule_files.find("plain-scan"), rule_files.find("plain-scan:45")
    for hop in (1, 2):
        found = rules.reach(asked.rules, hop)
        assert set(found.before[:23]) == set(found.after[:23]) == {45}
        assert not found.crowd.any()
    assert asked.asked == "plain-scan:45"
    assert asked.digest != plain.digest


def test_a_car_is_a_shared_vehicle_and_a_bus_is_not_within_a_metre() -> None:
    assert {kind.value for kind in rules.VehicleKind} == set(vehicle.KINDS)
    taxi = rules.venue_type(VenueCategory.VEHICLE, rules.VehicleKind.TAXI)
    bus = rules.venue_type(VenueCategory.VEHICLE, rules.VehicleKind.BUS)
    some = rules.venue_type(VenueCategory.VEHICLE)
    assert some == rules.VENUE_TYPE[VenueCategory.VEHICLE]
    assert rules.venue_type(None) == rules.VENUE_UNKNOWN
    close, general = rules.reach(NINTH, 1), rules.reach(NINTH, 1, Tier.GENERAL)
    assert [int(close.before[code]) for code in (taxi, bus, some)] == [30, 0, 0]
    assert [int(general.after[code]) for code in (taxi, bus, some)] == [0, 60, 60]
    ground = rules.venue_ground(NINTH, 1, VenueCategory.VEHICLE, rules.VehicleKind.TAXI)
    assert ground is not None
    assert ground.setting is ContactSetting.VEHICLE


@pytest.mark.parametrize(
    ("joined", "hours", "companion"),
    [(Joined.AND, 31, True), (Joined.AND, 30, False), (Joined.OR, 30, True), (Joined.ALONE, 0, True)],
)
def test_the_telecom_rule_joins_its_halves_as_asked(joined: Joined, hours: int, *, companion: bool) -> None:
    rule = Telecom(metres=800, minutes=10, hours=30, days=14, joined=joined, source="S3")
    assert rules.companion(rule, metres=800, minutes=11, hours=hours) is companion
    assert rules.companion(rule)
    assert not rules.companion(rule, minutes=10, hours=0)


@pytest.mark.parametrize(
    ("old", "new", "key", "line"),
    [
        ("days = 2\n", "days = -2\n", "look_back.days", "days = -2"),
        ("stay = 30", "stey = 30", "dwell[1].stey", "stey = 30"),
        ('kind = "care"', 'kind = "cure"', "hop[0].ground[3].kind", 'kind = "cure"'),
        ("tests = [1, 4, 7]", "tests = [1, 4, 8]", "schedule[1].stay[0].tests", "tests = [1, 4, 8]"),
        ('of = ["close"]\n', "", "hop[1].of", None),
        ('"retail", "market"', '"retail", "catering"', "hop[0].venue[5].categories", None),
        ('name = "ninth-protocol"', 'name = "tenth"', "name", 'name = "tenth"'),
        ('source = "S8 others on board"', "", "hop[0].ground[5].source", None),
    ],
)
def test_a_fault_names_file_line_and_key(tmp_path: Path, old: str, new: str, key: str, line: str | None) -> None:
    text = BODY.replace(old, new, 1)
    assert text != BODY
    path = tmp_path / "ninth-protocol.toml"
    path.write_text(text)
    with pytest.raises(rule_files.TracingRulesInvalidError) as caught:
        rule_files.load(path)
    found = [fault.field for fault in caught.value.faults if fault.field.endswith(f" {key}")]
    assert found, [fault.field for fault in caught.value.faults]
    name, number = found[0].split(" ")[0].split(":")
    assert name == "ninth-protocol.toml"
    if line is not None:
        assert text.splitlines()[int(number) - 1] == line


def test_every_number_has_a_source_and_ours_are_marked() -> None:
    for loaded in rule_files.every():
        assert all(dwell.source.startswith("ours") for dwell in loaded.rules.dwell)
        for ground in (ground for hop in loaded.rules.hop for ground in hop.ground if ground.crowd):
            assert "ours" in ground.source
