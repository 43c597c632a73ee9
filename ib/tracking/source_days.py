"""Clicks by partner and day, kept per kind of source each night, so that pages never add up millions of counts.

The counts (`ReferralDay`) hold each combination of link, sub-id, country and tags; a page asks for one of them at a time. Days that
are over don't change any more, so what is read is exact: kept sums up to the partner's newest kept day, the counts from then on.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from crm.models import Brand
from ib.models import ReferralDay, SourceDay

# The nightly pass adds so many days up again, for a click that was committed after midnight.
AGAIN_DAYS: Final = 3
PIECE_DAYS: Final = 31
KEPT: Final = ("link", "sub", "country", "source", "medium", "campaign")
SUMMED: Final = """
SELECT l.partner_id, d.day, v.kind, v.key, sum(d.clicks) AS clicks
FROM ib_referralday d JOIN ib_referrallink l ON l.id = d.link_id JOIN ib_partner p ON p.id = l.partner_id
CROSS JOIN LATERAL (VALUES ('link', d.link_id::text), ('sub', d.sub_id), ('country', d.country),
  ('source', d.utm_source), ('medium', d.utm_medium), ('campaign', d.utm_campaign)) v (kind, key)
WHERE p.brand_id = %(brand)s AND d.day >= %(first)s AND d.day < %(end)s AND d.clicks > 0
GROUP BY 1, 2, 3, 4
"""
KEEP: Final = f"""
WITH summed AS MATERIALIZED ({SUMMED}), gone AS (
  DELETE FROM ib_sourceday k USING ib_partner p
  WHERE p.id = k.partner_id AND p.brand_id = %(brand)s AND k.day >= %(first)s AND k.day < %(end)s
    AND NOT EXISTS (SELECT FROM summed s WHERE (s.partner_id, s.kind, s.day, s.key) = (k.partner_id, k.kind, k.day, k.key))
)
INSERT INTO ib_sourceday AS k (partner_id, day, kind, key, clicks) SELECT * FROM summed ORDER BY 1, 3, 2, 4
ON CONFLICT ON CONSTRAINT one_source_day_per_partner_and_key DO UPDATE SET clicks = EXCLUDED.clicks
WHERE k.clicks <> EXCLUDED.clicks
"""  # noqa: S608
DIFFERENCES: Final = f"""
SELECT partner_id, day, kind, key, coalesce(k.clicks, 0), coalesce(s.clicks, 0)
FROM ({SUMMED}) s FULL JOIN (SELECT k.* FROM ib_sourceday k JOIN ib_partner p ON p.id = k.partner_id
  WHERE p.brand_id = %(brand)s AND k.day >= %(first)s AND k.day < %(end)s) k USING (partner_id, day, kind, key)
WHERE k.clicks IS DISTINCT FROM s.clicks ORDER BY 1, 2, 3, 4 LIMIT 20
"""  # noqa: S608
# A partner's clicks by link, sub-id, country or tag: {kept} is the kind, {column} of the counts is the same. Of one link, if given:
# from the counts alone. Parameters: partner, first, last, link (0: all).
CLICKS: Final = """
SELECT k.day, k.key, k.clicks FROM ib_sourceday k
WHERE k.partner_id = %(partner)s AND k.kind = '{kept}' AND k.day BETWEEN %(first)s AND %(last)s AND %(link)s = 0
UNION ALL
SELECT d.day, {column}, d.clicks FROM ib_referralday d JOIN ib_referrallink l ON l.id = d.link_id
WHERE l.partner_id = %(partner)s AND (%(link)s = 0 OR l.id = %(link)s) AND d.day <= %(last)s
  AND d.day >= CASE WHEN %(link)s = 0 THEN greatest(%(first)s, (SELECT max(n.day) + 1 FROM ib_sourceday n
    WHERE n.partner_id = %(partner)s AND n.kind = '{kept}')) ELSE %(first)s END
"""
COLUMNS: Final = {
    "link": "d.link_id::text",
    "sub": "d.sub_id",
    "country": "d.country",
    **{tag: f"d.utm_{tag}" for tag in ("source", "medium", "campaign")},
}


def clicks_by(kind: str) -> str:
    """Write the statement of a partner's clicks (day, key, clicks) by a kind of KEPT."""
    return CLICKS.format(kept=kind, column=COLUMNS[kind])


def keep_days(brand: Brand, *, today: dt.date | None = None) -> int:
    """Keep a brand's days that are over, from some before the newest known on; return how many sums were written. In pieces."""
    end = today or timezone.now().date()
    newest = SourceDay.objects.filter(partner__brand=brand).aggregate(day=Max("day"))["day"]
    oldest = ReferralDay.objects.filter(link__partner__brand=brand).aggregate(day=Min("day"))["day"]
    first = newest - dt.timedelta(days=AGAIN_DAYS) if newest else oldest or end
    written = 0
    while first < end:
        until = min(first + dt.timedelta(days=PIECE_DAYS), end)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(KEEP, {"brand": brand.pk, "first": first, "end": until})
            written += cursor.rowcount
        first = until
    return written


def differences(brand: Brand, *, today: dt.date | None = None) -> list[tuple[int, dt.date, str, str, int, int]]:
    """List (partner, day, kind, key, kept, counted) where a kept sum of a day that is over isn't what the counts add up to."""
    with connection.cursor() as cursor:
        days = {"first": dt.date.min, "end": today or timezone.now().date()}
        cursor.execute(DIFFERENCES, {"brand": brand.pk, **days})
        rows: list[tuple[int, dt.date, str, str, int, int]] = cursor.fetchall()
        return rows
