"""A manager's vehicles over HTTP, and a resident who boards one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp

from tests.support.control import Browser, Control
from tests.support.gate import ORIGIN, GateWorld, request
from tianfu.access.roles import Role
from tianfu.ids import VenueRef
from tianfu.platform.database import Purpose
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.sign import KeyPurpose
from tianfu.scans import event
from tianfu.scans.venue import PosterOutdatedError, VenueUnknownError
from tianfu.status.layout import VenueRecord
from tianfu.venues import store, vehicles
from tianfu.venues.poster import PosterInvalidError, read_poster
from tianfu.venues.poster_svg import VEHICLE_NAMES, qr_modules
from tianfu.venues.vehicle import KINDS, VehicleClaim, vehicle_text

VEHICLES = "/api/v1/console/vehicles"
VENUES = "/api/v1/console/venues"
COACH = {"kind": "coach", "plate": "川A12345", "operator": "四川蜀运客运公司", "district": "510107"}


@pytest.fixture
def manager(browser: Browser, control: Control) -> Browser:
    control.account("manager", (Role.VENUE_MANAGER, "510107"))
    browser.sign_in("manager")
    return browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GateWorld]:
    made = GateWorld(tmp_path / "gate")
    yield made
    made.writer.close()


def code_of(control: Control, venue_ref: str) -> vehicles.Printed:
    keys = GateKeys.load_or_create(gate_path(control.folder), clock=control.clock)
    with control.database.read(Purpose.OPERATOR) as read:
        venue = store.find(read, VenueRef(int(venue_ref)))
        assert venue is not None
        signers = keys.at(int(control.clock.now().timestamp())).signers
        return vehicles.printed(read, venue, signers, ORIGIN)


def test_a_manager_creates_a_vehicle_and_prints_its_code(manager: Browser, control: Control) -> None:
    made = manager.ask("POST", VEHICLES, COACH)

    assert made.status_code == 201, made.text
    assert (made.json()["category"], made.json()["name"]) == ("vehicle", "川A12345 四川蜀运客运公司")
    poster = manager.ask("GET", f"{VENUES}/{made.json()['venue_ref']}/poster.svg")
    for words in ("乘车码", "Vehicle code", "客运大巴", "川A12345"):
        assert words in poster.text
    ET.fromstring(poster.text)  # noqa: S314 - our own page
    printed = code_of(control, made.json()["venue_ref"])
    assert printed.text.startswith(f"{ORIGIN}/t#")
    picture = zxingcpp.create_barcode(printed.text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q").to_image(scale=3)
    assert [barcode.text for barcode in zxingcpp.read_barcodes(picture)] == [printed.text]
    assert qr_modules(printed.text)


def test_a_new_generation_makes_another_code_and_the_venue_stays(manager: Browser, control: Control) -> None:
    venue_ref = manager.ask("POST", VEHICLES, COACH).json()["venue_ref"]
    before = code_of(control, venue_ref)

    manager.ask("POST", f"{VENUES}/{venue_ref}/generation")

    after = code_of(control, venue_ref)
    assert (before.claim.generation, after.claim.generation) == (1, 2)
    assert before.claim.venue_id == after.claim.venue_id


def test_every_wrong_field_of_a_vehicle_is_named(manager: Browser, control: Control) -> None:
    answer = manager.ask("POST", VEHICLES, {"kind": "plane", "plate": "川" * 9, "operator": " ", "district": "510100"})

    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["faults"]} == {"kind", "plate", "operator", "district"}
    assert control.count("venue") == 0


def test_a_vehicle_outside_the_managers_district_is_refused_whole(manager: Browser, control: Control) -> None:
    answer = manager.ask("POST", VEHICLES, COACH | {"district": "510104"})

    assert answer.json()["code"] == "forbidden"
    assert control.count("venue") == 0


def test_a_long_name_is_shortened_in_lists_and_whole_in_the_code(manager: Browser, control: Control) -> None:
    made = manager.ask("POST", VEHICLES, COACH | {"operator": "运" * 60}).json()

    assert len(made["name"]) == 60
    claim = code_of(control, made["venue_ref"]).claim
    assert isinstance(claim, VehicleClaim)
    assert claim.operator == "运" * 60


def test_every_kind_has_a_name_in_both_languages() -> None:
    assert set(VEHICLE_NAMES) == set(KINDS)
    assert all(zh and en for zh, en in VEHICLE_NAMES.values())


def test_boarding_is_recorded_like_any_visit_and_an_old_code_is_refused(world: GateWorld) -> None:
    signer = world.ring.at(world.at_ms // 1000).signers[KeyPurpose.VEHICLE]
    claim = VehicleClaim(bytes(range(1, 17)), 2, "bus", "川A00001", "成都公交")
    world.writer.put_venues([(claim.venue_id, VenueRecord(77, 2, open=True))], sequence=9)

    def board(text: str) -> event.ScanEvent:
        answer = world.venue.scan(request(world.resident(1), {"poster": text}))
        assert "川A00001 成都公交" in answer.body.decode()
        (record,) = answer.records
        return event.unpack(record)

    visit = board(vehicle_text(signer, claim, ORIGIN))
    assert (visit.kind, visit.person, visit.venue) == (event.KIND_POSTER, 1, 77)
    for generation, refusal in ((1, PosterOutdatedError), (3, PosterOutdatedError)):
        with pytest.raises(refusal):
            board(vehicle_text(signer, claim._replace(generation=generation), ORIGIN))
    with pytest.raises(VenueUnknownError):
        board(vehicle_text(signer, claim._replace(venue_id=bytes(16)[:-1] + b"\x63"), ORIGIN))
    with pytest.raises(PosterInvalidError):
        read_poster(vehicle_text(signer, claim, "https://elsewhere.example"), world.ring.at(1).verify, ORIGIN)
