"""The demo's banners with views and clicks, and what the first partner offers to sub-partners."""

from __future__ import annotations

import datetime as dt
import struct
import zlib
from decimal import Decimal
from random import Random
from typing import Final

from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand
from ib.materials.banners import Picture, add_banner
from ib.models import MaterialDay, Partner, PartnerPlan
from ib.sub_partners.offers import create_offer

# Width, height, language and what is read out.
BANNERS: Final = (
    (300, 250, "", "Trade with tight spreads. CFDs are complex instruments and come with a high risk of losing money."),
    (728, 90, "de", "Handeln mit engen Spreads. CFDs sind komplexe Instrumente mit hohem Verlustrisiko."),
)
DARK, LIGHT, UP, DOWN = b"\x10\x2a\x43", b"\x18\x3b\x5c", b"\x3e\xbd\x93", b"\xe1\x2d\x39"
OFFERS: Final = (("Coaches", Decimal(80)), ("Starter", Decimal(60)))
DAYS: Final = 30


def load(demo: Demo, brand: Brand, partners: list[Partner]) -> None:
    """Offer two banners, count a month of them on the first partner's link, and offer the partner's plan in two steps."""
    first, draw = partners[0], Random(f"banners {brand.code}")
    link = first.referral_links.order_by("pk").first()
    assert link is not None
    days: list[MaterialDay] = []
    for width, height, language, alt in BANNERS:
        banner = add_banner(
            brand_id=brand.pk,
            name=f"Spreads {width} × {height}",
            alt=alt,
            language=language,
            picture=Picture(_drawn(width, height, draw), "image/png", width, height),
            actor=demo.by_role[Role.IB_MANAGER][0],
        )
        for back in range(DAYS):
            views = draw.randint(40, 220)
            day = demo.now.date() - dt.timedelta(days=back)
            days.append(
                MaterialDay(material=banner, link=link, day=day, views=views, clicks=views // draw.randint(25, 90))
            )
    MaterialDay.objects.bulk_create(days)
    plan_id = PartnerPlan.usual.filter(partner=first, ends_at__isnull=True).values_list("plan_id", flat=True).get()
    for name, percent in OFFERS:
        create_offer(partner_id=first.pk, name=name, plan_id=plan_id, percent=percent, actor=first.user)


def _drawn(width: int, height: int, draw: Random) -> bytes:
    """Draw rising candles as a PNG, without a library."""
    rows = [bytearray((LIGHT if y % 25 == 0 else DARK) * width) for y in range(height)]
    count = max(8, width // 22)
    for number in range(count):
        middle = height * (0.85 - 0.65 * number / count) + draw.uniform(-0.06, 0.06) * height
        half, left = height * draw.uniform(0.04, 0.1), 6 + number * (width - 12) // count
        colour = UP if draw.random() < 0.7 else DOWN
        for y in range(max(0, int(middle - half)), min(height, int(middle + half))):
            rows[y][3 * left : 3 * (left + 9)] = colour * 9
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(raw, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
