"""Refunds that the client claims at an address of the PSP: what clients and staff see, and what wasn't claimed.

Whoever has the address can claim, so only the client's own page shows it. An unclaimed refund stays reserved until it
is claimed, or until staff take it back: the PSP closes it first, and only its own report that nothing was paid frees
the money.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from crm.db.locking import lock
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify, people_with
from wallet.choices.notices import WalletNotice
from wallet.choices.withdrawals import ClaimState, WithdrawalState
from wallet.core.limits import limit
from wallet.models import Withdrawal
from wallet.psp.values import TransferView


def keep(withdrawal: Withdrawal, view: TransferView) -> None:
    """Store the claim's state on a locked refund at the PSP.

    The client is notified once that there is something to claim.
    """
    if view.claim_state is None or urlsplit(view.claim_url).scheme not in ("http", "https"):
        return
    is_new = not withdrawal.claim_url
    withdrawal.claim_url = view.claim_url[:300]
    days = dt.timedelta(days=limit(withdrawal.brand, "refund_claim_days"))
    withdrawal.claim_until = view.claim_until or withdrawal.claim_until or timezone.now() + days
    if withdrawal.can_move_to(view.claim_state, "claim_state"):
        withdrawal.move_to(view.claim_state, "claim_state")
    withdrawal.save(update_fields=["claim_url", "claim_until", "claim_state", "updated_at"])
    if is_new and withdrawal.claim_state == ClaimState.WAITING and withdrawal.client.user_id:
        notify(
            [withdrawal.client.user_id],
            kind=WalletNotice.REFUND_TO_CLAIM,
            title=phrase("Claim your refund of %(money)s") % {"money": withdrawal.money},
            body=phrase("Enter the address to send it to."),
            url=f"/portal/wallet/{withdrawal.reference}/",
            dedupe_key=f"refund-to-claim:{withdrawal.pk}",
        )


def due_claims(*, limit: int = 200) -> list[int]:
    """List the refunds whose time to be claimed is over, and of which finance wasn't notified."""
    rows = Withdrawal.objects.filter(
        claim_state=ClaimState.WAITING, state=WithdrawalState.SENT, claim_until__lt=timezone.now()
    )
    return list(rows.order_by("claim_until").values_list("pk", flat=True)[:limit])


@transaction.atomic
def name_unclaimed(withdrawal_id: int) -> bool:
    """Notify finance once of an unclaimed refund.

    The money stays reserved: staff take it back, or the client still claims it.
    """
    withdrawal = lock(Withdrawal, withdrawal_id, "client", "brand", "psp")
    if withdrawal.claim_state != ClaimState.WAITING or withdrawal.state != WithdrawalState.SENT:
        return False
    withdrawal.move_to(ClaimState.OVER, "claim_state")
    withdrawal.save(update_fields=["claim_state", "updated_at"])
    notify(
        people_with("wallet.approve_withdrawal", brand_id=withdrawal.brand_id),
        kind=WalletNotice.REFUND_UNCLAIMED,
        title=phrase("%(client)s hasn't claimed a refund of %(money)s")
        % {"client": withdrawal.client, "money": withdrawal.money},
        body=phrase("It stays reserved. Contact the client, or cancel the refund."),
        url=f"/money/withdrawals/{withdrawal.pk}/",
        dedupe_key=f"refund-unclaimed:{withdrawal.pk}",
    )
    return True


def is_open(withdrawal: Withdrawal) -> bool:
    """Tell whether the client has a refund to claim."""
    return withdrawal.claim_state == ClaimState.WAITING and withdrawal.state == WithdrawalState.SENT


def may_be_closed(withdrawal: Withdrawal) -> bool:
    """Tell whether staff can take the refund back."""
    return withdrawal.state == WithdrawalState.SENT and withdrawal.claim_state in (ClaimState.WAITING, ClaimState.OVER)
