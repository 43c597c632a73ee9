"""Trading on top of the client's page: equity and lifetime result with their curves, accounts, what to do next."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

from django.db import connection
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.choices import Stage
from clients.facts import fact_of
from clients.models import Client
from crm.i18n import formats
from crm.models import User
from crm.ui.kpis import once_per_page
from crm.ui.records import Creation, HeroFigure, NextStep
from crm.web.requests import UserRequest
from trading import queries
from trading.accounts.request_rules import what
from trading.choices import AccountState, Period, RequestState
from trading.models import AccountRequest, AccountResult, TradingAccount
from trading.risk.margin import NEAR_PERCENT

CURVE_DAYS: Final = 30
CURVE_ACCOUNTS: Final = 10
WEEKS_MAX: Final = 1040
SHOWN: Final = 5
CALL_PERCENT: Final = 100
# A first deposit this old and no trade since, or no trade for so long: worth a call, unless somebody called lately.
TRADE_EXPECTED: Final = dt.timedelta(days=3)
SILENT: Final = dt.timedelta(days=14)
CALLED_LATELY: Final = dt.timedelta(days=3)
MARGIN, REQUEST, NO_TRADE, FOR_OTHERS = 5, 25, 50, 85

# The last point of each day (UTC) of each account, at the account's present rate to the base currency: a probe of the index
# per account and day. An account without a point on a day keeps the one before.
EQUITY: Final = """
SELECT d, sum(p.equity * a.rate) FROM unnest(%(ids)s::bigint[], %(rates)s::numeric[]) AS a(id, rate),
  generate_series((now() AT TIME ZONE 'UTC')::date - %(days)s, (now() AT TIME ZONE 'UTC')::date, interval '1 day') d,
  LATERAL (SELECT e.equity FROM trading_equitypoint e
    WHERE e.account_id = a.id AND e.at < (d + interval '1 day') AT TIME ZONE 'UTC'
    ORDER BY e.at DESC LIMIT 1) p
GROUP BY d ORDER BY d
"""


def accounts_of(user: User, client: Client) -> list[TradingAccount]:
    """List the client's accounts, open ones first; read once for all parts of the page. A lead has none."""
    if client.stage == Stage.LEAD:
        return []
    key = f"trading.accounts:{client.pk}"
    accounts: list[TradingAccount] = once_per_page(user, key, lambda: queries.accounts_of(user, client.pk))
    return accounts


def equity_days(client: Client, accounts: list[TradingAccount]) -> list[Decimal]:
    """Return the client's equity at the end of each of the last thirty days, in the brand's base currency."""
    real = [account for account in accounts if not account.is_demo and account.login][:CURVE_ACCOUNTS]
    rates = [account.equity_base / account.equity if account.equity else Decimal(1) for account in real]
    if not real:
        return []
    with connection.cursor() as cursor:
        cursor.execute(EQUITY, {"ids": [account.pk for account in real], "rates": rates, "days": CURVE_DAYS})
        days = [amount for _day, amount in cursor.fetchall()]
    missing = CURVE_DAYS + 1 - len(days)  # before the first account
    return [*[Decimal(0)] * missing, *days, fact_of(client, "equity")] if days else []


def equity_figure(request: UserRequest, client: Client) -> HeroFigure | None:
    """Show the equity of all real accounts with its course over thirty days; a lead has none."""
    if client.stage == Stage.LEAD:
        return None
    accounts = accounts_of(request.user, client)
    count = sum(1 for account in accounts if not account.is_demo and account.state == AccountState.OPEN)
    hint = ngettext("%(count)s open account", "%(count)s open accounts", count) % {"count": count}
    return HeroFigure(
        _("Equity"),
        formats.money(fact_of(client, "equity"), client.brand.base_currency),
        equity_days(client, accounts),
        hint=hint,
        url=trading_tab_url(client),
    )


def result_figure(request: UserRequest, client: Client) -> HeroFigure | None:
    """Show what all closed trades brought, week by week; a lead has none."""
    if client.stage == Stage.LEAD:
        return None
    real = [account.pk for account in accounts_of(request.user, client) if not account.is_demo]
    weeks = AccountResult.objects.filter(account__in=real, period=Period.WEEK).values("start")
    nets = [row["net"] for row in weeks.annotate(net=Sum("net_base")).order_by("start")[:WEEKS_MAX]] if real else []
    result = sum(nets, Decimal(0))
    return HeroFigure(
        _("Lifetime P/L"),
        formats.money(result, client.brand.base_currency, sign=True) if nets else "–",
        list(accumulate(nets)),
        hint=_("Last trade %(ago)s") % {"ago": formats.ago(client.last_trade_at)}
        if client.last_trade_at
        else _("No trades yet"),
        tone="danger" if result < 0 else "success" if result else "",
        url=trading_tab_url(client),
    )


def trading_tab_url(client: Client) -> str:
    """Return the address of the client's Trading tab."""
    return reverse("client_tab", kwargs={"client_id": client.pk, "slug": "trading"})


def accounts_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """List the client's first accounts with equity and margin level; None for those who have none."""
    accounts = [
        a for a in accounts_of(request.user, client) if a.state not in (AccountState.ARCHIVED, AccountState.FAILED)
    ]
    accounts.sort(key=lambda account: (account.is_demo, -account.equity_base))
    if not accounts:
        return None
    return {
        "accounts": accounts[:SHOWN],
        "more": max(0, len(accounts) - SHOWN),
        "near": NEAR_PERCENT,
        "call": CALL_PERCENT,
    }


def next_steps(request: UserRequest, client: Client) -> list[NextStep]:
    """Suggest the account near a margin call, open requests, and a call where a deposit was not followed by a trade."""
    if client.stage == Stage.LEAD:
        return []
    steps = [_margin(account) for account in accounts_of(request.user, client) if _is_near(account)][:SHOWN]
    decides = request.user.has_perm("trading.decide_request")
    waiting = AccountRequest.objects.filter(account__client=client, state=RequestState.WAITING)
    for asked in waiting.prefetch_related("account", "account_type").order_by("asked_at", "pk")[:SHOWN]:
        steps.append(
            NextStep(
                REQUEST if decides else FOR_OTHERS,
                f"{what(asked)}",
                _("Review request") if decides else "",
                reverse("trading_request", args=[asked.pk]) if decides else "",
                _("Account %(login)s · requested %(ago)s")
                % {"login": asked.account.login, "ago": formats.ago(asked.asked_at)},
                "inbox",
                "warning",
            )
        )
    if request.user.has_perm("clients.log_call") and (reason := _reason_to_call(client)):
        title, note = reason
        call = reverse("client_call", args=[client.pk])
        steps.append(NextStep(NO_TRADE, title, _("Log call"), call, note, "chart-candlestick", is_dialog=True))
    return steps


def _reason_to_call(client: Client) -> tuple[str, str] | None:
    """Return title and note where money lies idle: no trade after the first deposit, or none for two weeks."""
    now, first, last = timezone.now(), client.first_deposit_at, client.last_trade_at
    if client.stage == Stage.CLOSED or (client.last_contact_at and client.last_contact_at > now - CALLED_LATELY):
        return None
    if last is None and first and first < now - TRADE_EXPECTED:
        note = _("First deposit %(ago)s, no trade yet") % {"ago": formats.ago(first, now)}
        return _("Help with the first trade"), note
    if last and last < now - SILENT and fact_of(client, "equity") > 0:
        equity = formats.money(fact_of(client, "equity"), client.brand.base_currency)
        return _("Win back"), _("Last trade %(ago)s, equity %(equity)s") % {
            "ago": formats.ago(last, now),
            "equity": equity,
        }
    return None


def _is_near(account: TradingAccount) -> bool:
    return (
        account.state == AccountState.OPEN
        and not account.is_demo
        and account.margin > 0
        and account.margin_level < NEAR_PERCENT
    )


def _margin(account: TradingAccount) -> NextStep:
    is_call = account.margin_level < CALL_PERCENT
    return NextStep(
        MARGIN,
        _("Margin call") if is_call else _("Margin level is low"),
        _("Open account"),
        reverse("trading_account", args=[account.pk]),
        f"{account.login} · {formats.number(account.margin_level, 0)} % · {formats.money(account.equity, account.currency)}",
        "gauge",
        "danger" if is_call else "warning",
    )


def creations(request: UserRequest, client: Client) -> Creation | None:
    """Offer a trading account where the client may have one at all; the dialog says which."""
    if client.stage in (Stage.LEAD, Stage.CLOSED):
        return None
    return Creation(_("Trading account"), reverse("trading_open_account", args=[client.pk]), "chart-candlestick")
