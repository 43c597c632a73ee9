"""A partner's statement of one settlement: what was earned by day, symbol group and source, and what was credited.

As a report for the PDF, and trade by trade for a spreadsheet; the same of what isn't settled yet, provisionally. Clients have
the names that the partner reads everywhere, by today's agreements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clients.models import Client
from crm.i18n import formats
from crm.models import Brand
from crm.money.amounts import Money
from crm.rendering.report import Cell, Column, Look, Named, Report, Row, Section
from ib.choices import AccrualState, Component, PayoutTo, Reason
from ib.models import Accrual, Partner, Payout, Settlement
from ib.partner_pages.client_names import masked_name
from ib.settlements.lines import last_settlement, lines_of, lines_waiting
from trading.choices import SymbolGroup

SOURCES_MAX: Final = 500
TRADES_MAX: Final = 100_000
PAYOUTS_MAX: Final = 200
# One reading of the lines. A trade that several components pay counts once, a CPA is beside it; clients of sub-partners are
# summed up by who referred them.
BY_SOURCE = """
WITH trade AS MATERIALIZED (
  SELECT l.level, l.client_id, l.introducer_id,
    CASE WHEN l.component IN ('sale', 'sale_share') THEN 'sale' WHEN l.deal_id < 0 THEN 'month' ELSE l.symbol_group END
      AS symbol_group, (l.closed_at AT TIME ZONE 'UTC')::date AS day,
    max(l.lots) AS lots, sum(l.amount) AS amount,
    bool_or(l.state = 'accrued' AND l.kind = 'original' AND l.component <> 'cpa' AND l.deal_id > 0) AS is_paid,
    bool_and(l.state = 'excluded' AND l.deal_id > 0) AS is_unpaid
  FROM ({lines}) l GROUP BY l.deal_id, 1, 2, 3, 4, 5
)
(SELECT 'group', symbol_group, 0, NULL::date, count(*) FILTER (WHERE is_paid), 0,
   coalesce(sum(lots) FILTER (WHERE is_paid), 0), sum(amount)
 FROM trade GROUP BY 2 ORDER BY 8 DESC, 2)
UNION ALL
(SELECT CASE WHEN level = 1 THEN 'client' ELSE 'partner' END, '',
   CASE WHEN level = 1 THEN client_id ELSE introducer_id END, NULL, count(*) FILTER (WHERE is_paid), 0,
   coalesce(sum(lots) FILTER (WHERE is_paid), 0), sum(amount)
 FROM trade GROUP BY 1, 3 HAVING sum(amount) <> 0 ORDER BY 8 DESC, 3 LIMIT %s)
UNION ALL
(SELECT 'day', '', 0, day, count(*) FILTER (WHERE is_paid), count(*) FILTER (WHERE is_unpaid),
   coalesce(sum(lots) FILTER (WHERE is_paid), 0), sum(amount)
 FROM trade GROUP BY 4 ORDER BY 4)
"""


@dataclass(frozen=True)
class Statement:
    """What a statement is about: a settlement, or everything of a partner in their currency that isn't settled yet."""

    partner: Partner
    settlement: Settlement | None = None

    @property
    def currency(self) -> str:
        return self.settlement.currency if self.settlement else self.partner.currency

    @property
    def name(self) -> str:
        return self.settlement.name if self.settlement else "open"

    def lines(self) -> QuerySet[Accrual]:
        return lines_of(self.settlement) if self.settlement else lines_waiting(self.partner, self.currency)

    def payouts(self) -> QuerySet[Payout]:
        """Find what was paid out since the settlement before."""
        made = Payout.objects.filter(partner=self.partner)
        if self.settlement is None:
            last = last_settlement(self.partner, self.currency)
            return made.filter(paid_at__gte=last.settled_at) if last else made
        made = made.filter(paid_at__lt=self.settlement.settled_at)
        previous = self.settlement.previous
        return made.filter(paid_at__gte=previous.settled_at) if previous else made


def statement_of(statement: Statement) -> Report:
    """Gather a statement in the active language. Eight statements at most."""
    partner = statement.partner
    sums = _sums(statement)
    title = _("Provisional commission statement")
    if statement.settlement is not None:
        title = _("Commission statement %(period)s") % {"period": statement.name}
    return Report(
        key=f"commission-statement:{partner.code}:{statement.settlement.pk if statement.settlement else 'open'}",
        title=title,
        subtitle=f"{partner.name} · {partner.code}",
        look=look_of(partner.brand),
        made_at=timezone.now(),
        facts=_facts(statement, sums),
        sections=[
            Section(_("By symbol group"), columns=_columns(_("Symbol group")), rows=sums.groups, empty=_("No trades")),
            Section(
                _("By client and sub-partner"),
                text=_("Clients of your sub-partners are summed up by the partner who referred them."),
                columns=_columns(_("Source")),
                rows=sums.sources,
                empty=_("No trades"),
            ),
            _by_day(sums, statement.currency),
            _payouts(statement),
        ],
    )


@dataclass(frozen=True)
class Sums:
    groups: list[Row]
    sources: list[Row]
    days: list[Any]

    @property
    def amount(self) -> Decimal:
        return sum((row[4].amount for row in self.days), Decimal(0))


def look_of(brand: Brand) -> Look:
    """Return how a brand's reports look."""
    return Look(brand.name, brand.legal_name, brand.licence_number, brand.colour, brand.accent_colour)


def _columns(first: str) -> list[Column]:
    return [
        Column(first, weight=2),
        Column(_("Paid trades"), end=True),
        Column(_("Lots"), end=True),
        Column(pgettext("partner", "Commission"), end=True),
    ]


def _facts(statement: Statement, sums: Sums) -> list[tuple[str, Cell]]:
    partner, settled, currency = statement.partner, statement.settlement, statement.currency
    facts: list[tuple[str, Cell]] = [(_("Partner"), f"{partner.name} ({partner.code})")]
    if settled is None:
        return [
            *facts,
            (_("State"), _("Provisional: not settled yet")),
            (_("Earned so far"), Money(sums.amount, currency)),
        ]
    facts += [
        (_("Settlement cycle"), str(settled.get_cycle_display())),
        (_("Trades closed before"), formats.moment(settled.to_at)),
        (_("Settled"), formats.moment(settled.settled_at)),
        (_("State"), str(settled.get_state_display())),
        (_("Earned"), Money(settled.accrued, currency)),
        (_("Carried forward from the last settlement"), Money(settled.carried_in, currency)),
        (_("Carried forward to the next settlement"), Money(settled.carried_out, currency)),
    ]
    if settled.written_off:
        facts.append((_("Negative balance written off"), Money(settled.written_off, currency)))
    return [*facts, (_("Credited"), Money(settled.amount, currency))]


def _sums(statement: Statement) -> Sums:
    """Sum the lines up by symbol group, by own client or sub-partner, and by day."""
    lines, parameters = statement.lines().order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(BY_SOURCE.replace("{lines}", lines), [*parameters, SOURCES_MAX])
        found = cursor.fetchall()
    clients = Client.objects.in_bulk([key for kind, _group, key, *_rest in found if kind == "client"])
    partners = Partner.objects.in_bulk([key for kind, _group, key, *_rest in found if kind == "partner"])
    sums = Sums([], [], [])
    for kind, group, key, day, trades, unpaid, lots, amount in found:
        money = Money(amount, statement.currency)
        if kind == "day":
            sums.days.append((day, trades, unpaid, lots, money))
        elif kind == "group":
            names = {"": _("Not mapped"), "month": _("Shares of net revenue"), "sale": _("Challenges sold")}
            name = names.get(group) or str(SymbolGroup(group).label)
            sums.groups.append([Named(group, name), trades, lots, money])
        elif kind == "client":
            sums.sources.append(
                [Named(f"client:{key}", masked_name(clients[key], statement.partner)), trades, lots, money]
            )
        else:
            name = _("Clients of %(partner)s") % {"partner": partners[key]}
            sums.sources.append([Named(f"partner:{key}", name), trades, lots, money])
    return sums


def _by_day(sums: Sums, currency: str) -> Section:
    total: Row = (
        _("Total"),
        sum(row[1] for row in sums.days),
        sum(row[2] for row in sums.days),
        sum((row[3] for row in sums.days), Decimal(0)),
        Money(sums.amount, currency),
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
        rows=sums.days,
        total=total if sums.days else None,
        empty=_("No trades"),
    )


def _payouts(statement: Statement) -> Section:
    rows: list[Row] = [
        [
            payout.paid_at,
            str(PayoutTo(payout.destination.partition(":")[0]).label),
            payout.reference,
            Money(payout.amount, payout.currency),
        ]
        for payout in statement.payouts().order_by("-pk")[:PAYOUTS_MAX]
    ]
    columns = [Column(_("Date")), Column(_("Paid to")), Column(_("Reference")), Column(_("Amount"), end=True)]
    return Section(_("Payouts since the last settlement"), columns=columns, rows=rows, empty=_("No payouts"))


def trade_lines(statement: Statement) -> Iterator[list[Any]]:
    """List the lines with headings, oldest first: the newest 100,000 at most."""
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
    newest = statement.lines().order_by("-id").values("pk")[:TRADES_MAX]
    for row in (
        Accrual.objects.filter(pk__in=newest).select_related("client", "introducer").order_by("id").iterator(2_000)
    ):
        whose = (
            masked_name(row.client, statement.partner)
            if row.level == 1
            else _("Client of %(partner)s") % {"partner": row.introducer}
        )
        yield [
            row.closed_at,
            row.place if row.is_monthly or row.is_sale else row.ticket,
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
