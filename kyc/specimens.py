"""Documents of people who don't exist, to try the room's upload, the checks and the review on: each says SPECIMEN.

`passport` draws the data page of a TD3 passport after Doc 9303 (125 × 88 mm at 254 dpi), `id_card` the two sides of a TD1
card, `utility_bill` a PDF with a text layer. Tests, the demo and the smoke run share them. The issuing state is Utopia (UTO),
ICAO's own code for specimens.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from kyc import mrz
from kyc.names import folded, variants

FONTS = Path(reportlab.__file__).parent / "fonts"
OCR_B = Path(__file__).parent / "assets" / "OCRB.otf"
PAGE = (1250, 880)
CARD = (1080, 681)
INK, FADED = "#1b2540", "#5b6785"


@dataclass(frozen=True)
class Style:
    """What the issuer prints besides the holder's data: labels of its language, its name, how it writes the nationality."""

    title: str
    nationality: str
    # Surname, given names, nationality, birth, expiry, sex, number.
    labels: tuple[str, ...]
    passport: str = "PASSPORT · PASSEPORT"
    card: str = "IDENTITY CARD"
    licence: str = "DRIVING LICENCE"
    date: str = "%d.%m.%Y"


ENGLISH = ("Surname", "Given names", "Nationality", "Date of birth", "Date of expiry", "Sex", "Passport No.")
UTOPIA = Style("UTOPIA", "UTOPIAN", ENGLISH)


@dataclass(frozen=True)
class Holder:
    """The person on the document."""

    first_name: str
    last_name: str
    birth_date: dt.date
    sex: str = "F"
    number: str = "L898902C3"
    expires_on: dt.date = dt.date(2031, 4, 15)
    country: str = "UTO"
    nationality: str = "UTO"
    style: Style = UTOPIA

    @property
    def seed(self) -> int:
        return int(hashlib.sha256(f"{self.first_name}{self.last_name}{self.birth_date}".encode()).hexdigest()[:8], 16)


def mrz_lines(holder: Holder) -> tuple[str, str]:
    """Write the two lines that belong on the holder's passport."""
    return mrz.build_td3(_zone_of(holder))


def _zone_of(holder: Holder) -> mrz.TravelDocument:
    return mrz.TravelDocument(
        country=holder.country,
        surname=_printed(holder.last_name),
        given_names=_printed(holder.first_name),
        number=holder.number,
        nationality=holder.nationality,
        birth_date=holder.birth_date,
        sex=holder.sex,
        expiry_date=holder.expires_on,
    )


def _printed(name: str) -> str:
    """Spell a name as issuers do who write Ü as UE."""
    return variants(name)[0] if name else ""


def passport(holder: Holder, *, lines: tuple[str, str] | None = None) -> Image.Image:
    """Draw the data page. `lines` replaces the zone, to draw a forged one."""
    page = _guilloche(*PAGE).copy()
    draw = ImageDraw.Draw(page)
    _face(page, holder.seed, (70, 190, 420, 640))
    style = holder.style
    draw.text((70, 48), style.title, font=_sans(54, bold=True), fill=INK)
    draw.text((70, 118), style.passport, font=_sans(26), fill=FADED)
    values = (
        holder.last_name,
        holder.first_name,
        style.nationality,
        holder.birth_date.strftime(style.date),
        holder.expires_on.strftime(style.date),
        holder.sex,
    )
    fields = list(zip(style.labels[:6], values, strict=True))
    draw.text((820, 60), style.labels[6], font=_sans(20), fill=FADED)
    draw.text((820, 88), holder.number, font=_sans(34, bold=True), fill=INK)
    for row, (label, value) in enumerate(fields):
        top = 190 + row * 76
        draw.text((480, top), label, font=_sans(19), fill=FADED)
        draw.text((480, top + 24), value, font=_sans(33, bold=True), fill=INK)
    _specimen(page)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 690, PAGE[0], PAGE[1]), fill="#f4f2ec")
    for row, line in enumerate(lines or mrz_lines(holder)):
        _zone_line(draw, line, left=52, top=722 + row * 68, step=26.2, size=43)
    return page


def id_card(holder: Holder) -> tuple[Image.Image, Image.Image]:
    """Draw an identity card: the front with the photo, the back with the three-line zone."""
    front = _guilloche(*CARD).copy()
    draw = ImageDraw.Draw(front)
    _face(front, holder.seed, (60, 170, 360, 560))
    style = holder.style
    draw.text((60, 48), f"{style.title}  {style.card}", font=_sans(40, bold=True), fill=INK)
    for row, (label, value) in enumerate(
        [
            (style.labels[0], holder.last_name),
            (style.labels[1], holder.first_name),
            (style.labels[3], holder.birth_date.strftime(style.date)),
            (style.labels[4], holder.expires_on.strftime(style.date)),
            ("Card No.", holder.number),
        ]
    ):
        draw.text((420, 160 + row * 84), label, font=_sans(20), fill=FADED)
        draw.text((420, 186 + row * 84), value, font=_sans(34, bold=True), fill=INK)
    _specimen(front)
    back = _guilloche(*CARD).copy()
    draw = ImageDraw.Draw(back)
    draw.text((60, 60), "Utopia City Registry · 1 Nowhere Square", font=_sans(28), fill=INK)
    _specimen(back)
    draw = ImageDraw.Draw(back)
    draw.rectangle((0, 420, CARD[0], CARD[1]), fill="#f4f2ec")
    for row, line in enumerate(mrz.build_td1(_zone_of(holder))):
        _zone_line(draw, line, left=56, top=450 + row * 68, step=32.4, size=46)
    return front, back


def driving_licence(holder: Holder, *, issued_on: dt.date = dt.date(2021, 4, 15)) -> Image.Image:
    """Draw the front of a driving licence with the numbered fields of Directive 2006/126/EC, annex I."""
    front = _guilloche(*CARD).copy()
    draw = ImageDraw.Draw(front)
    _face(front, holder.seed, (60, 170, 360, 560))
    draw.text((60, 48), f"{holder.style.title}  {holder.style.licence}", font=_sans(40, bold=True), fill=INK)
    rows = [
        ("1.", holder.last_name),
        ("2.", holder.first_name),
        ("3.", f"{holder.birth_date:%d.%m.%Y}  {holder.style.title.title()}"),
        ("4a.", f"{issued_on:%d.%m.%Y}"),
        ("4b.", f"{holder.expires_on:%d.%m.%Y}"),
        ("5.", holder.number),
        ("9.", "AM B"),
    ]
    for row, (label, value) in enumerate(rows):
        draw.text((420, 150 + row * 68), label, font=_sans(24), fill=FADED)
        draw.text((490, 144 + row * 68), value, font=_sans(34, bold=True), fill=INK)
    _specimen(front)
    return front


@dataclass(frozen=True)
class UtilityBill:
    """What is printed on a bill: the customer's name and address, and the invoice's day and number."""

    name: str
    address_line: str
    postal_code: str
    city: str
    issued_on: dt.date
    country: str = ""
    number: int = 4711


def utility_bill(bill: UtilityBill, *, is_small: bool = False) -> bytes:
    """Draw a bill as one page of PDF with a text layer.

    is_small: with the reader's own fonts, for Latin names; drawn three times as fast.
    """
    _register_pdf_fonts()
    plain, bold = ("Helvetica", "Helvetica-Bold") if is_small else ("Vera", "VeraBd")
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    canvas.setTitle("SPECIMEN utility bill")
    width, height = A4
    canvas.setFillColorRGB(0.05, 0.4, 0.45)
    canvas.rect(0, height - 26 * mm, width, 26 * mm, stroke=0, fill=1)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.setFont(bold, 18)
    canvas.drawString(20 * mm, height - 17 * mm, "Utopia Power & Water")
    canvas.setFillColorRGB(0.1, 0.1, 0.1)
    canvas.setFont(plain, 11)
    for row, line in enumerate([bill.name, bill.address_line, f"{bill.postal_code} {bill.city}", bill.country]):
        canvas.drawString(20 * mm, height - 50 * mm - row * 5.5 * mm, line)
    canvas.drawRightString(width - 20 * mm, height - 50 * mm, f"Invoice date: {bill.issued_on:%d.%m.%Y}")
    canvas.drawRightString(width - 20 * mm, height - 55.5 * mm, f"Invoice number: {bill.number}")
    canvas.setFont(bold, 14)
    canvas.drawString(20 * mm, height - 92 * mm, "Your electricity bill")
    canvas.setFont(plain, 10)
    amounts = random.Random(bill.number)  # noqa: S311 — figures on a specimen
    for row, item in enumerate(["Consumption", "Standing charge", "Network charge", "Tax"]):
        top = height - 106 * mm - row * 7 * mm
        canvas.drawString(20 * mm, top, item)
        canvas.drawRightString(width - 20 * mm, top, f"{amounts.randint(300, 9900) / 100:.2f} EUR")
        canvas.line(20 * mm, top - 2 * mm, width - 20 * mm, top - 2 * mm)
    canvas.saveState()
    canvas.translate(width / 2, height / 2.6)
    canvas.rotate(35)
    canvas.setFillColorRGB(0.8, 0.1, 0.1, alpha=0.14)
    canvas.setFont(bold, 84)
    canvas.drawCentredString(0, 0, "SPECIMEN")
    canvas.restoreState()
    canvas.save()
    return out.getvalue()


def jpeg(image: Image.Image, *, quality: int = 90) -> bytes:
    """Encode a picture as JPEG."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


# ── as a camera would spoil it ─────────────────────────────────────────────────────────────────────────────────────
def blurred(image: Image.Image, sigma: float) -> Image.Image:
    """Blur a picture as a shaking hand does."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def turned(image: Image.Image, degrees: float) -> Image.Image:
    """Turn a picture on a dark table."""
    return image.rotate(degrees, expand=True, fillcolor="#3a3128", resample=Image.Resampling.BICUBIC)


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


# ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────────
@cache
def _sans(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / ("VeraBd.ttf" if bold else "Vera.ttf")), size)


@cache
def _ocr_b(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(OCR_B), size)


@cache
def _register_pdf_fonts() -> None:
    pdfmetrics.registerFont(TTFont("Vera", str(FONTS / "Vera.ttf")))
    pdfmetrics.registerFont(TTFont("VeraBd", str(FONTS / "VeraBd.ttf")))


@cache
def _guilloche(width: int, height: int) -> Image.Image:
    """Draw a pale background with fine waves, as security paper has."""
    page = Image.new("RGB", (width, height), "#e9eef0")
    draw = ImageDraw.Draw(page)
    import math

    for wave in range(0, height + 60, 22):
        points = [(x, wave + 14 * math.sin(x / 70 + wave / 40)) for x in range(0, width + 10, 10)]
        draw.line(points, fill="#d6e0e2", width=2)
    return page


@cache
def _stamp() -> Image.Image:
    stamp = Image.new("L", (900, 150), 0)
    ImageDraw.Draw(stamp).text((450, 75), "SPECIMEN", font=_sans(120, bold=True), fill=58, anchor="mm")
    return stamp.rotate(18, expand=True)


def _specimen(page: Image.Image) -> None:
    stamp = _stamp()
    page.paste("#b3261e", ((page.width - stamp.width) // 2 + 120, (page.height - stamp.height) // 2 - 60), stamp)


def _zone_line(draw: ImageDraw.ImageDraw, line: str, *, left: float, top: float, step: float, size: int) -> None:
    """Draw one line in OCR-B at a fixed pitch."""
    font = _ocr_b(size)
    for place, character in enumerate(line):
        draw.text((left + place * step, top), character, font=font, fill="#101010")


def _face(page: Image.Image, seed: int, box: tuple[int, int, int, int]) -> None:
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


# ── many at once (the demo) ────────────────────────────────────────────────────────────────────────────────────────
SMALL = (750, 528)


@cache
def _blank_small() -> Image.Image:
    """Draw the small page without its holder."""
    page = _guilloche(*PAGE).copy()
    draw = ImageDraw.Draw(page)
    draw.text((70, 48), "UTOPIA", font=_sans(54, bold=True), fill=INK)
    draw.text((70, 118), "PASSPORT · PASSEPORT", font=_sans(26), fill=FADED)
    labels = ["Surname", "Given names", "Nationality", "Date of birth", "Date of expiry", "Sex"]
    for row, label in enumerate(labels):
        draw.text((480, 190 + row * 76), label, font=_sans(19), fill=FADED)
    draw.text((820, 60), "Passport No.", font=_sans(20), fill=FADED)
    _specimen(page)
    ImageDraw.Draw(page).rectangle((0, 690, PAGE[0], PAGE[1]), fill="#f4f2ec")
    return page.resize(SMALL, Image.Resampling.LANCZOS)


@cache
def _small_face(number: int) -> Image.Image:
    page = Image.new("RGB", PAGE)
    _face(page, number, (70, 190, 420, 640))
    return page.crop((70, 190, 420, 640)).resize((210, 270), Image.Resampling.LANCZOS)


def small_passport(holder: Holder) -> Image.Image:
    """Draw a passport at six tenths of its size, in milliseconds: faces come from a set of forty."""
    page = _blank_small().copy()
    page.paste(_small_face(holder.seed % 40), (42, 114))
    draw = ImageDraw.Draw(page)
    draw.text((492, 53), holder.number, font=_sans(20, bold=True), fill=INK)
    values = [
        holder.last_name,
        holder.first_name,
        "UTOPIAN",
        f"{holder.birth_date:%d.%m.%Y}",
        f"{holder.expires_on:%d.%m.%Y}",
        holder.sex,
    ]
    for row, value in enumerate(values):
        draw.text((288, 128 + row * 45.6), value, font=_sans(20, bold=True), fill=INK)
    for row, line in enumerate(mrz_lines(holder)):
        draw.text((31, 433 + row * 41), line, font=_ocr_b(26), fill="#101010")
    return page


__all__ = [
    "Holder",
    "Style",
    "UtilityBill",
    "blurred",
    "driving_licence",
    "folded",
    "id_card",
    "jpeg",
    "mrz_lines",
    "passport",
    "photographed",
    "small_passport",
    "turned",
    "utility_bill",
    "with_glare",
]
