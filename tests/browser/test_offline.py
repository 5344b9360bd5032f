"""The resident's phone with the server or the network off."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.network import Network
from tests.browser.steps import Person, expect_colour, hold_green_code, read_code
from tests.browser.test_scanning import make_venue, picture_of, scans_recorded
from tests.support.running import RunningTianfu
from tianfu.passcode import base45
from tianfu.synth.operators import ACCOUNTS

Open = Callable[..., Page]
VENUE = "离线测试书店"
# The phone's clock, and how far somebody has moved it, or since when it stands still.
MOVABLE_CLOCK = """
const real = Date.now.bind(Date);
Date.now = () => Number(localStorage.getItem('test.held') ?? real()) + Number(localStorage.getItem('test.moved') ?? 0);
"""
DATABASE = """async () => {
  const open = indexedDB.open('tianfu-phone');
  const database = await new Promise(done => open.onsuccess = () => done(open.result));
  const names = database.transaction('values').objectStore('values').getAllKeys();
  const found = await new Promise(done => names.onsuccess = () => done(names.result));
  database.close();
  return found;
}"""
# What is kept under a name, opened where it is sealed; null for nothing.
KEPT = """async name => {
  const open = indexedDB.open('tianfu-phone');
  const database = await new Promise(done => open.onsuccess = () => done(open.result));
  const values = database.transaction('values').objectStore('values');
  const read = asked => new Promise(done => asked.onsuccess = () => done(asked.result));
  const [kept, key] = await Promise.all([read(values.get(name)), read(values.get('seal-key'))]);
  database.close();
  if (!kept?.nonce) return kept ?? null;
  const additionalData = new TextEncoder().encode(`tianfu phone 1 ${name}`);
  const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: kept.nonce, additionalData }, key, kept.bytes);
  return JSON.parse(new TextDecoder().decode(opened));
}"""
FORGET = """async name => {
  const open = indexedDB.open('tianfu-phone');
  const database = await new Promise(done => open.onsuccess = () => done(open.result));
  const gone = database.transaction('values', 'readwrite').objectStore('values').delete(name);
  await new Promise(done => gone.onsuccess = done);
  database.close();
}"""
# Resolves when the files of both apps are kept and the page is under the service worker.
SHELL_KEPT = "navigator.serviceWorker.ready.then(() => true)"


class Phone:
    """A resident's phone whose network can go and whose clock can be moved."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.network = Network(page.context)
        page.context.add_init_script(MOVABLE_CLOCK)

    def prepare(self, person: Person | None = None) -> None:
        """Hold a green code, and have everything that the offline hours need."""
        hold_green_code(self.page, person)
        assert self.page.evaluate(SHELL_KEPT)
        self.wait_until(lambda: {"certificate", "clock"} <= set(self.kept()), "certificate and clock")
        # The code that is shown, and not the one before the declaration.
        self.wait_until(lambda: (self.kept_under("code") or {}).get("code") == self.shown_code(), "the code")

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for `condition`; the page goes on meanwhile."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not condition():
            assert time.monotonic() < deadline, f"waited for {what}; kept are {self.kept()}"
            self.page.wait_for_timeout(100)

    def kept_under(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """What the phone keeps under a name."""
        return self.page.evaluate(KEPT, name)

    def shown_code(self) -> str | None:
        return self.page.get_by_test_id("code-qr").get_attribute("data-code")

    def kept(self) -> list[str]:
        names: list[str] = self.page.evaluate(DATABASE)
        return names

    def forget(self, name: str) -> None:
        """Lose one of the kept values, as a browser that is short of space does."""
        self.page.evaluate(FORGET, name)

    def lose_network(self) -> None:
        self.network.is_away = True
        self.page.context.set_offline(True)

    def find_network(self) -> None:
        self.network.is_away = False
        self.page.context.set_offline(False)

    def move_clock(self, seconds: float) -> None:
        self.page.evaluate("moved => localStorage.setItem('test.moved', moved)", str(int(seconds * 1000)))

    def hold_clock(self) -> None:
        """The clock stands still: however slow this machine is, nothing becomes due."""
        self.page.evaluate("localStorage.setItem('test.held', String(Date.now()))")

    def device_code(self) -> str:
        code = self.page.get_by_test_id("device-qr").get_attribute("data-code")
        assert code is not None
        return code


@pytest.fixture
def phone(browser: Browser, open_page: Open) -> Phone:
    return Phone(open_page(browser))


@pytest.fixture(scope="module")
def poster(browser: Browser, tianfu: RunningTianfu) -> str:
    """The text of the poster of a new venue."""
    context = browser.new_context(base_url=tianfu.address)
    svg = make_venue(context.new_page(), VENUE)
    context.close()
    return read_code(picture_of(browser, svg))


def shown_at(code: str, network: Network) -> int:
    """When the code says it was shown; its parts and the phone's signature are verified."""
    assert code.startswith("HK3:")
    data = base45.decode(code[4:])
    certificate, moment, signature = data[:-68], data[-68:-64], data[-64:]
    assert certificate in network.certificates
    public = network.public_keys[network.certificates.index(certificate)]
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    raw = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    signed = b"tianfu device code 1" + hashlib.sha256(certificate).digest() + moment
    key.verify(raw, signed, ec.ECDSA(hashes.SHA256()))
    return int.from_bytes(moment, "big")


def test_without_network_a_reload_opens_the_app_and_the_phone_shows_its_own_code(phone: Phone) -> None:
    phone.prepare(Person("王小明"))
    page = phone.page
    dynamic = phone.shown_code()

    phone.lose_network()
    page.reload()
    expect(page.get_by_test_id("code-qr")).to_have_attribute("data-code", dynamic or "")
    expect(page.get_by_test_id("code-offline")).to_be_visible()
    expect_colour(page, "green")

    begun = time.time()
    phone.move_clock(100)
    expect(page.get_by_test_id("device-qr")).to_be_visible()
    expect_colour(page, "checking")
    expect(page.get_by_test_id("code-qr")).to_have_count(0)
    assert "绿码" not in page.locator("main").inner_text()
    first = phone.device_code()
    assert begun + 100 - 5 < shown_at(first, phone.network) < time.time() + 100 + 5
    # It is made anew each minute, perhaps just while it is photographed.
    before = phone.device_code()
    read = read_code(page.get_by_test_id("device-qr").screenshot())
    assert read in (before, phone.device_code())

    latest = phone.device_code()
    phone.move_clock(165)
    expect(page.get_by_test_id("device-qr")).not_to_have_attribute("data-code", latest)
    assert shown_at(phone.device_code(), phone.network) >= shown_at(first, phone.network) + 60


def test_the_gate_takes_the_phones_own_code(phone: Phone, tianfu: RunningTianfu) -> None:
    phone.prepare(Person("王小明"))
    phone.forget("code")
    phone.lose_network()
    phone.page.reload()
    expect(phone.page.get_by_test_id("device-qr")).to_be_visible()

    account = next(account for account in ACCOUNTS if account.username == "guard")
    with tianfu.client() as guard:
        words = {"username": account.username, "password": account.password}
        assert guard.post("/api/v1/console/sessions", json=words).status_code < 300
        answer = guard.post("/gate/v1/check", json={"code": phone.device_code()})

    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["verdict"], said["kind"], said["colour"], said["masked_name"]) == ("valid", "device", "green", "王*明")


def test_a_reload_past_the_life_of_the_code_never_shows_its_old_colour(phone: Phone) -> None:
    phone.prepare()
    phone.lose_network()
    phone.move_clock(3_600)
    phone.page.reload()

    expect(phone.page.get_by_test_id("device-qr")).to_be_visible()
    expect_colour(phone.page, "checking")
    expect(phone.page.get_by_test_id("code-test")).to_have_count(0)


def test_a_device_code_ends_with_its_certificate(phone: Phone) -> None:
    phone.prepare()
    phone.lose_network()
    phone.move_clock(86_400 + 60)
    phone.page.reload()

    expect(phone.page.get_by_test_id("code-qr")).to_have_attribute("data-expired", "true")
    expect(phone.page.get_by_test_id("device-qr")).to_have_count(0)


def test_a_clock_set_back_is_told_and_brings_no_code_back(phone: Phone) -> None:
    phone.prepare()
    page = phone.page
    phone.lose_network()
    phone.move_clock(1_000)
    page.reload()
    expect(page.get_by_test_id("device-qr")).to_be_visible()
    ahead = (time.time() + 900) * 1000
    phone.wait_until(lambda: phone.kept_under("clock")["floor"] > ahead, "the time seen to be kept")

    phone.move_clock(0)
    for _ in ("in the open page", "after a reload"):
        expect(page.get_by_test_id("clock-set-back")).to_be_visible()
        expect(page.get_by_test_id("device-qr")).to_have_count(0)
        expect_colour(page, "checking")
        page.reload()

    phone.find_network()
    expect_colour(page, "green")
    expect(page.get_by_test_id("clock-set-back")).to_have_count(0)


def scan_by_text(page: Page, poster: str) -> None:
    page.get_by_test_id("go-scan").click()
    page.get_by_test_id("scan-text").fill(poster)
    page.get_by_test_id("scan-read").click()
    expect(page.get_by_test_id("scan-confirm")).to_be_visible()
    expect(page.locator("main")).to_contain_text(VENUE)
    page.get_by_test_id("scan-confirm").click()


def test_a_poster_scanned_offline_arrives_once_with_its_time(phone: Phone, poster: str, tianfu: RunningTianfu) -> None:
    phone.prepare()
    page = phone.page
    before = scans_recorded(tianfu)
    phone.lose_network()
    begun = time.time()
    scan_by_text(page, poster)
    kept = page.get_by_test_id("visit-kept")
    expect(kept).to_have_attribute("data-visit", "waiting")
    ended = time.time()
    expect(kept).to_contain_text("1")
    page.get_by_test_id("scan-done").click()
    page.reload()
    expect(page.get_by_test_id("visits-waiting")).to_have_attribute("data-count", "1")
    assert scans_recorded(tianfu) == before

    phone.find_network()

    expect(page.get_by_test_id("visits-sent")).to_have_attribute("data-count", "1")
    assert scans_recorded(tianfu) == before + 1
    assert len({visit["nonce"] for visit in phone.network.visits}) == 1
    assert begun - 2 < phone.network.visits[-1]["scanned_at"] / 1000 < ended + 2
    page.reload()
    expect(page.get_by_test_id("code-qr")).to_be_visible()
    assert phone.kept_under("visits") == []
    expect(page.get_by_test_id("visits-waiting")).to_have_count(0)


def test_a_visit_whose_answer_was_lost_is_sent_again_as_the_same_visit(phone: Phone, poster: str) -> None:
    phone.prepare()
    phone.network.answers_lost = 2

    scan_by_text(phone.page, poster)

    expect(phone.page.get_by_test_id("visit-kept")).to_have_attribute("data-visit", "sent")
    first, *later = phone.network.visits
    assert len(later) == 2
    assert "scanned_at" not in first
    assert {visit["nonce"] for visit in later} == {first["nonce"]}
    assert len({visit["scanned_at"] for visit in later}) == 1


def keep_a_visit_and_lose_the_session(phone: Phone, poster: str) -> None:
    phone.lose_network()
    scan_by_text(phone.page, poster)
    expect(phone.page.get_by_test_id("visit-kept")).to_be_visible()
    phone.page.context.clear_cookies()
    phone.find_network()
    phone.page.goto("/code")
    expect(phone.page.get_by_test_id("go-login")).to_be_visible()
    expect(phone.page.get_by_test_id("visits-waiting")).to_have_attribute("data-count", "1")


def test_visits_wait_for_their_own_person_to_sign_in_again(phone: Phone, poster: str) -> None:
    person = Person()
    phone.prepare(person)
    page = phone.page
    keep_a_visit_and_lose_the_session(phone, poster)
    phone.wait_until(lambda: not {"code", "certificate", "device-key"} & set(phone.kept()), "the holder's to go")

    page.get_by_test_id("go-login").click()
    page.get_by_test_id("login-document-number").fill(person.number)
    page.get_by_test_id("login-phone").fill(person.phone)
    # The claim has just had a password sent to this number; another one takes its minute.
    send = page.get_by_test_id("login-send-otp")
    send.click()
    # Refused or sent, it counts down; before that answer it says nothing of the kind.
    expect(send).to_contain_text("秒")
    expect(send).not_to_have_attribute("aria-disabled", "true", timeout=70_000)
    page.get_by_test_id("login-send-otp").click()
    page.get_by_test_id("login-fill-otp").click()
    page.get_by_test_id("login-submit").click()

    expect(page.get_by_test_id("visits-sent")).to_have_attribute("data-count", "1")


def test_visits_are_never_sent_as_somebody_elses(phone: Phone, poster: str, tianfu: RunningTianfu) -> None:
    phone.prepare()
    before = scans_recorded(tianfu)
    keep_a_visit_and_lose_the_session(phone, poster)

    hold_green_code(phone.page)

    # What is not kept any more cannot be sent, and nothing was sent before it went.
    phone.wait_until(lambda: "visits" not in phone.kept(), "the other's visits to go")
    assert scans_recorded(tianfu) == before
    assert 200 not in phone.network.visits_answered


def test_reloading_again_and_again_asks_the_gate_for_nothing(phone: Phone) -> None:
    phone.prepare()
    phone.hold_clock()
    asked = phone.network.codes_asked

    for _ in range(5):
        phone.page.reload()
        expect(phone.page.get_by_test_id("code-qr")).to_be_visible()

    assert phone.network.codes_asked == asked


def test_a_busy_gate_is_left_alone_over_reloads_and_the_phone_shows_its_own_code(phone: Phone) -> None:
    phone.prepare()
    phone.forget("code")
    phone.network.busy_seconds = 240
    phone.page.reload()
    expect(phone.page.get_by_test_id("device-qr")).to_be_visible()
    asked = phone.network.codes_asked

    for _ in range(4):
        phone.page.reload()
        expect(phone.page.get_by_test_id("device-qr")).to_be_visible()

    assert phone.network.codes_asked == asked


def test_under_heavy_use_the_record_side_is_left_alone(phone: Phone) -> None:
    phone.prepare()
    page = phone.page
    page.evaluate("localStorage.setItem('test.moved', '95000')")
    said = {"colour": "yellow", "reason": "contact", "test": None, "travel": False}
    phone.network.said_instead = {**said, "degraded": ["vaccination", "test"]}
    page.reload()

    expect(page.get_by_test_id("code-degraded")).to_be_visible()
    expect(page.get_by_test_id("code-vaccination")).to_have_attribute("data-hidden", "true")
    expect(page.get_by_test_id("code-travel")).to_be_visible()
    expect(page.get_by_test_id("code-test")).to_have_attribute("data-result", "hidden")
    expect(page.get_by_test_id("code-reason")).to_have_attribute("data-class", "contact")
    asked = phone.network.details_asked
    page.reload()
    expect(page.get_by_test_id("code-degraded")).to_be_visible()
    assert phone.network.details_asked == asked


def test_signing_out_leaves_nothing_in_the_browser(phone: Phone) -> None:
    phone.prepare()
    page = phone.page
    page.goto("/settings")
    page.get_by_test_id("sign-out").click()
    page.get_by_test_id("sign-out-confirm").click()
    expect(page.get_by_test_id("go-claim")).to_be_visible()

    phone.wait_until(lambda: set(phone.kept()) <= {"clock"}, "everything else to go")
    phone.lose_network()
    page.goto("/code")
    expect(page.get_by_test_id("go-claim")).to_be_visible()


def test_nothing_about_a_person_lies_open_in_the_browser(phone: Phone) -> None:
    phone.prepare(Person("王小明"))
    lying = phone.page.evaluate(
        """async () => {
          const opened = await Promise.all((await caches.keys()).map(name => caches.open(name)));
          const requests = (await Promise.all(opened.map(one => one.keys()))).flat();
          const kept = requests.map(request => new URL(request.url).pathname);
          return [JSON.stringify(localStorage), JSON.stringify(sessionStorage), ...kept].join(' ');
        }"""
    )
    assert "王" not in lying
    assert "/gate/" not in lying
    assert "/api/" not in lying
    assert "/index.html" in lying
    assert "/console.html" in lying


def test_both_apps_open_without_network(phone: Phone) -> None:
    phone.prepare()
    phone.lose_network()
    phone.page.goto("/console")
    expect(phone.page.get_by_test_id("console-login")).to_be_visible()
    phone.page.goto("/settings")
    expect(phone.page.get_by_test_id("sign-out")).to_be_visible()


def test_a_card_is_got_saved_replaced_and_reported_lost(phone: Phone, tmp_path: Path) -> None:
    phone.prepare()
    page = phone.page
    page.goto("/card")
    page.get_by_test_id("card-make").click()
    sheet = page.get_by_test_id("card-sheet")
    expect(sheet).to_be_visible()
    expect(page.get_by_test_id("card-until")).to_contain_text("7")
    first = sheet.get_attribute("data-code")
    with page.expect_download() as picture:
        page.get_by_test_id("card-save-picture").click()
    saved = tmp_path / "card.png"
    picture.value.save_as(saved)
    assert saved.read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as drawing:
        page.get_by_test_id("card-save-drawing").click()
    assert drawing.value.suggested_filename.endswith(".svg")

    page.get_by_test_id("card-renew").click()
    page.get_by_test_id("card-confirm").click()
    expect(sheet).not_to_have_attribute("data-code", first or "")
    page.reload()
    expect(sheet).to_be_visible()

    page.get_by_test_id("card-lost").click()
    page.get_by_test_id("card-confirm").click()
    expect(page.get_by_test_id("card-make")).to_be_visible()
    expect(page.get_by_test_id("card-news")).to_be_focused()
