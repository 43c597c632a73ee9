"""The commissions of a deal, a client's month or a sold challenge as data: who was paid, by which formula, who was not and why."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ib.agreements.scopes import Trade, account_at, taking, which_and_why
from ib.choices import BESIDE_TRADES, OF_SALES, SALES_FROM, AccrualState
from ib.explain import explain, plain
from ib.models import Accrual, Attribution, ChallengeSale, PlanComponent, PlanVersion, RevenueMonth
from ib.queries import of_deals
from trading.choices import DealEntry
from trading.models import Deal

DEALS_MAX: Final = 20
ROWS_MAX: Final = 500


def deals_with_number(number: int, *, server: str = "") -> list[Deal]:
    """Find the deals of a number, deleted ones too: each server counts its own, so there may be several."""
    deals = Deal.every.filter(ticket=number).select_related("server", "account__client")
    if server:
        deals = deals.filter(server__name=server)
    return list(deals.order_by("server_id")[:DEALS_MAX])


def explain_deal(deal: Deal) -> dict[str, Any]:
    """List every line of a deal with its steps, the totals per partner, and where there is no line the reason. Money as text."""
    rows = Accrual.objects.filter(of_deals([deal.pk])).select_related("partner", "version__plan", "period")
    lines, totals = [], defaultdict[tuple[str, str], Decimal](Decimal)
    for row in rows.order_by("level", "component", "pk")[:ROWS_MAX]:
        lines.append(_line(row))
        totals[row.partner.code, row.currency] += row.amount
    return {
        "deal": deal.ticket,
        "server": deal.server.name,
        "login": deal.login,
        "client": deal.account.client_id if deal.account else None,
        "symbol": deal.symbol,
        "closed_lots": plain(deal.closed_lots),
        "executed_at": deal.executed_at.isoformat(),
        "lines": lines,
        "totals": [
            {"partner": partner, "amount": str(amount), "currency": currency}
            for (partner, currency), amount in totals.items()
        ],
        "why_none": "" if lines else why_none(deal),
    }


def explain_month(month: RevenueMonth) -> dict[str, Any]:
    """List every line of a client's month with its steps, what the broker earned in it, and the totals. Money as text."""
    rows = Accrual.objects.filter(of_deals([-month.pk])).select_related("partner", "version__plan", "period")
    lines, totals = [], defaultdict[tuple[str, str], Decimal](Decimal)
    for row in rows.order_by("level", "component", "pk")[:ROWS_MAX]:
        lines.append(_line(row))
        totals[row.partner.code, row.currency] += row.amount
    parts = ("pip_worth", "charged", "swaps", "lost", "booked", "lots")
    return {
        "client": month.client_id,
        "month": f"{month.month:%Y-%m}",
        "referred_by": month.partner.code,
        "currency": month.currency,
        **{name: _text(getattr(month, name)) for name in parts},
        "lines": lines,
        "totals": [
            {"partner": partner, "amount": str(amount), "currency": currency}
            for (partner, currency), amount in totals.items()
        ],
        "why_none": "" if lines else _("No plan paid a share of this month's net revenue."),
    }


def explain_sale(sale: ChallengeSale) -> dict[str, Any]:
    """List every line of a sold challenge with its steps, the totals, and where there is no line the reason. Money as text."""
    rows = Accrual.objects.filter(of_deals([-(SALES_FROM + sale.pk)]))
    lines, totals = [], defaultdict[tuple[str, str], Decimal](Decimal)
    for row in rows.select_related("partner", "version__plan", "period").order_by("level", "component", "pk")[
        :ROWS_MAX
    ]:
        lines.append(_line(row))
        totals[row.partner.code, row.currency] += row.amount
    return {
        "challenge": sale.challenge_number,
        "client": sale.client_id,
        "price": plain(sale.price),
        "currency": sale.currency,
        "sold_at": sale.sold_at.isoformat(),
        "returned_at": sale.returned_at.isoformat() if sale.returned_at else None,
        "returned_because": sale.returned_because,
        "lines": lines,
        "totals": [
            {"partner": partner, "amount": str(amount), "currency": currency}
            for (partner, currency), amount in totals.items()
        ],
        "why_none": "" if lines else _why_no_sale(sale),
    }


def _why_no_sale(sale: ChallengeSale) -> str:
    """Say why a sold challenge has no line at all."""
    referred = Attribution.objects.filter(client_id=sale.client_id, starts_at__lte=sale.sold_at)
    if not referred.exclude(ends_at__lte=sale.sold_at).exists():
        return _("No partner referred the client when the challenge was sold.")
    held = Q(version__starts_at__lte=sale.sold_at) & (
        Q(version__ends_at__isnull=True) | Q(version__ends_at__gt=sale.sold_at)
    )
    paying = PlanComponent.objects.filter(
        held, component__in=OF_SALES, version__state="active", version__plan__brand_id=sale.client.brand_id
    )
    if not paying.exists():
        return _("No plan paid for sold challenges then.")
    return _(
        "The agreements of the client's partner pay nothing for sold challenges, or it hasn't been calculated yet."
    )


def _line(row: Accrual) -> dict[str, Any]:
    agreement = which_and_why(row)
    return {
        "partner": row.partner.code,
        "level": row.level,
        "component": row.component,
        "kind": row.kind,
        "state": row.state,
        "reason": row.reason,
        "version": str(row.version) if row.version_id else "",
        "agreement": agreement,
        "lots": str(row.lots),
        "basis": _text(row.basis),
        "basis_currency": row.basis_currency,
        "basis_fx": _text(row.basis_fx),
        "rate": _text(row.rate),
        "tier": row.tier,
        "ratio": _text(row.ratio),
        "passed_percent": _text(row.passed_percent),
        "passed_per_lot": _text(row.passed_per_lot),
        "share": _text(row.share),
        "cap": _text(row.cap),
        "below": _text(row.below),
        "rate_currency": row.rate_currency,
        "rate_amount": str(row.rate_amount),
        "fx_rate": _text(row.fx_rate),
        "fx_on": row.fx_on.isoformat() if row.fx_on else None,
        "amount": str(row.amount),
        "currency": row.currency,
        "period": row.period.name,
        "is_paid": row.state != AccrualState.EXCLUDED,
        "steps": [
            {"text": str(step.text), "figure": step.figure}
            for step in explain(row, for_staff=True, agreement=agreement)
        ],
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def why_none(deal: Deal) -> str:
    """Say why a deal has no line at all."""
    if not deal.is_trade:
        return _("It's a balance operation, not a trade.")
    if deal.entry == DealEntry.IN:
        return _("It opens a position. Commissions are paid when positions are closed.")
    if deal.deleted_at is not None:
        return _("The platform deleted it before anything was accrued.")
    if deal.account is None:
        return _("No client of ours has this login.")
    if deal.account.is_demo:
        return _("It's on a demo account.")
    referred = Attribution.objects.filter(client_id=deal.account.client_id, starts_at__lte=deal.executed_at)
    if not referred.exclude(ends_at__lte=deal.executed_at).exists():
        return _("No partner referred the client when the position was closed.")
    if _pays_nothing_per_trade(deal, referred):
        return _(
            "The agreement of the client's partner pays nothing per trade, but for clients' months or once per client."
        )
    return _("It hasn't been calculated yet. Deals are calculated after each sync, and again every night.")


def _pays_nothing_per_trade(deal: Deal, referred: QuerySet[Attribution]) -> bool:
    """Say whether the introducer's version at the close has neither rates nor components for a trade."""
    whose = referred.exclude(ends_at__lte=deal.executed_at).get()
    held = Q(starts_at__lte=deal.executed_at) & (Q(ends_at__isnull=True) | Q(ends_at__gt=deal.executed_at))
    assert deal.account_id is not None
    trade = Trade(
        whose.partner_id,
        whose.client_id,
        whose.link_id,
        deal.executed_at,
        *account_at(deal.account_id, deal.executed_at),
    )
    agreed = taking(trade).agreement
    version = PlanVersion.objects.filter(held, plan_id=agreed.plan_id, state="active").first() if agreed else None
    if version is None:
        return False
    per_trade = version.components.exclude(component__in=BESIDE_TRADES)
    return not (version.rates.exists() or version.overrides.exists() or per_trade.exists())
