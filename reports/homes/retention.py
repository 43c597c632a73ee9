"""The retention agent's home: the money of silent clients, margin calls, net deposits of the book."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.facts import with_facts
from clients.filters import start_of
from clients.queries import clients_visible_to
from clients.views import home_cards as client_cards
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ChartCard
from crm.ui.kpis import Kpi, once_per_page
from reports.homes.month import own_month, targets_of
from reports.homes.parts import COUNT_MAX, net_by_day_chart, net_kpi, whole_money
from trading.accounts import home_cards as account_cards
from trading.risk import margin


def _silent(user: User) -> dict[str, Any]:
    """Sum the agent's silent clients: their equity, how many, and how many fell silent within the last week."""

    def read() -> dict[str, Any]:
        week_before = start_of(client_cards.silent_since() - dt.timedelta(days=7))
        mine = (
            with_facts(clients_visible_to(user), "equity")
            .filter(owner=user, equity__gte="0.01")
            .exclude(stage="lead")
            .order_by()
        )
        silent = Q(last_trade_at__lt=start_of(client_cards.silent_since()))
        return mine.aggregate(
            at_risk=Sum("equity", filter=silent, default=0),
            count=Count("pk", filter=silent),
            new=Count("pk", filter=silent & Q(last_trade_at__gte=week_before)),
            book=Sum("equity", default=0),
            clients=Count("pk"),
        )

    return once_per_page(user, "reports.silent", read)  # type: ignore[no-any-return]


def value_at_risk(user: User) -> Kpi:
    """Make the card of the silent clients' equity, with its share of the book."""
    silent, month = _silent(user), own_month(user)
    share = round(100 * silent["at_risk"] / silent["book"]) if silent["book"] else 0
    return Kpi(
        label=_("Value at risk"),
        value=whole_money(silent["at_risk"], month.currency),
        url=client_cards.silent_url(user),
        icon="shield-alert",
        hint=_("%(share)s %% of your book's equity") % {"share": share},
        tone="warning",
    )


def silent_clients(user: User) -> Kpi:
    """Make the card that counts the silent clients."""
    silent = _silent(user)
    return Kpi(
        label=_("Silent for 14 days"),
        value=formats.number(silent["count"], 0),
        url=client_cards.silent_url(user),
        icon="moon",
        hint=_("%(new)s new this week, of %(count)s clients with equity")
        % {"new": silent["new"], "count": silent["clients"]},
        tone="accent",
    )


def near_margin_call(user: User) -> Kpi:
    """Make the card that counts real accounts with a low margin level."""
    near = margin.accounts_near(user).filter(is_demo=False).order_by()
    levels = list(near.values_list("margin_level", flat=True)[:COUNT_MAX])
    below = sum(level is not None and level < account_cards.CALL_PERCENT for level in levels)
    return Kpi(
        label=_("Near a margin call"),
        value=formats.number(len(levels), 0),
        url=account_cards.margin_url(),
        icon="gauge",
        hint=ngettext("%(count)s account below 100 %%", "%(count)s accounts below 100 %%", below) % {"count": below},
        tone="danger" if below else "",
    )


def net_deposits(user: User) -> Kpi:
    """Make the card of this month's net deposits of the book."""
    month = own_month(user)
    now = month.now(user.pk)
    hint = _("%(deposits)s in, %(withdrawals)s out") % {
        "deposits": whole_money(now.deposits, month.currency),
        "withdrawals": whole_money(now.withdrawals + now.reversals, month.currency),
    }
    url = f"{reverse('clients')}?owner={user.pk}&has_paid_in=1&sort=-net_deposits"
    return net_kpi(month, user.pk, targets_of(user, month.first).get("net_deposits"), url, hint)


def net_by_day(user: User) -> ChartCard:
    """Draw the net deposits of the agent's book by day, beside the month before."""
    return ChartCard(
        title=_("Net deposits of my book"),
        chart=net_by_day_chart(own_month(user), user.pk, "home-net-deposits"),
        url=f"{reverse('wallet:deposits')}?state=settled",
        url_text=_("Deposits"),
    )
