"""Pictures as cameras, copiers and hurried people spoil them."""

from __future__ import annotations

import io
import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

TABLE = "#3a3128"


def jpeg(image: Image.Image, *, quality: int = 90) -> bytes:
    """Encode a picture as JPEG."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def saved(image: Image.Image, quality: int) -> Image.Image:
    """Compress a picture and open it again."""
    return Image.open(io.BytesIO(jpeg(image.convert("RGB"), quality=quality))).convert("RGB")


def blurred(image: Image.Image, sigma: float) -> Image.Image:
    """Blur a picture as a shaking hand does."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def turned(image: Image.Image, degrees: float) -> Image.Image:
    """Turn a picture on a dark table."""
    return image.rotate(degrees, expand=True, fillcolor=TABLE, resample=Image.Resampling.BICUBIC)


def with_glare(image: Image.Image, *, centre: tuple[float, float], radius: float) -> Image.Image:
    """Add a white spot; centre in fractions of the page, radius in fractions of its width."""
    shiny = image.copy()
    x, y, r = centre[0] * image.width, centre[1] * image.height, radius * image.width
    ImageDraw.Draw(shiny).ellipse((x - r, y - r, x + r, y + r), fill="#ffffff")
    return shiny


def photographed(image: Image.Image, *, seed: int = 1) -> Image.Image:
    """Spoil a picture as a phone does: on a table, a little turned, darker and noisier."""
    chance = random.Random(seed)  # noqa: S311 — a drawing
    table = Image.new("RGB", (int(image.width * 1.16), int(image.height * 1.18)), "#6d5a45")
    table.paste(image, (int(image.width * 0.08), int(image.height * 0.09)))
    photo = turned(table, chance.uniform(-4, 4)).point(lambda level: int(level * 0.78))
    noise = Image.effect_noise(photo.size, 14).convert("RGB")
    return Image.blend(photo, noise, 0.06)


def seen_askew(image: Image.Image, *, seed: int = 1) -> Image.Image:
    """Take a picture from the side: one edge of the page is farther away."""
    chance = random.Random(seed)  # noqa: S311 — a drawing
    width, height = image.size
    far = chance.uniform(0.02, 0.06)
    corners = (0, 0, 0, height, width, height * (1 + far), width, -height * far)
    return image.transform(image.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=TABLE)


def of_screen(image: Image.Image, *, seed: int = 1) -> Image.Image:
    """Photograph a page shown on a screen: its red, green and blue dots, a slight angle, the dark frame around."""
    chance = random.Random(seed)  # noqa: S311 — a drawing
    width = chance.randrange(1500, 2100)
    shown = image.convert("RGB").resize((width, round(width * image.height / image.width)))
    light = np.asarray(shown, np.float32)
    pitch, angle = chance.uniform(2.3, 4.6), math.radians(chance.uniform(-4, 4))
    down, across = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    column = (across * math.cos(angle) + down * math.sin(angle)) / pitch
    row = (down * math.cos(angle) - across * math.sin(angle)) / pitch
    dots = np.stack([0.66 + 0.34 * np.cos(2 * np.pi * (column + part / 3)) for part in range(3)], axis=-1)
    dots *= (0.85 + 0.15 * np.cos(2 * np.pi * row))[..., None]
    photo = Image.fromarray(np.clip(light * dots * 1.25, 0, 255).astype("uint8"))
    framed = ImageOps.expand(photo, border=round(width * 0.04), fill="#0b0b0d")
    noise = Image.effect_noise(framed.size, 12).convert("RGB")
    return Image.blend(blurred(framed, chance.uniform(0.4, 0.8)), noise, 0.05)


def copied(image: Image.Image) -> Image.Image:
    """Copy a page in black and white."""
    return ImageOps.autocontrast(image.convert("L"), cutoff=1).convert("RGB")


def landscape(*, seed: int = 1) -> Image.Image:
    """Draw what is no document: sky, hills, grass."""
    chance = random.Random(seed)  # noqa: S311 — a drawing
    width, height = 1400, 950
    picture = Image.new("RGB", (width, height), chance.choice(["#8fb7dd", "#b9cfe4", "#e0b58a"]))
    draw = ImageDraw.Draw(picture)
    for layer, colour in enumerate(("#7d8aa0", "#566b58", "#3c5a34")):
        base, phase = height * (0.45 + 0.16 * layer), chance.uniform(0, 6)
        ridge = [(x, base + 60 * math.sin(x / (90 + 60 * layer) + phase)) for x in range(0, width + 20, 20)]
        draw.polygon([*ridge, (width, height), (0, height)], fill=colour)
    for _blade in range(2500):
        x, y = chance.uniform(0, width), chance.uniform(height * 0.75, height)
        draw.line(
            (x, y, x + chance.uniform(-4, 4), y - chance.uniform(6, 20)), fill=chance.choice(["#4c7040", "#2f4a29"])
        )
    return blurred(Image.blend(picture, Image.effect_noise(picture.size, 40).convert("RGB"), 0.12), 0.7)


def pasted_over(image: Image.Image, box: tuple[int, int, int, int], text: str, *, seed: int = 1) -> Image.Image:
    """Write something else over a part of a picture that was compressed before, and save it again, as an editor does."""
    from kyc.specimens.drawing import INK, sans

    chance = random.Random(seed)  # noqa: S311 — a drawing
    edited = saved(image, chance.randrange(60, 78))
    ground = edited.crop((box[0], box[3] + 2, box[2], box[3] + 4)).resize((box[2] - box[0], box[3] - box[1]))
    edited.paste(ground, box[:2])
    ImageDraw.Draw(edited).text(box[:2], text, font=sans(33, bold=True), fill=INK)
    return saved(edited, chance.randrange(88, 96))
