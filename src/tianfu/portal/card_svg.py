"""The printed card: one A6 page in SVG, ready to print, with nothing to load from anywhere.

Units are millimetres. The symbol is drawn at error correction Q; with at most 281 characters it has 57 to 73 modules,
and without its quiet zone it is at least 46 mm wide, where 35 mm is what scanners need. No colour is printed: paper
cannot turn. The page says to whom it belongs (masked), until when it holds, and what to do when it is lost.
"""

from __future__ import annotations

import html
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tianfu.venues.poster_svg import QUIET_ZONE_MODULES, advance, qr_path

PAGE_WIDTH_MM: Final = 105
PAGE_HEIGHT_MM: Final = 148
SYMBOL_MM_MIN: Final = 35
QR_SIDE_MM: Final = 54

_QR_TOP_MM: Final = 27
_MARGIN_MM: Final = 5
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_KIND_NAMES: Final = {
    "self": ("本人", "own"),
    "child": ("儿童", "child"),
    "elder": ("老人", "elder"),
    "ward": ("被监护人", "ward"),
}


class CardDrawing(NamedTuple):
    """What is on the page."""

    text: str
    masked_name: str
    last_digits: str
    kind: str
    generation: int
    issued_at: datetime
    expires_at: datetime


def card_svg(card: CardDrawing) -> str:
    """The page. Raises `ValueError` when the text does not fit into a QR code."""
    kind_zh, kind_en = _KIND_NAMES[card.kind]
    until = card.expires_at.astimezone(_ZONE)
    lines = (
        ("天府健康通 离线码", 10, 7.0, "#fff", 700),
        ("Tianfu printed health code", 17, 4.2, "#fff", 400),
        (f"{card.masked_name} · 尾号 {card.last_digits}", 90, 7.0, "#20262b", 700),
        (f"{kind_zh} {kind_en} · 第 {card.generation} 张 No. {card.generation}", 97, 4.0, "#3d464d", 400),
        (f"有效期至 {until:%Y-%m-%d %H:%M}", 106, 5.6, "#20262b", 700),
        (f"Valid until {until:%Y-%m-%d %H:%M} (UTC+8)", 112, 3.8, "#3d464d", 400),
        ("本卡不含颜色，以查验设备显示为准；请与身份证件一并出示。", 121, 3.3, "#20262b", 400),
        ("No colour is printed: the scanner shows it. Show your ID card too.", 125.5, 2.9, "#3d464d", 400),
        ("遗失请在天府健康通“离线码”中挂失，或重新申领，旧卡即刻作废。", 133, 3.3, "#20262b", 400),
        ("Lost? Report it in the app under “Printed card”, or print another:", 137.5, 2.9, "#3d464d", 400),
        ("this one is refused from then on. Do not share a photo of it.", 141.5, 2.9, "#3d464d", 400),
    )
    body = [
        f'<rect width="{PAGE_WIDTH_MM}" height="{PAGE_HEIGHT_MM}" fill="#fff"/>',
        f'<rect width="{PAGE_WIDTH_MM}" height="22" fill="#3f5f7d"/>',
        _qr(card.text),
        *(_line(*line) for line in lines),
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PAGE_WIDTH_MM}mm" height="{PAGE_HEIGHT_MM}mm" '
        f'viewBox="0 0 {PAGE_WIDTH_MM} {PAGE_HEIGHT_MM}" '
        "font-family=\"'Noto Sans SC','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif\">\n"
        "<title>天府健康通 离线码</title>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _qr(text: str) -> str:
    """The symbol, centred, its quiet zone inside the stated side."""
    path, modules = qr_path(text)
    side = modules + 2 * QUIET_ZONE_MODULES
    left = (PAGE_WIDTH_MM - QR_SIDE_MM) / 2
    return (
        f'<svg id="qr" x="{left:g}" y="{_QR_TOP_MM}" width="{QR_SIDE_MM}" height="{QR_SIDE_MM}" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )


def _line(text: str, y: float, size: float, fill: str, weight: int) -> str:
    """One line, smaller where it would not fit between the margins."""
    printable = "".join(character if character.isprintable() else "\ufffd" for character in text)
    shown = html.escape(printable)
    size = min(size, (PAGE_WIDTH_MM - 2 * _MARGIN_MM) / sum(map(advance, printable)))
    return (
        f'<text x="{PAGE_WIDTH_MM / 2:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="middle">{shown}</text>'
    )
