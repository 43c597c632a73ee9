"""The figures of a month, e-mailed to partners once it is over: as a notice, which each login can switch off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from crm.i18n.localized_text import phrase, value_phrase
from crm.models import Brand
from crm.money import amounts
from crm.money.amounts import Money
from crm.notices.notify import notify
from ib.choices import IbNotice, PartnerRight, PartnerState
from ib.models import Attribution, Partner, PartnerDay
from ib.team.rights import team_with

# After the night of the month's last calculation; a month isn't sent any more once the next one is under way.
FIRST_DAY, LAST_DAY = 2, 10
BATCH: Final = 200
# Two processes at a time can't both take a month of a partner.
TAKE: Final = """
INSERT INTO ib_monthlyfigures (partner_id, month, sent_at) SELECT unnest(%s::bigint[]), %s, %s
ON CONFLICT ON CONSTRAINT a_month_is_sent_once_per_partner DO NOTHING RETURNING partner_id
"""


def send_due(brand: Brand, *, now: dt.datetime | None = None) -> int:
    """Send a brand's active partners the figures of last month, whoever had trades or new clients in it; return how many."""
    now = now or timezone.now()
    if not FIRST_DAY <= now.day <= LAST_DAY:
        return 0
    month = (now.date().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    days, came = _days(month), _came(month)
    active = Partner.objects.filter(brand=brand, state=PartnerState.ACTIVE).exclude(monthly_figures__month=month)
    traded = PartnerDay.objects.filter(days).values("partner_id")
    brought = Attribution.objects.filter(came, partner__brand=brand).values("partner_id")
    ids = list(active.filter(Q(pk__in=traded) | Q(pk__in=brought)).order_by("pk").values_list("pk", flat=True))
    return sum(_send(ids[start : start + BATCH], month, now) for start in range(0, len(ids), BATCH))


def _days(month: dt.date) -> Q:
    return Q(day__gte=month, day__lt=(month + dt.timedelta(days=31)).replace(day=1))


def _came(month: dt.date) -> Q:
    first = dt.datetime.combine(month, dt.time(), tzinfo=dt.UTC)
    return Q(starts_at__gte=first, starts_at__lt=(first + dt.timedelta(days=31)).replace(day=1))


@transaction.atomic
def _send(ids: Sequence[int], month: dt.date, now: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [list(ids), month, now])
        taken = [pk for (pk,) in cursor.fetchall()]
    partners = Partner.objects.in_bulk(taken)
    before = (month - dt.timedelta(days=1)).replace(day=1)
    sums, sums_before = _sums(partners, month), _sums(partners, before)
    clients = dict(
        Attribution.objects.filter(_came(month), partner_id__in=taken)
        .values_list("partner_id")
        .annotate(n=Count("client_id", distinct=True))
        .order_by()
    )
    for pk in sorted(taken):
        partner = partners[pk]
        row, earlier = sums.get(pk, _NOTHING), sums_before.get(pk, _NOTHING)
        notify(
            team_with(partner, PartnerRight.SEE_MONEY),
            kind=IbNotice.MONTHLY_FIGURES,
            title=phrase("Your figures of %(month)s") % {"month": value_phrase("month", month.isoformat())},
            body=phrase(
                "Commission: %(earned)s (the month before: %(before)s). New clients: %(clients)s. Lots traded: %(lots)s. "
                "Paid trades: %(trades)s. Not paid: %(unpaid)s."
            )
            % {
                "earned": _money(row["earned"], partner),
                "before": _money(earlier["earned"], partner),
                "clients": clients.get(pk, 0),
                "lots": int(row["lot_sum"]),
                "trades": row["paid"],
                "unpaid": row["missed"],
            },
            url="/partners/?period=last-month",
            dedupe_key=f"ib.monthly_figures:{pk}:{month:%Y-%m}",
        )
    return len(taken)


_NOTHING: Final[dict[str, Any]] = {"earned": Decimal(0), "lot_sum": Decimal(0), "paid": 0, "missed": 0}


def _sums(partners: dict[int, Partner], month: dt.date) -> dict[int, dict[str, Any]]:
    """Sum a month per partner, in the currency that each is paid in."""
    rows = PartnerDay.objects.filter(_days(month), partner_id__in=partners).values("partner_id", "currency")
    sums = rows.annotate(earned=Sum("amount"), lot_sum=Sum("lots"), paid=Sum("trades"), missed=Sum("unpaid"))
    return {
        row["partner_id"]: dict(row)
        for row in sums.order_by()
        if row["currency"] == partners[row["partner_id"]].currency
    }


def _money(exact: Decimal, partner: Partner) -> Money:
    return Money(amounts.quantize(exact, partner.currency, rounding=ROUND_FLOOR), partner.currency)
