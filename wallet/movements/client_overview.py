"""Money on top of the client's page: net deposits with their curve, wallets, what to do next, what can be created."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.models import Client
from crm.i18n import formats
from crm.ui.records import Creation, HeroFigure, NextStep
from crm.web.requests import UserRequest
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WITHDRAWAL_UNDECIDED
from wallet.models import Deposit, Withdrawal
from wallet.movements.queries import wallets_of

CURVE_DAYS: Final = 90
ROWS_MAX: Final = 5
FAILED_WITHIN: Final = dt.timedelta(days=7)
WITHDRAWAL, HELD, FAILED, FOR_OTHERS = 20, 22, 60, 85

NET_BY_DAY: Final = """
SELECT at::date, sum(amount) FROM (
  SELECT settled_at AS at, round(base_amount * (received_minor - charged_back_minor) / received_minor, 2) AS amount
  FROM wallet_deposit WHERE client_id = %(client)s AND settled_at >= %(since)s AND state IN ('settled', 'cb_reversed', 'refunded')
  UNION ALL
  SELECT finished_at, -base_amount FROM wallet_withdrawal
  WHERE client_id = %(client)s AND finished_at >= %(since)s AND state = 'settled' AND NOT from_suspense
) m GROUP BY 1
"""


def net_days(client: Client) -> list[Decimal]:
    """Return net deposits at the end of each of the last ninety days, counted back from the present figure."""
    today = timezone.now().date()
    first = today - dt.timedelta(days=CURVE_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(NET_BY_DAY, {"client": client.pk, "since": first})
        by_day: dict[dt.date, Decimal] = dict(cursor.fetchall())
    net, days = client.net_deposits, []
    for back in range(CURVE_DAYS):
        days.append(net)
        net -= by_day.get(today - dt.timedelta(days=back), Decimal(0))
    return days[::-1]


def figures(request: UserRequest, client: Client) -> HeroFigure | None:
    """Show net deposits with their course over ninety days; a lead has none."""
    if client.stage == Stage.LEAD:
        return None
    first = (
        _("First deposit %(day)s") % {"day": formats.day(client.first_deposit_at)} if client.first_deposit_at else ""
    )
    sees = request.user.has_perm("wallet.view_deposit")
    return HeroFigure(
        _("Net deposits"),
        formats.money(client.net_deposits, client.brand.base_currency),
        net_days(client) if client.first_deposit_at else (),
        hint=first or _("No deposit yet"),
        tone="danger" if client.net_deposits < 0 else "",
        url=reverse("client_tab", kwargs={"client_id": client.pk, "slug": "money"}) if sees else "",
    )


def wallets_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """List the client's wallets; None where nothing was ever paid in."""
    wallets = [wallet for wallet in wallets_of(client) if wallet.account_id] if client.first_deposit_at else []
    return {"wallets": wallets} if wallets else None


def next_steps(request: UserRequest, client: Client) -> list[NextStep]:
    """Suggest the withdrawals to decide, the held deposits, and a look at a payment that failed."""
    if client.stage == Stage.LEAD:
        return []
    return [*_withdrawal_steps(request, client), *_deposit_steps(request, client)]


def _withdrawal_steps(request: UserRequest, client: Client) -> list[NextStep]:
    decides = request.user.has_perm("wallet.approve_withdrawal")
    urgency, button = (WITHDRAWAL, _("Review")) if decides else (FOR_OTHERS, _("View"))
    waiting = Withdrawal.objects.filter(client=client, state__in=WITHDRAWAL_UNDECIDED, part=1)
    return [
        NextStep(
            urgency,
            _("Withdrawal of %(amount)s") % {"amount": formats.money(row.request_money)},
            button,
            reverse("wallet:withdrawal", args=[row.pk]),
            _("%(state)s · requested %(ago)s")
            % {"state": row.get_state_display(), "ago": formats.ago(row.requested_at)},
            "hand-coins",
            "warning",
        )
        for row in waiting.defer("sealed_destination").order_by("requested_at", "pk")[:ROWS_MAX]
    ]


def _deposit_steps(request: UserRequest, client: Client) -> list[NextStep]:
    """Look at the newest deposits: held ones, and the last of all if it failed this week."""
    releases = request.user.has_perm("wallet.release_deposit")
    urgency, button = (HELD, _("Review")) if releases else (FOR_OTHERS, _("View"))
    steps = []
    for number, deposit in enumerate(Deposit.objects.filter(client=client).order_by("-id")[:ROWS_MAX]):
        url, amount = reverse("wallet:deposit", args=[deposit.pk]), formats.money(deposit.money)
        if deposit.state == DepositState.HELD:
            title, note = _("Held deposit of %(amount)s") % {"amount": amount}, " ".join(deposit.hold_words)
            steps.append(NextStep(urgency, title, button, url, note, "hourglass", "warning"))
        elif number == 0 and _has_just_failed(deposit):
            title = _("Payment of %(amount)s failed") % {"amount": amount}
            note = deposit.failure_words or formats.ago(deposit.created_at)
            steps.append(NextStep(FAILED, title, _("View"), url, note, "credit-card", "warning"))
    return steps


def _has_just_failed(deposit: Deposit) -> bool:
    return deposit.state == DepositState.FAILED and deposit.created_at > timezone.now() - FAILED_WITHIN


def creations(request: UserRequest, client: Client) -> Creation | None:
    """Offer a bonus where the person may grant one and the client has money here."""
    if client.stage in (Stage.LEAD, Stage.CLOSED):
        return None
    return Creation(_("Bonus"), reverse("wallet:bonus_give", args=[client.pk]), "coins")
