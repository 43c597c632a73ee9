"""A partner's statement of one settlement period: what was earned by day, symbol group and source, and what was credited.

As a report for the PDF, and trade by trade for a spreadsheet. Clients keep the short names that partners see everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clients.models import Client
from crm.i18n import formats
from crm.models import Brand
from crm.money.amounts import Money
from crm.rendering.report import Cell, Column, Look, Named, Report, Row, Section
from ib.choices import AccrualState, Component, PayoutTo, Reason
from ib.models import Accrual, Partner, PartnerDay, Payout, Settlement, SettlementPeriod
from ib.tables import masked_name
from trading.choices import SymbolGroup

SOURCES_MAX: Final = 500
TRADES_MAX: Final = 100_000
PAYOUTS_MAX: Final = 200
# One reading of the period's trades; clients of sub-partners are summed up by who referred them.
BY_SOURCE = """
WITH rows AS MATERIALIZED (
  SELECT level, client_id, introducer_id, symbol_group, lots, amount, state, kind FROM ib_accrual
  WHERE partner_id = %(partner)s AND period_id = %(period)s AND currency = %(currency)s
)
(SELECT 'group', symbol_group, 0, count(*) FILTER (WHERE state = 'accrued' AND kind = 'original'),
   coalesce(sum(lots) FILTER (WHERE state = 'accrued' AND kind = 'original'), 0), sum(amount)
 FROM rows GROUP BY 2 ORDER BY 6 DESC, 2)
UNION ALL
(SELECT CASE WHEN level = 1 THEN 'client' ELSE 'partner' END, '',
   CASE WHEN level = 1 THEN client_id ELSE introducer_id END, count(*) FILTER (WHERE state = 'accrued' AND kind = 'original'),
   coalesce(sum(lots) FILTER (WHERE state = 'accrued' AND kind = 'original'), 0), sum(amount)
 FROM rows GROUP BY 1, 3 HAVING sum(amount) <> 0 ORDER BY 6 DESC, 3 LIMIT %(most)s)
"""


def statement_of(partner: Partner, period: SettlementPeriod) -> Report:
    """Gather a partner's statement of a period in their currency, in the active language. Eight statements at most."""
    currency = partner.currency
    groups, sources = _sums(partner, period)
    settled = Settlement.objects.filter(partner=partner, period=period, currency=currency).first()
    return Report(
        key=f"commission-statement:{partner.code}:{period.pk}",
        title=_("Commission statement %(period)s") % {"period": period},
        subtitle=f"{partner.name} · {partner.code}",
        look=_look(partner.brand),
        made_at=timezone.now(),
        facts=_facts(partner, period, settled),
        sections=[
            Section(_("By symbol group"), columns=_columns(_("Symbol group")), rows=groups, empty=_("No trades")),
            Section(
                _("By client and sub-partner"),
                text=_("Clients of your sub-partners are summed up by the partner who referred them."),
                columns=_columns(_("Source")),
                rows=sources,
                empty=_("No trades"),
            ),
            _by_day(partner, period),
            _payouts(partner, period),
        ],
    )


def _look(brand: Brand) -> Look:
    return Look(brand.name, brand.legal_name, brand.licence_number, brand.colour, brand.accent_colour)


def _columns(first: str) -> list[Column]:
    return [
        Column(first, weight=2),
        Column(_("Paid trades"), end=True),
        Column(_("Lots"), end=True),
        Column(pgettext("partner", "Commission"), end=True),
    ]


def _facts(partner: Partner, period: SettlementPeriod, settled: Settlement | None) -> list[tuple[str, Cell]]:
    currency = partner.currency
    facts: list[tuple[str, Cell]] = [
        (_("Partner"), f"{partner.name} ({partner.code})"),
        (_("Period"), f"{formats.moment(period.starts_at)} – {formats.moment(period.ends_at)}"),
    ]
    if settled is None:
        earned = PartnerDay.objects.filter(partner=partner, period=period, currency=currency).aggregate(n=Sum("amount"))
        return [
            *facts,
            (_("State"), _("Provisional: the period isn't settled yet")),
            (_("Earned so far"), Money(earned["n"] or Decimal(0), currency)),
        ]
    return [
        *facts,
        (_("State"), str(settled.get_state_display())),
        (_("Earned"), Money(settled.accrued, currency)),
        (_("Carried forward from the last settlement"), Money(settled.carried_in, currency)),
        (_("Carried forward to the next settlement"), Money(settled.carried_out, currency)),
        (_("Credited"), Money(settled.amount, currency)),
    ]


def _sums(partner: Partner, period: SettlementPeriod) -> tuple[list[Row], list[Row]]:
    """List the rows by symbol group, and by own client or sub-partner."""
    with connection.cursor() as cursor:
        cursor.execute(
            BY_SOURCE, {"partner": partner.pk, "period": period.pk, "currency": partner.currency, "most": SOURCES_MAX}
        )
        found = cursor.fetchall()
    clients = Client.objects.in_bulk([key for kind, _group, key, *_rest in found if kind == "client"])
    partners = Partner.objects.in_bulk([key for kind, _group, key, *_rest in found if kind == "partner"])
    groups: list[Row] = []
    sources: list[Row] = []
    for kind, group, key, trades, lots, amount in found:
        figures = (trades, lots, Money(amount, partner.currency))
        if kind == "group":
            groups.append([Named(group, str(SymbolGroup(group).label) if group else _("Not mapped")), *figures])
        elif kind == "client":
            sources.append([Named(f"client:{key}", masked_name(clients[key])), *figures])
        else:
            name = _("Clients of %(partner)s") % {"partner": partners[key]}
            sources.append([Named(f"partner:{key}", name), *figures])
    return groups, sources


def _by_day(partner: Partner, period: SettlementPeriod) -> Section:
    rows = (
        PartnerDay.objects.filter(partner=partner, period=period, currency=partner.currency)
        .order_by("day")
        .values_list("day", "trades", "unpaid", "lots", "amount")
    )
    figures = [
        (day, trades, unpaid, lots, Money(amount, partner.currency)) for day, trades, unpaid, lots, amount in rows
    ]
    total: Row = (
        _("Total"),
        sum(row[1] for row in figures),
        sum(row[2] for row in figures),
        sum((row[3] for row in figures), Decimal(0)),
        Money(sum((row[4].amount for row in figures), Decimal(0)), partner.currency),
    )
    return Section(
        _("By day"),
        columns=[
            Column(_("Day (UTC)"), weight=2),
            Column(_("Paid trades"), end=True),
            Column(_("Not paid"), end=True),
            Column(_("Lots"), end=True),
            Column(pgettext("partner", "Commission"), end=True),
        ],
        rows=figures,
        total=total if figures else None,
        empty=_("No trades"),
    )


def _payouts(partner: Partner, period: SettlementPeriod) -> Section:
    made = Payout.objects.filter(partner=partner, paid_at__gte=period.starts_at, paid_at__lt=period.ends_at)
    rows: list[Row] = [
        [
            payout.paid_at,
            str(PayoutTo(payout.destination.partition(":")[0]).label),
            payout.reference,
            Money(payout.amount, payout.currency),
        ]
        for payout in made.order_by("pk")[:PAYOUTS_MAX]
    ]
    columns = [Column(_("Date")), Column(_("Paid to")), Column(_("Reference")), Column(_("Amount"), end=True)]
    return Section(_("Payouts in this period"), columns=columns, rows=rows, empty=_("No payouts"))


def trade_lines(partner: Partner, period: SettlementPeriod) -> Iterator[list[Any]]:
    """List a period trade by trade with headings, oldest first: the newest 100,000 rows at most."""
    yield [
        _("Closed"),
        _("Deal"),
        _("Symbol"),
        _("Lots"),
        _("Client"),
        _("Level"),
        _("Component"),
        _("State"),
        _("Reason"),
        pgettext("partner", "Commission"),
        _("Currency"),
    ]
    rows = Accrual.objects.filter(partner=partner, period=period, currency=partner.currency)
    newest = rows.order_by("-id").values("pk")[:TRADES_MAX]
    for row in (
        Accrual.objects.filter(pk__in=newest).select_related("client", "introducer").order_by("id").iterator(2_000)
    ):
        whose = masked_name(row.client) if row.level == 1 else _("Client of %(partner)s") % {"partner": row.introducer}
        yield [
            row.closed_at,
            row.ticket,
            row.symbol,
            row.lots,
            whose,
            row.level,
            str(Component(row.component).label),
            str(AccrualState(row.state).label),
            str(Reason(row.reason).label) if row.reason else "",
            row.amount,
            row.currency,
        ]
