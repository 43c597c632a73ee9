"""Trading's cards on role homes: accounts near a margin call, account requests that wait."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from clients.tables import name_or_number
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ListCard, ListRow
from trading import queries
from trading.accounts.request_rules import what
from trading.choices import RequestState
from trading.risk import margin

ROWS = 6
CALL_PERCENT = 100


def margin_url() -> str:
    """Return the list of real accounts with a low margin level."""
    return f"{reverse('trading_margin')}?is_demo=false"


def near_margin_call(user: User) -> ListCard:
    """List the real accounts in reach with the lowest margin level."""
    near = margin.accounts_near(user).filter(is_demo=False).select_related("client", "server")
    rows = [
        ListRow(
            title=name_or_number(account.client),
            url=reverse("trading_account", args=[account.pk]),
            note=f"{account.login} · {account.server.name}",
            end=f"{formats.number(account.margin_level, 0)} %",
            end_note=formats.money(account.equity, account.currency),
            tone="danger" if account.margin_level and account.margin_level < CALL_PERCENT else "warning",
            is_person=True,
        )
        for account in near.order_by("margin_level", "pk")[:ROWS]
    ]
    return ListCard(
        title=_("Near a margin call"),
        rows=rows,
        icon="gauge",
        url=margin_url(),
        empty=_("No accounts near a margin call"),
        empty_text=_("Accounts with a margin level below 200 % appear here."),
        empty_icon="gauge",
    )


def oldest_requests(user: User) -> ListCard:
    """List the account requests in reach that wait for a decision, oldest first."""
    waiting = queries.requests_visible_to(user).filter(state=RequestState.WAITING)
    rows = [
        ListRow(
            title=str(what(request)),
            url=reverse("trading_request", args=[request.pk]),
            note=f"{name_or_number(request.account.client)} · {request.account.login}",
            end=formats.ago(request.asked_at),
        )
        for request in waiting.select_related("account__client", "account_type").order_by("asked_at", "pk")[:ROWS]
    ]
    return ListCard(
        title=_("Requests, oldest first"),
        rows=rows,
        icon="inbox",
        url=reverse("trading_requests"),
        empty=_("No open requests"),
        empty_text=_("Account requests from clients appear here."),
    )
