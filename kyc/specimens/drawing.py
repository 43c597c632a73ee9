"""What the drawings of documents are made of: fonts, security paper, the word SPECIMEN, faces, zones."""

from __future__ import annotations

import math
import random
from functools import cache
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONTS = Path(reportlab.__file__).parent / "fonts"
OCR_B = Path(__file__).parent.parent / "assets" / "OCRB.otf"
INK, FADED = "#1b2540", "#5b6785"


@cache
def sans(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Load the plain or bold font for what people read."""
    return ImageFont.truetype(str(FONTS / ("VeraBd.ttf" if bold else "Vera.ttf")), size)


@cache
def ocr_b(size: int) -> ImageFont.FreeTypeFont:
    """Load the font of zones."""
    return ImageFont.truetype(str(OCR_B), size)


@cache
def guilloche(width: int, height: int) -> Image.Image:
    """Draw a pale background with fine waves, as security paper has."""
    page = Image.new("RGB", (width, height), "#e9eef0")
    draw = ImageDraw.Draw(page)
    for wave in range(0, height + 60, 22):
        points = [(x, wave + 14 * math.sin(x / 70 + wave / 40)) for x in range(0, width + 2, 2)]
        draw.line(points, fill="#d6e0e2", width=2)
    return page


@cache
def _stamp() -> Image.Image:
    stamp = Image.new("L", (900, 150), 0)
    ImageDraw.Draw(stamp).text((450, 75), "SPECIMEN", font=sans(120, bold=True), fill=58, anchor="mm")
    return stamp.rotate(18, expand=True)


def stamp_specimen(page: Image.Image) -> None:
    """Write SPECIMEN across a page."""
    stamp = _stamp()
    page.paste("#b3261e", ((page.width - stamp.width) // 2 + 120, (page.height - stamp.height) // 2 - 60), stamp)


def draw_zone_line(draw: ImageDraw.ImageDraw, line: str, *, left: float, top: float, step: float, size: int) -> None:
    """Draw one line in OCR-B at a fixed pitch."""
    font = ocr_b(size)
    for place, character in enumerate(line):
        draw.text((left + place * step, top), character, font=font, fill="#101010")


def draw_face(page: Image.Image, seed: int, box: tuple[int, int, int, int]) -> None:
    """Draw a head and shoulders, a little different for each person."""
    chance = random.Random(seed)  # noqa: S311 — a drawing
    width, height = box[2] - box[0], box[3] - box[1]
    photo = Image.new("RGB", (width, height), "#c9d3d8")
    draw = ImageDraw.Draw(photo)
    skin = chance.choice([(236, 204, 180), (224, 186, 158), (198, 152, 120), (182, 138, 110), (242, 214, 196)])
    hair = chance.choice([(40, 30, 24), (92, 62, 38), (160, 120, 66), (120, 120, 120), (66, 40, 30)])
    dark = tuple(int(level * 0.62) for level in skin)
    cx, cy = width // 2, int(height * 0.45)
    rx, ry = int(width * chance.uniform(0.255, 0.3)), int(height * chance.uniform(0.275, 0.31))
    draw.ellipse(
        (cx - int(rx * 2), int(height * 0.8), cx + int(rx * 2), int(height * 1.4)),
        fill=chance.choice(["#2f4858", "#5a3d5c", "#33658a", "#4a4e3f"]),
    )
    draw.rectangle((cx - rx // 2, cy + ry // 2, cx + rx // 2, int(height * 0.85)), fill=dark)
    draw.ellipse((cx - int(rx * 1.14), cy - int(ry * 1.22), cx + int(rx * 1.14), cy + int(ry * 0.55)), fill=hair)
    draw.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=skin)
    draw.chord((cx - rx, cy - ry - 4, cx + rx, cy + ry), 200 + chance.randint(-8, 8), 340, fill=hair)
    eye_y, eye_dx = cy - int(ry * 0.12), int(rx * chance.uniform(0.4, 0.47))
    for side in (-1, 1):
        ex = cx + side * eye_dx
        draw.ellipse((ex - rx // 4, eye_y - ry // 8, ex + rx // 4, eye_y + ry // 9), fill=dark)
        draw.ellipse((ex - rx // 6, eye_y - ry // 16, ex + rx // 6, eye_y + ry // 16), fill="#f4f4f4")
        draw.ellipse((ex - rx // 12, eye_y - ry // 14, ex + rx // 12, eye_y + ry // 14), fill="#20242c")
        draw.arc(
            (ex - rx // 3, eye_y - ry // 3, ex + rx // 3, eye_y + ry // 6), 200, 340, fill=hair, width=max(4, rx // 14)
        )
    nose = tuple(min(255, int(level * 1.07)) for level in skin)
    draw.polygon(
        [(cx - 6, eye_y), (cx + 6, eye_y), (cx + rx // 6, cy + ry // 3), (cx - rx // 6, cy + ry // 3)], fill=nose
    )
    draw.arc((cx - rx // 5, cy + ry // 6, cx + rx // 5, cy + int(ry * 0.4)), 20, 160, fill=dark, width=5)
    mouth_y = cy + int(ry * 0.58)
    draw.ellipse((cx - rx // 3, mouth_y - ry // 18, cx + rx // 3, mouth_y + ry // 14), fill=(150, 70, 70))
    photo = photo.filter(ImageFilter.GaussianBlur(2.2))
    page.paste(photo, (box[0], box[1]))
