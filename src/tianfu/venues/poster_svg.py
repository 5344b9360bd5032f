"""The poster itself: one A4 page in SVG, ready to print, with nothing to load from anywhere.

Units are millimetres. The QR is drawn at error correction Q (a quarter may be scratched or glued over) with its quiet
zone of four modules. Text is the venue's own and is escaped; the page carries no script and no link.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping
from typing import Final

import zxingcpp

from tianfu.venues.poster import PosterClaim
from tianfu.venues.vehicle import VehicleClaim

PAGE_WIDTH_MM: Final = 210
PAGE_HEIGHT_MM: Final = 297

# Paper is read from a metre away: 61 to 81 modules in 100 mm are 1.2 to 1.6 mm each, twice what a phone needs there.
QR_SIDE_MM: Final = 100
QUIET_ZONE_MODULES: Final = 4

_QR_TOP_MM: Final = 104
_MARGIN_MM: Final = 12
_NAME_LINES_MAX: Final = 3
_NAME_SIZES_MM: Final = (17.0, 13.0, 9.0)
_NAME_BASELINE_MM: Final = 66
_PLACE_SIZE_MM: Final = 5.0
_PLACE_SIZE_MIN_MM: Final = 2.8
_NARROW_WIDTH: Final = 0.6  # of a Latin letter against a Chinese character, both at one size

CATEGORY_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "medical": ("医疗机构", "Medical institution"),
    "prison": ("监所", "Place of detention"),
    "welfare": ("民政服务机构", "Welfare institution"),
    "school": ("校园", "School"),
    "market": ("农贸市场", "Food market"),
    "retail": ("商场超市", "Shop"),
    "catering": ("餐饮", "Restaurant"),
    "exhibition": ("会展", "Exhibition"),
    "tourism": ("旅游景区", "Sight"),
    "culture": ("文化娱乐", "Culture and leisure"),
    "sport": ("体育场馆", "Sports venue"),
    "hotel": ("酒店宾馆", "Hotel"),
    "transport": ("场站码头", "Station or port"),
    "park": ("公园", "Park"),
    "community": ("社区小区", "Residential community"),
    "vehicle": ("交通工具", "Vehicle"),
}

VEHICLE_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "bus": ("公交车", "Bus"),
    "coach": ("客运大巴", "Coach"),
    "taxi": ("出租车", "Taxi"),
    "ride": ("网约车", "Ride"),
    "train": ("列车", "Train"),
    "ship": ("船舶", "Ship"),
}

_STEPS: Final = (
    (
        "1. 打开天府健康通，点“扫场所码”，对准上方二维码。",
        "Open Tianfu, tap “Scan venue code” and point at the code above.",
    ),
    (
        "2. 核对屏幕上的场所名称，与本海报一致后再确认。",
        "Check that the venue name on the screen is the one on this poster.",
    ),
    (
        "3. 请向工作人员出示结果。没有手机？请工作人员协助登记。",
        "Show the result to the staff. No phone? Ask the staff to help.",
    ),
)

# Our own drawing, in a box of 40 by 40 around (20, 20): ears, face, patches, eyes, nose, mouth, bamboo.
_PANDA: Final = """<g id="panda" stroke-linecap="round">
<circle cx="8" cy="9" r="6" fill="#20262b"/><circle cx="32" cy="9" r="6" fill="#20262b"/>
<ellipse cx="20" cy="21" rx="17" ry="15.5" fill="#fff" stroke="#20262b" stroke-width="1"/>
<ellipse cx="12.6" cy="19.5" rx="4.6" ry="5.6" transform="rotate(28 12.6 19.5)" fill="#20262b"/>
<ellipse cx="27.4" cy="19.5" rx="4.6" ry="5.6" transform="rotate(-28 27.4 19.5)" fill="#20262b"/>
<circle cx="13.6" cy="19" r="1.7" fill="#fff"/><circle cx="26.4" cy="19" r="1.7" fill="#fff"/>
<ellipse cx="20" cy="26" rx="2.5" ry="1.7" fill="#20262b"/>
<path d="M20 27.6v2.2M20 29.8q-2.6 2.6-5 .4M20 29.8q2.6 2.6 5 .4" fill="none" stroke="#20262b" stroke-width=".9"/>
<path d="M37 38V20M37 26q4-3 5-7-4 1-5 4M37 32q-4-2-5-6 4 1 5 3" fill="#e3f2cf" stroke="#2f6b41" stroke-width="1"/>
</g>"""


def poster_svg(claim: PosterClaim | VehicleClaim, text: str, *, place: str = "") -> str:
    """The page for `claim`, whose QR holds `text` (made by `poster_text`). `place` is a line with the address.

    Raises `ValueError` when `text` does not fit into a QR code.
    """
    if isinstance(claim, VehicleClaim):
        heading, heading_en = "乘车码", "Vehicle code"
        category_zh, category_en = VEHICLE_NAMES[claim.kind]
    else:
        heading, heading_en = "场所码", "Venue code"
        category_zh, category_en = CATEGORY_NAMES.get(claim.category, (claim.category, ""))
    middle = PAGE_WIDTH_MM / 2
    number = f"{claim.venue_id.hex()[:8]}-{claim.generation}"
    body = [
        f'<rect width="{PAGE_WIDTH_MM}" height="{PAGE_HEIGHT_MM}" fill="#fff"/>',
        f'<rect width="{PAGE_WIDTH_MM}" height="46" fill="#57ac6c"/>',
        f'<g transform="translate({_MARGIN_MM} 4) scale(.95)">{_PANDA}</g>',
        _line(heading, middle, 24, 20, fill="#fff", weight=700),
        _line(f"天府健康通 · {heading_en}", middle, 37, 8, fill="#fff"),
        *_name_lines(claim.name),
        _line(f"{category_zh}  {category_en}".strip(), middle, 94, 6.5, fill="#3d464d"),
        _place_line(place) if place else "",
        _qr(text),
        *(
            _line(zh, middle, 219 + 19 * step, 7.2) + _line(en, middle, 226 + 19 * step, 5, fill="#3d464d")
            for step, (zh, en) in enumerate(_STEPS)
        ),
        _line(
            "本海报仅含场所信息，不含个人信息。This poster holds no personal data.", middle, 276, 4.2, fill="#3d464d"
        ),
        _line(f"编号 No. {number}", middle, 284, 4.2, fill="#3d464d"),
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PAGE_WIDTH_MM}mm" height="{PAGE_HEIGHT_MM}mm" '
        f'viewBox="0 0 {PAGE_WIDTH_MM} {PAGE_HEIGHT_MM}" '
        "font-family=\"'Noto Sans SC','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif\">\n"
        f"<title>{_escaped(claim.name)} {heading}</title>\n" + "\n".join(part for part in body if part) + "\n</svg>\n"
    )


def qr_modules(text: str) -> list[list[bool]]:
    """The QR code of `text` at level Q, row by row, True for a dark module, without quiet zone.

    Raises `ValueError` when it does not fit.
    """
    symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
    image = symbol.to_image(scale=1, add_quiet_zones=False)
    pixels = memoryview(image).tobytes()  # type: ignore[arg-type]  # an image is a buffer; its stub does not say so
    side = image.shape[1]
    return [[pixel == 0 for pixel in pixels[start : start + side]] for start in range(0, len(pixels), side)]


def qr_path(text: str) -> tuple[str, int]:
    """The dark modules of the QR code of `text` as an SVG path behind the quiet zone, and how many modules it is wide.

    Raises `ValueError` when it does not fit.
    """
    modules = qr_modules(text)
    runs = "".join(
        f"M{start + QUIET_ZONE_MODULES} {row + QUIET_ZONE_MODULES}h{length}v1h-{length}z"
        for row, line in enumerate(modules)
        for start, length in _runs(line)
    )
    return runs, len(modules)


def _qr(text: str) -> str:
    """The symbol, centred, its quiet zone inside the stated side."""
    runs, modules = qr_path(text)
    side = modules + 2 * QUIET_ZONE_MODULES
    left = (PAGE_WIDTH_MM - QR_SIDE_MM) / 2
    return (
        f'<svg id="qr" x="{left:g}" y="{_QR_TOP_MM}" width="{QR_SIDE_MM}" height="{QR_SIDE_MM}" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{runs}" fill="#000"/></svg>'
    )


def _runs(line: list[bool]) -> list[tuple[int, int]]:
    """Start and length of each stretch of dark modules."""
    found: list[tuple[int, int]] = []
    for column, dark in enumerate(line):
        if not dark:
            continue
        if found and sum(found[-1]) == column:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((column, 1))
    return found


def _name_lines(name: str) -> list[str]:
    """The venue's name in the largest size at which it fits between the margins."""
    width = PAGE_WIDTH_MM - 2 * _MARGIN_MM
    size, lines = _NAME_SIZES_MM[-1], [name]
    for size in _NAME_SIZES_MM:
        lines = _wrapped(name, width / size)
        if len(lines) * size <= _NAME_LINES_MAX * _NAME_SIZES_MM[-1] + 1:
            break
    middle_line = (len(lines) - 1) / 2
    return [
        _line(line, PAGE_WIDTH_MM / 2, _NAME_BASELINE_MM + 4 + (number - middle_line) * size * 1.15, size, weight=700)
        for number, line in enumerate(lines)
    ]


def _place_line(place: str) -> str:
    """The address on one line: smaller when long, cut with an ellipsis when it would be too small to read."""
    width = PAGE_WIDTH_MM - 2 * _MARGIN_MM
    first, *rest = _wrapped(place, width / _PLACE_SIZE_MIN_MM)
    shown = first[:-1] + "…" if rest else first
    size = min(_PLACE_SIZE_MM, width / sum(advance(character) for character in shown))
    return _line(shown, PAGE_WIDTH_MM / 2, 101, size, fill="#3d464d")


def _wrapped(name: str, width: float) -> list[str]:
    """`name` cut into lines of at most `width` Chinese characters, wherever a line is full."""
    lines, used = [""], 0.0
    for character in name:
        width_of = advance(character)
        if used + width_of > width:
            lines.append("")
            used = 0.0
        lines[-1] += character
        used += width_of
    return lines


def advance(character: str) -> float:
    """The width of a character in Chinese characters."""
    return 1.0 if unicodedata.east_asian_width(character) in "WFA" else _NARROW_WIDTH


def _line(text: str, x: float, y: float, size: float, *, fill: str = "#20262b", weight: int = 400) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="middle">{_escaped(text)}</text>'
    )


def _escaped(text: str) -> str:
    """Text for XML: markup is escaped, characters that XML cannot hold become the replacement character."""
    allowed = (
        character if unicodedata.category(character) not in ("Cc", "Cs", "Cn") else "\ufffd" for character in text
    )
    return html.escape("".join(allowed))
