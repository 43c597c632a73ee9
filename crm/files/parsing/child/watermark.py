"""A watermark in the pixels of a picture: who looks at it and when, so that a photo of the screen names its source.

The text is repeated over the whole page, each copy light with a dark edge, so that it is readable on any ground and no crop is
free of it. It is thin enough to read a document through.
"""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

ANGLE_DEGREES = 24
LINES_MAX, LETTERS_MAX = 3, 60
# Of 255: a document must stay readable under it.
LIGHT, DARK = 84, 62
LETTER_SHARE = 1 / 56
LETTER_MIN_PX = 9


def marked(image: Image.Image, lines: list[str]) -> Image.Image:
    """Draw the lines over a picture, again and again; returns it as RGB, of the same size. The lines are ASCII."""
    made = image if image.mode == "RGB" else image.convert("RGB")
    size = max(LETTER_MIN_PX, round(max(made.size) * LETTER_SHARE))
    light, dark = (_tile([line[:LETTERS_MAX] for line in lines[:LINES_MAX]], size, edge) for edge in (False, True))
    width, height = light.size
    for row, top in enumerate(range(-height // 3, made.height, height)):
        for left in range(-(width // 2) * (row % 2), made.width, width):
            made.paste((0, 0, 0), (left, top), dark)
            made.paste((255, 255, 255), (left, top), light)
    return made


def _tile(lines: list[str], size: int, is_edge: bool) -> Image.Image:
    """Draw one copy, turned, as a mask: its letters, or what lies just beside them."""
    font = ImageFont.load_default(size)
    text, edge = "\n".join(lines), max(1, size // 14)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    box = (round(right - left) + 2 * size, round(bottom - top) + 2 * size)
    mask = Image.new("L", box, 0)
    pen = ImageDraw.Draw(mask)
    place = (size - left, size - top)
    if is_edge:
        pen.multiline_text(place, text, fill=DARK, font=font, align="center", stroke_width=edge, stroke_fill=DARK)
        pen.multiline_text(place, text, fill=0, font=font, align="center")
    else:
        pen.multiline_text(place, text, fill=LIGHT, font=font, align="center")
    return mask.rotate(ANGLE_DEGREES, expand=True, resample=Image.Resampling.BILINEAR)
