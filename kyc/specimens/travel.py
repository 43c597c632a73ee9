"""Travel documents, cards and licences of people who don't exist: each says SPECIMEN."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw

from kyc import mrz
from kyc.names import variants
from kyc.specimens.drawing import FADED, INK, draw_face, draw_zone_line, guilloche, ocr_b, sans, stamp_specimen

PAGE = (1250, 880)
CARD = (1080, 681)
TEN_YEARS = dt.timedelta(days=3652)


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
    permit: str = "RESIDENCE PERMIT"


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
    page = guilloche(*PAGE).copy()
    draw = ImageDraw.Draw(page)
    draw_face(page, holder.seed, (70, 190, 420, 640))
    style = holder.style
    draw.text((70, 48), style.title, font=sans(54, bold=True), fill=INK)
    draw.text((70, 118), style.passport, font=sans(26), fill=FADED)
    values = (
        holder.last_name,
        holder.first_name,
        style.nationality,
        holder.birth_date.strftime(style.date),
        holder.expires_on.strftime(style.date),
        holder.sex,
    )
    fields = list(zip(style.labels[:6], values, strict=True))
    draw.text((820, 60), style.labels[6], font=sans(20), fill=FADED)
    draw.text((820, 88), holder.number, font=sans(34, bold=True), fill=INK)
    for row, (label, value) in enumerate(fields):
        top = 190 + row * 76
        draw.text((480, top), label, font=sans(19), fill=FADED)
        draw.text((480, top + 24), value, font=sans(33, bold=True), fill=INK)
    stamp_specimen(page)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 690, PAGE[0], PAGE[1]), fill="#f4f2ec")
    for row, line in enumerate(lines or mrz_lines(holder)):
        draw_zone_line(draw, line, left=52, top=722 + row * 68, step=26.2, size=43)
    return page


def id_card(holder: Holder) -> tuple[Image.Image, Image.Image]:
    """Draw an identity card: the front with the photo, the back with the three-line zone."""
    return _card_front(holder, holder.style.card, "Card No."), _card_back(holder, "I")


def residence_permit(holder: Holder) -> tuple[Image.Image, Image.Image]:
    """Draw a residence permit: like an identity card, of a holder with another nationality than the issuer's."""
    return _card_front(holder, holder.style.permit, "Permit No."), _card_back(holder, "AR")


def _card_front(holder: Holder, title: str, number_label: str) -> Image.Image:
    front = guilloche(*CARD).copy()
    draw = ImageDraw.Draw(front)
    draw_face(front, holder.seed, (60, 170, 360, 560))
    style = holder.style
    draw.text((60, 48), f"{style.title}  {title}", font=sans(40, bold=True), fill=INK)
    for row, (label, value) in enumerate(
        [
            (style.labels[0], holder.last_name),
            (style.labels[1], holder.first_name),
            (style.labels[3], holder.birth_date.strftime(style.date)),
            (style.labels[4], holder.expires_on.strftime(style.date)),
            (number_label, holder.number),
        ]
    ):
        draw.text((420, 160 + row * 84), label, font=sans(20), fill=FADED)
        draw.text((420, 186 + row * 84), value, font=sans(34, bold=True), fill=INK)
    stamp_specimen(front)
    return front


def _card_back(holder: Holder, code: str) -> Image.Image:
    back = guilloche(*CARD).copy()
    draw = ImageDraw.Draw(back)
    draw.text((60, 60), "Utopia City Registry · 1 Nowhere Square", font=sans(28), fill=INK)
    stamp_specimen(back)
    draw = ImageDraw.Draw(back)
    draw.rectangle((0, 420, CARD[0], CARD[1]), fill="#f4f2ec")
    for row, line in enumerate(mrz.build_td1(_zone_of(holder), code=code)):
        draw_zone_line(draw, line, left=56, top=450 + row * 68, step=32.4, size=46)
    return back


def visa(holder: Holder) -> Image.Image:
    """Draw a visa of the size of a passport's page (MRV-A)."""
    page = guilloche(*PAGE).copy()
    draw = ImageDraw.Draw(page)
    draw_face(page, holder.seed, (70, 190, 420, 640))
    draw.text((70, 48), f"{holder.style.title}  VISA", font=sans(54, bold=True), fill=INK)
    values = (holder.last_name, holder.first_name, f"{holder.birth_date:%d.%m.%Y}", f"{holder.expires_on:%d.%m.%Y}")
    for row, value in enumerate((*values, holder.sex, holder.number)):
        draw.text((480, 190 + row * 76), value, font=sans(33, bold=True), fill=INK)
    stamp_specimen(page)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 690, PAGE[0], PAGE[1]), fill="#f4f2ec")
    for row, line in enumerate(mrz.build_mrva(_zone_of(holder))):
        draw_zone_line(draw, line, left=52, top=722 + row * 68, step=26.2, size=43)
    return page


def driving_licence(holder: Holder, *, issued_on: dt.date | None = None) -> Image.Image:
    """Draw the front of a driving licence with the numbered fields of Directive 2006/126/EC, annex I.

    issued_on: ten years before it expires, unless named.
    """
    issued_on = issued_on or holder.expires_on - TEN_YEARS
    front = guilloche(*CARD).copy()
    draw = ImageDraw.Draw(front)
    draw_face(front, holder.seed, (60, 170, 360, 560))
    draw.text((60, 48), f"{holder.style.title}  {holder.style.licence}", font=sans(40, bold=True), fill=INK)
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
        draw.text((420, 150 + row * 68), label, font=sans(24), fill=FADED)
        draw.text((490, 144 + row * 68), value, font=sans(34, bold=True), fill=INK)
    stamp_specimen(front)
    return front


# ── many at once (the demo) ────────────────────────────────────────────────────────────────────────────────────────
SMALL = (750, 528)


@cache
def _blank_small() -> Image.Image:
    """Draw the small page without its holder."""
    page = guilloche(*PAGE).copy()
    draw = ImageDraw.Draw(page)
    draw.text((70, 48), "UTOPIA", font=sans(54, bold=True), fill=INK)
    draw.text((70, 118), "PASSPORT · PASSEPORT", font=sans(26), fill=FADED)
    labels = ["Surname", "Given names", "Nationality", "Date of birth", "Date of expiry", "Sex"]
    for row, label in enumerate(labels):
        draw.text((480, 190 + row * 76), label, font=sans(19), fill=FADED)
    draw.text((820, 60), "Passport No.", font=sans(20), fill=FADED)
    stamp_specimen(page)
    ImageDraw.Draw(page).rectangle((0, 690, PAGE[0], PAGE[1]), fill="#f4f2ec")
    return page.resize(SMALL, Image.Resampling.LANCZOS)


@cache
def _small_face(number: int) -> Image.Image:
    page = Image.new("RGB", PAGE)
    draw_face(page, number, (70, 190, 420, 640))
    return page.crop((70, 190, 420, 640)).resize((210, 270), Image.Resampling.LANCZOS)


def small_passport(holder: Holder) -> Image.Image:
    """Draw a passport at six tenths of its size, in milliseconds: faces come from a set of forty."""
    page = _blank_small().copy()
    page.paste(_small_face(holder.seed % 40), (42, 114))
    draw = ImageDraw.Draw(page)
    draw.text((492, 53), holder.number, font=sans(20, bold=True), fill=INK)
    values = [
        holder.last_name,
        holder.first_name,
        "UTOPIAN",
        f"{holder.birth_date:%d.%m.%Y}",
        f"{holder.expires_on:%d.%m.%Y}",
        holder.sex,
    ]
    for row, value in enumerate(values):
        draw.text((288, 128 + row * 45.6), value, font=sans(20, bold=True), fill=INK)
    for row, line in enumerate(mrz_lines(holder)):
        draw.text((31, 433 + row * 41), line, font=ocr_b(26), fill="#101010")
    return page
