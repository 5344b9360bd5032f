"""A resident's printed card and the certificate of a phone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import timedelta
from typing import Any

import pytest
import zxingcpp

from tests.support.control import LI, OTHER_PHONE, ZHANG, Browser, Control, publish_policy
from tests.support.credentials import Phone
from tests.support.status import core_policy, recompute_all
from tianfu.ids import PersonRef
from tianfu.passcode.device import Presentation, device_message, presentation_text
from tianfu.passcode.verify import CodeKind, verify
from tianfu.platform import base64url
from tianfu.platform.database import Purpose
from tianfu.platform.keyring import GateKeys, gate_path
from tianfu.platform.sign import KeyPurpose, SigningKey, generate_secret
from tianfu.portal.card_svg import PAGE_HEIGHT_MM, PAGE_WIDTH_MM, QR_SIDE_MM, SYMBOL_MM_MIN
from tianfu.residents import credential_store, credentials
from tianfu.venues.poster_svg import QUIET_ZONE_MODULES, qr_modules

SVG = "{http://www.w3.org/2000/svg}"
CARD = "/api/portal/card"
DEVICE = "/api/portal/device-key"


def seconds(control: Control) -> int:
    return int(control.clock.now().timestamp())


def ring(control: Control) -> GateKeys:
    return GateKeys.load_or_create(gate_path(control.folder), clock=control.clock)


def print_card(browser: Browser) -> dict[str, Any]:
    answer = browser.ask("POST", CARD, {"kind": "self"})
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


def certify(browser: Browser, phone: Phone) -> dict[str, Any]:
    answer = browser.ask("POST", DEVICE, {"public_key": phone.base64url()})
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


def killed(control: Control) -> list[bytes]:
    with control.database.read(Purpose.WORKER) as read:
        return [row.credential_id for row in credential_store.killed_since(read, 0, 100)]


def trail(control: Control) -> list[str]:
    with control.database.read(Purpose.WORKER) as read:
        return [
            action
            for (action,) in read.rows(
                "select action from audit_trail where purpose = 'credential' order by trail_id", ()
            )
        ]


@pytest.fixture
def phone(control: Control) -> Phone:
    return Phone(ring(control), 1, seconds(control))


def test_a_card_is_good_at_every_gate_for_a_week_and_says_who_must_hold_it(browser: Browser, control: Control) -> None:
    browser.claim()

    card = print_card(browser)

    code = verify(card["code"], ring(control), seconds(control) + 7 * 86_400 - 1)
    assert (code.kind, code.person, code.masked_name, code.last_digits) == (
        CodeKind.CARD,
        1,
        "张*明",
        ZHANG["number"][-4:],
    )
    assert (card["generation"], card["kind"]) == (1, "self")
    assert card["expires_at"] == "2022-03-08T04:00:00Z"
    assert browser.ask("GET", CARD).json() == card
    assert trail(control) == ["card_issued"]


def test_a_reissue_kills_the_old_card(browser: Browser, control: Control) -> None:
    browser.claim()
    first = verify(print_card(browser)["code"], ring(control), seconds(control))

    second = print_card(browser)

    assert second["generation"] == 2
    assert killed(control) == [first.credential_id]
    assert browser.ask("GET", CARD).json()["code"] == second["code"]


def test_a_lost_card_is_killed_and_losing_it_again_changes_nothing(browser: Browser, control: Control) -> None:
    browser.claim()
    card = verify(print_card(browser)["code"], ring(control), seconds(control))

    answers = [browser.ask("DELETE", CARD).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert killed(control) == [card.credential_id]
    assert browser.ask("GET", CARD).json() is None
    assert trail(control) == ["card_issued", "card_lost"]
    assert print_card(browser)["generation"] == 2


def test_a_card_past_its_days_is_no_card(browser: Browser) -> None:
    browser.claim()
    print_card(browser)
    browser.clock.advance(timedelta(days=7))

    assert browser.ask("GET", CARD).json() is None
    assert print_card(browser)["generation"] == 2


def test_nobody_fills_the_list_of_killed_cards_by_asking_for_many(browser: Browser, control: Control) -> None:
    browser.claim()
    for _ in range(credentials.ISSUED_A_DAY_MAX["card"]):
        print_card(browser)

    refused = browser.ask("POST", CARD, {"kind": "self"})

    assert (refused.status_code, refused.json()["code"]) == (429, "credential_limit")
    assert refused.headers["retry-after"] == "86400"
    browser.clock.advance(timedelta(days=1))
    assert print_card(browser)["generation"] == credentials.ISSUED_A_DAY_MAX["card"] + 1
    assert len(killed(control)) == credentials.ISSUED_A_DAY_MAX["card"]


def test_the_masks_and_the_code_are_sealed_in_the_database(browser: Browser, control: Control) -> None:
    browser.claim()
    code = print_card(browser)["code"]

    with control.database.read(Purpose.WORKER) as read:
        stored = bytes(read.value("select text_sealed from credential"))
    assert code.encode() not in stored
    assert b"HK2" not in stored


@pytest.mark.parametrize("kind", ["", "own", "SELF", "dog"])
def test_a_kind_that_is_none_is_refused(browser: Browser, kind: str) -> None:
    browser.claim()

    refused = browser.ask("POST", CARD, {"kind": kind})

    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "kind")


def test_without_a_session_nobody_gets_anything(browser: Browser, phone: Phone) -> None:
    for method, path, body in (
        ("POST", CARD, {"kind": "self"}),
        ("GET", CARD, None),
        ("DELETE", CARD, None),
        ("POST", DEVICE, {"public_key": phone.base64url()}),
    ):
        assert browser.ask(method, path, body).status_code == 401


def test_the_page_is_a6_and_its_symbol_is_read_back_at_the_size_it_is_printed(browser: Browser) -> None:
    browser.claim()
    card = print_card(browser)
    page = ET.fromstring(card["svg"])  # noqa: S314 - our own page

    modules = qr_modules(card["code"])
    symbol_mm = QR_SIDE_MM * len(modules) / (len(modules) + 2 * QUIET_ZONE_MODULES)
    assert (page.attrib["width"], page.attrib["height"]) == ("105mm", "148mm")
    assert symbol_mm >= SYMBOL_MM_MIN
    for words in ("张*明", "有效期至 2022-03-08 12:00", "Valid until 2022-03-08", "遗失", "Lost?"):
        assert words in card["svg"]
    assert "张小明" not in card["svg"]
    for line in page.iter(f"{SVG}text"):
        advance = sum(1.0 if character > "\u2e80" else 0.55 for character in line.text or "")
        assert 0 < float(line.attrib["y"]) < PAGE_HEIGHT_MM
        assert advance * float(line.attrib["font-size"]) <= PAGE_WIDTH_MM, line.text
    symbol = zxingcpp.create_barcode(card["code"], zxingcpp.BarcodeFormat.QRCode, ec_level="Q").to_image(scale=4)
    assert [barcode.text for barcode in zxingcpp.read_barcodes(symbol)] == [card["code"]]


def test_a_phones_certificate_lets_it_show_codes_without_network(
    browser: Browser, control: Control, phone: Phone
) -> None:
    publish_policy(control.database)
    browser.claim()
    recompute_all(control.database, at=control.clock.now())

    certificate = base64url.decode(certify(browser, phone)["certificate"])

    at = seconds(control) + 86_400 - 60
    code = verify(presentation_text(phone.show(at, certificate)), ring(control), at)
    assert (code.kind, code.person, code.masked_name) == (CodeKind.DEVICE, 1, "张*明")
    assert code.rule_set == core_policy().number
    thief = SigningKey(generate_secret(), KeyPurpose.DEVICE)
    forged = Presentation(certificate, at, thief.sign(device_message(certificate, at)))
    with pytest.raises(Exception, match="not a valid Tianfu code"):
        verify(presentation_text(forged), ring(control), at)
    assert trail(control) == ["device_certified"]


def test_asked_again_for_the_same_key_it_is_the_same_certificate_while_that_is_fresh(
    browser: Browser, control: Control, phone: Phone
) -> None:
    browser.claim()
    first = certify(browser, phone)
    browser.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert certify(browser, phone) == first
    browser.clock.advance(timedelta(seconds=1))

    renewed = certify(browser, phone)

    assert renewed["expires_at"] == "2022-03-02T16:00:00Z"
    assert killed(control) == [], "the same phone with the same key: the old one ends by itself"


def test_another_key_of_the_same_session_kills_the_one_before(browser: Browser, control: Control, phone: Phone) -> None:
    browser.claim()
    first = base64url.decode(certify(browser, phone)["certificate"])

    certify(browser, Phone(ring(control), 1, seconds(control)))

    code = verify(presentation_text(phone.show(seconds(control), first)), ring(control), seconds(control))
    assert killed(control) == [code.credential_id]


def test_a_fourth_phone_makes_the_oldest_one_give_way(control: Control) -> None:
    browsers = [control.browser() for _ in range(4)]
    phones = [Phone(ring(control), 1, seconds(control)) for _ in browsers]
    codes = []
    for browser, phone in zip(browsers, phones, strict=True):
        browser.claim()
        certificate = base64url.decode(certify(browser, phone)["certificate"])
        at = seconds(control)
        codes.append(verify(presentation_text(phone.show(at, certificate)), ring(control), at).credential_id)
        control.clock.advance(timedelta(minutes=2))

    assert killed(control) == codes[:1]


def test_one_persons_credentials_are_nobody_elses(control: Control) -> None:
    mine, yours = control.browser(), control.browser()
    mine.claim()
    yours.claim(name="李四", document=LI, phone=OTHER_PHONE)
    print_card(mine)

    assert yours.ask("GET", CARD).json() is None
    yours.ask("DELETE", CARD)
    assert mine.ask("GET", CARD).json() is not None


@pytest.mark.parametrize(
    "key",
    ["", "AA", "A" * 44, "A" * 45, base64url.encode(b"\x04" + bytes(32)), base64url.encode(b"\x02" + b"\xff" * 32)],
)
def test_a_key_that_is_none_is_refused(browser: Browser, key: str) -> None:
    browser.claim()

    refused = browser.ask("POST", DEVICE, {"public_key": key})

    assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, "public_key")


def test_what_has_ended_is_forgotten_but_for_the_latest_card_which_counts(
    browser: Browser, control: Control, phone: Phone
) -> None:
    browser.claim()
    print_card(browser)
    print_card(browser)
    certify(browser, phone)
    later = control.clock.now() + timedelta(days=9)

    with control.database.write(Purpose.WORKER) as write:
        forgotten = credentials.forget_ended(write, later)

    assert forgotten == 2
    with control.database.read(Purpose.WORKER) as read:
        assert credential_store.last_generation(read, PersonRef(1), "card", 0) == 2
        assert credential_store.last_killed(read) == 1
