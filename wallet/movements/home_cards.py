"""The wallet's cards on the homes of those who work with clients: deposits, failed payments, withdrawals."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ListCard, ListRow
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WITHDRAWAL_UNDECIDED, failure_words
from wallet.core.queries import deposits_visible_to, withdrawals_visible_to

ROWS = 6


def latest_deposits(user: User) -> ListCard:
    """List the latest settled deposits of the agent's clients."""
    settled = deposits_visible_to(user).filter(client__owner=user, settled_at__isnull=False).select_related("client")
    rows = [
        ListRow(
            title=str(deposit.client),
            url=reverse("wallet:deposit", args=[deposit.pk]),
            note=" · ".join(
                filter(None, [_("First deposit") if deposit.is_first else "", formats.ago(deposit.settled_at)])
            ),
            end=formats.money(deposit.money, sign=True),
            tone="success",
            is_person=True,
        )
        for deposit in settled.defer("client__search_text").order_by("-settled_at", "-pk")[:ROWS]
    ]
    return ListCard(
        title=_("My clients' latest deposits"),
        rows=rows,
        icon="wallet",
        url=f"{reverse('wallet:deposits')}?state=settled",
        empty=_("No deposits yet"),
        empty_text=_("Your clients' deposits appear here when they are settled."),
        empty_icon="wallet",
    )


def failed_payments(user: User) -> ListCard:
    """List the latest failed deposits in reach with the reason."""
    failed = deposits_visible_to(user).filter(state=DepositState.FAILED).select_related("client", "psp")
    rows = [
        ListRow(
            title=str(deposit.client),
            url=reverse("wallet:deposit", args=[deposit.pk]),
            note=failure_words(deposit.failure) or deposit.psp.name,
            end=formats.money(deposit.money),
            end_note=formats.ago(deposit.created_at),
            is_person=True,
        )
        for deposit in failed.defer("client__search_text").order_by("-pk")[:ROWS]
    ]
    return ListCard(
        title=_("Failed payments"),
        rows=rows,
        icon="circle-x",
        url=f"{reverse('wallet:deposits')}?state=failed",
        empty=_("No failed payments"),
        empty_text=_("Deposits that a payment provider refused appear here."),
    )


def biggest_withdrawals(user: User) -> ListCard:
    """List the biggest withdrawals that the agent's clients have requested and nobody has decided."""
    asked = withdrawals_visible_to(user).filter(client__owner=user, state__in=WITHDRAWAL_UNDECIDED, part=1)
    rows = [
        ListRow(
            title=str(withdrawal.client),
            url=reverse("wallet:withdrawal", args=[withdrawal.pk]),
            note=_("Requested %(ago)s") % {"ago": formats.ago(withdrawal.requested_at)},
            end=formats.money(withdrawal.money),
            tone="warning",
            is_person=True,
        )
        for withdrawal in asked.select_related("client")
        .defer("client__search_text")
        .order_by("-base_amount", "pk")[:ROWS]
    ]
    return ListCard(
        title=_("Withdrawals requested"),
        rows=rows,
        icon="hand-coins",
        url=reverse("wallet:withdrawals"),
        empty=_("No open withdrawals"),
        empty_text=_("Withdrawals that your clients request appear here while you can still call them."),
    )
