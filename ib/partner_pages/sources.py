"""Where a partner's visitors and clients come from: by the partner's own sub-id, by country, by the tags of a link, or day by day.

Tags of clients are those of their first enquiry with the link's code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Left, Lower
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ib.choices import AttributionMethod
from ib.links import OTHER_SOURCES, UTM_LONGEST
from ib.models import Attribution, Partner
from ib.partner_pages.date_ranges import DateRange
from ib.partner_pages.figures import ACTIVE_DAYS
from ib.tracking.source_days import clicks_by
from leads.models import Lead

ROWS_MAX: Final = 100
TAGS: Final[Mapping[str, Promise]] = {
    "source": _("UTM source"),
    "medium": _("UTM medium"),
    "campaign": _("UTM campaign"),
}
KINDS: Final[Mapping[str, Promise]] = {"sub": _("Sub-id"), "country": _("Country"), "day": _("Day"), **TAGS}
# What a row is about, of a client who came; of clicks it is the key of `clicks_by`, or the day.
_KEYS: Final = {
    "sub": "a.sub_id",
    "country": "c.country",
    "day": "(a.starts_at AT TIME ZONE 'UTC')::date::text",
    **{kind: f"left(coalesce(t.utm->>'utm_{kind}', ''), {UTM_LONGEST})" for kind in TAGS},
}
_ORDER: Final = {kind: "1 DESC" if kind == "day" else "2 DESC, 3 DESC, 1" for kind in KINDS}
# The enquiry that a client's referral began with.
_TOUCH: Final = """
  LEFT JOIN LATERAL (SELECT e.utm FROM leads_lead e JOIN ib_referrallink l ON l.id = a.link_id
    WHERE e.client_id = a.client_id AND lower(e.referral_code) = l.code ORDER BY e.captured_at, e.id LIMIT 1) t ON true"""
_SOURCES: Final = """
WITH clicked AS (
  SELECT {click} AS key, sum(clicks) AS clicks FROM ({clicks}) n (day, key, clicks) GROUP BY 1 HAVING sum(clicks) > 0
), came AS (
  SELECT {client} AS key, count(*) AS registered,
    count(*) FILTER (WHERE c.kyc_level >= 1) AS verified,
    count(*) FILTER (WHERE c.first_deposit_at IS NOT NULL) AS funded,
    count(*) FILTER (WHERE c.first_deposit_at IS NOT NULL AND c.last_trade_at >= %(active)s) AS active
  FROM ib_attribution a JOIN clients_client c ON c.id = a.client_id{touch}
  WHERE a.partner_id = %(partner)s AND a.ends_at IS NULL AND a.method = %(method)s
    AND a.starts_at >= %(since)s AND a.starts_at < %(until)s AND (%(link)s = 0 OR a.link_id = %(link)s)
  GROUP BY 1
), rows AS (
  SELECT key, coalesce(clicks, 0) AS clicks, coalesce(registered, 0) AS registered, coalesce(verified, 0) AS verified,
    coalesce(funded, 0) AS funded, coalesce(active, 0) AS active
  FROM clicked FULL JOIN came USING (key)
)
SELECT *, sum(clicks) OVER (), sum(registered) OVER (), sum(verified) OVER (), sum(funded) OVER (), sum(active) OVER (),
  count(*) OVER () FROM rows ORDER BY {order} LIMIT %(most)s
"""


@dataclass(frozen=True)
class Source:
    """One row: how many clicked, registered, and how far these have come today."""

    key: str
    clicks: int
    registered: int
    verified: int
    funded: int
    active: int

    @property
    def is_rest(self) -> bool:
        """Say whether these are the sources of a link beyond those with a row of their own on a day."""
        return self.key == OTHER_SOURCES


@dataclass(frozen=True)
class Sources:
    """The rows that are shown, the sum of all there are, and how many there are."""

    rows: list[Source]
    total: Source
    count: int


def sources(partner: Partner, span: DateRange, kind: str, *, link_id: int = 0) -> Sources:
    """Split a range's clicks and clients by `kind` (of KINDS), most clicks or newest day first, ROWS_MAX rows. One statement.

    link_id: of one link only; 0 for all of the partner's.
    """
    values: dict[str, Any] = {
        "partner": partner.pk,
        "link": link_id,
        "first": span.first,
        "last": span.last,
        "since": span.starts_at,
        "until": span.ends_at,
        "active": timezone.now() - dt.timedelta(days=ACTIVE_DAYS),
        "method": AttributionMethod.LINK,
        "most": ROWS_MAX,
    }
    with connection.cursor() as cursor:
        touch = _TOUCH if kind in TAGS else ""
        click, clicks = ("n.day::text", clicks_by("link")) if kind == "day" else ("n.key", clicks_by(kind))
        parts = {"click": click, "clicks": clicks, "client": _KEYS[kind], "order": _ORDER[kind], "touch": touch}
        cursor.execute(_SOURCES.format(**parts), values)
        found = cursor.fetchall()
    sums = [int(number) for number in found[0][6:]] if found else [0] * 6
    return Sources([Source(row[0], *map(int, row[1:6])) for row in found], Source("", *sums[:5]), sums[5])


def with_tag(referrals: QuerySet[Attribution], kind: str, value: str) -> QuerySet[Attribution]:
    """Filter the referrals whose first enquiry bears a tag (`kind` of TAGS): those that `sources` counts in its row."""
    enquiries = (
        Lead.objects.alias(code=Lower("referral_code"))
        .filter(client_id=OuterRef("client_id"), code=OuterRef("link__code"))
        .order_by("captured_at", "id")
    )
    tag = enquiries.annotate(tag=Left(KeyTextTransform(f"utm_{kind}", "utm"), UTM_LONGEST)).values("tag")[:1]
    return referrals.alias(**{f"tag_{kind}": Subquery(tag)}).filter(**{f"tag_{kind}": value})
