"""What people do on the pages, step by step."""

from __future__ import annotations

import io
import itertools
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.holders import number_of
from tianfu.synth.county import HOME_DIVISION
from tianfu.synth.operators import ACCOUNTS

SERIALS: Iterator[int] = itertools.count(1)


class Person:
    """Somebody who has no code yet."""

    def __init__(self, name: str = "测试人") -> None:
        serial = next(SERIALS)
        self.name = name
        self.number = number_of(serial)
        self.phone = f"1990001{serial:04d}"


def claim(page: Page, person: Person) -> None:
    """Fill in the claim as a person does, with the sandbox's password, up to the declaration."""
    page.goto("/claim")
    fill_claim(page, person)
    page.get_by_test_id("claim-submit").click()
    page.wait_for_url("**/declare")


def fill_claim(page: Page, person: Person) -> None:
    page.get_by_test_id("claim-name").fill(person.name)
    page.get_by_test_id("claim-document-type").select_option("resident_id")
    page.get_by_test_id("claim-document-number").fill(person.number)
    page.get_by_test_id("claim-phone").fill(person.phone)
    page.get_by_test_id("claim-send-otp").click()
    page.get_by_test_id("claim-fill-otp").click()
    choose_district(page, "claim-district")
    for consent in ("claim", "health", "visits"):
        page.get_by_test_id(f"claim-consent-{consent}").check()


def choose_district(page: Page, prefix: str) -> None:
    page.get_by_test_id(f"{prefix}-city").select_option(f"{HOME_DIVISION[:4]}00")
    page.get_by_test_id(f"{prefix}-county").select_option(HOME_DIVISION)


def declare_well(page: Page) -> None:
    """Say that nothing is wrong and arrive at the code."""
    page.get_by_test_id("declare-none").check()
    page.get_by_test_id("declare-truthful").check()
    page.get_by_test_id("declare-submit").click()
    page.wait_for_url("**/code")


def hold_green_code(page: Page, person: Person | None = None) -> Person:
    """Claim, declare, and wait for green."""
    holder = person or Person()
    claim(page, holder)
    declare_well(page)
    expect_colour(page, "green")
    return holder


def expect_colour(page: Page, colour: str) -> None:
    expect(page.get_by_test_id("code-colour")).to_have_attribute("data-colour", colour)


def sign_in(page: Page, username: str) -> None:
    account = next(account for account in ACCOUNTS if account.username == username)
    page.goto("/console")
    page.get_by_test_id("console-username").fill(account.username)
    page.get_by_test_id("console-password").fill(account.password)
    page.get_by_test_id("console-login").click()
    expect(page.get_by_test_id("console-who")).to_be_visible()


def read_code(picture: bytes) -> str:
    """The text of the QR in a PNG."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("RGB"))
    assert found, "no code in the picture"
    text: str = found[0].text
    return text


def is_drawing(svg: str) -> bool:
    """Whether the text is a well-formed SVG without a script."""
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    return root.tag.endswith("svg") and not any(node.tag.endswith("script") for node in root.iter())
