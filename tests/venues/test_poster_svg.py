from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from tianfu.platform.sign import KeyPurpose, SigningKey, VerifyKeys, generate_secret
from tianfu.venues.model import VenueCategory
from tianfu.venues.poster import NAME_CHARACTERS_MAX, PosterClaim, poster_text, read_poster
from tianfu.venues.poster_svg import (
    CATEGORY_NAMES,
    PAGE_HEIGHT_MM,
    PAGE_WIDTH_MM,
    QR_SIDE_MM,
    QUIET_ZONE_MODULES,
    poster_svg,
    qr_modules,
)

ORIGIN = "https://jkt.example.cn"
SIGNER = SigningKey(generate_secret(), KeyPurpose.VENUE)
KEYS = VerifyKeys([SIGNER.verify_key()])
CLAIM = PosterClaim(bytes(range(16)), 3, "510104", "transport", "成都东站")
TEXT = poster_text(SIGNER, CLAIM, ORIGIN)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(page: str) -> Image.Image:
    """The QR code of a page as a picture, painted from the page's own path and nothing else."""
    symbol = ET.fromstring(page).find(f".//{SVG}svg[@id='qr']")  # noqa: S314 - our own page
    assert symbol is not None
    side = int(symbol.attrib["viewBox"].split()[2])
    picture = Image.new("L", (side, side), 255)
    path = symbol.find(f"{SVG}path")
    assert path is not None
    for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path.attrib["d"]):
        for offset in range(int(length)):
            picture.putpixel((int(column) + offset, int(row)), 0)
    return picture.resize((side * 4, side * 4), Image.Resampling.NEAREST)


def test_the_printed_code_is_read_and_is_the_poster() -> None:
    found = zxingcpp.read_barcodes(drawn(poster_svg(CLAIM, TEXT)))

    assert [barcode.text for barcode in found] == [TEXT]
    assert found[0].ec_level == "Q"
    assert read_poster(found[0].text, KEYS, ORIGIN) == CLAIM


def test_a_tenth_of_the_code_may_be_glued_over() -> None:
    picture = drawn(poster_svg(CLAIM, TEXT))
    side = picture.width
    picture.paste(255, (side * 4 // 10, side * 4 // 10, side * 7 // 10, side * 7 // 10))

    assert [barcode.text for barcode in zxingcpp.read_barcodes(picture)] == [TEXT]


def test_the_symbol_is_no_larger_than_an_independent_encoder_makes_it_and_both_read_the_same() -> None:
    other = segno.make(TEXT, error="q", mode="byte", boost_error=False, micro=False)
    rows = [bytes(0 if cell else 255 for cell in row) for row in other.matrix_iter(scale=4, border=4)]
    picture = Image.frombytes("L", (len(rows[0]), len(rows)), b"".join(rows))

    assert len(qr_modules(TEXT)) <= other.symbol_size(border=0)[0]
    assert [barcode.text for barcode in zxingcpp.read_barcodes(picture)] == [TEXT]


def test_the_page_is_a4_and_a_module_is_large_enough_for_a_metre() -> None:
    page = ET.fromstring(poster_svg(CLAIM, TEXT))  # noqa: S314 - our own page
    module_mm = QR_SIDE_MM / (len(qr_modules(TEXT)) + 2 * QUIET_ZONE_MODULES)

    assert (page.attrib["width"], page.attrib["height"]) == ("210mm", "297mm")
    assert (PAGE_WIDTH_MM, PAGE_HEIGHT_MM) == (210, 297)
    assert len(qr_modules(TEXT)) * module_mm >= 60
    assert module_mm >= 1


def test_the_page_names_venue_category_and_place_in_both_languages() -> None:
    page = poster_svg(CLAIM, TEXT, place="成都市成华区邛崃山路333号")

    for words in (
        "场所码",
        "Venue code",
        "成都东站",
        "场站码头",
        "Station or port",
        "邛崃山路333号",
        'id="panda"',
        "-3<",
    ):
        assert words in page


def test_every_category_has_a_name_in_both_languages() -> None:
    assert {category.value for category in VenueCategory} == set(CATEGORY_NAMES)
    assert all(zh and en for zh, en in CATEGORY_NAMES.values())


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "&lt;", '"onload="x', "'; --", "]]>", "a\x00b", "a\x0bb", "\ud7ff￾￿", "A" * 60],
)
def test_a_name_is_text_and_never_markup(name: str) -> None:
    page = poster_svg(CLAIM._replace(name=name), TEXT, place=name)
    tree = ET.fromstring(page)  # noqa: S314 - our own page

    assert not tree.findall(f".//{SVG}script")
    names = {element.tag.removeprefix(SVG) for element in tree.iter()}
    assert names <= {"svg", "title", "rect", "g", "circle", "ellipse", "path", "text"}


@examples(max_examples=20)
@given(name=st.text(min_size=1, max_size=NAME_CHARACTERS_MAX), place=st.text(max_size=120))
def test_any_name_and_place_give_a_well_formed_page_inside_its_margins(name: str, place: str) -> None:
    tree = ET.fromstring(poster_svg(CLAIM._replace(name=name), TEXT, place=place))  # noqa: S314 - our own page

    for line in tree.iter(f"{SVG}text"):
        assert 0 < float(line.attrib["y"]) < PAGE_HEIGHT_MM
        assert 0 < float(line.attrib["font-size"]) <= 20


def test_a_text_that_fits_into_no_code_is_refused() -> None:
    with pytest.raises(ValueError):
        qr_modules("x" * 5000)
