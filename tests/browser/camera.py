"""A fake camera: a film for Chromium that shows one picture, as a hand holds it before a lens."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 1280, 720
FRAMES = 4
MARGIN = 60


def film(picture: bytes, path: Path) -> None:
    """Write a Y4M film whose every frame holds `picture` (PNG) in the middle of a grey wall."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    scale = min((WIDTH - 2 * MARGIN) / image.width, (HEIGHT - 2 * MARGIN) / image.height)
    size = (round(image.width * scale), round(image.height * scale))
    frame = Image.new("L", (WIDTH, HEIGHT), 190)
    frame.paste(image.resize(size, Image.Resampling.LANCZOS), ((WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2))
    brightness = frame.tobytes()
    no_colour = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(FRAMES):
            file.write(b"FRAME\n" + brightness + no_colour)
