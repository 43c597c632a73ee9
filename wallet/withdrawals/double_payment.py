"""Finds waiting requests that would pay a client twice: by the payer's bank and by us, or by the PSP and by us.

Checked again when somebody approves, for many requests at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Sum
from django.utils.translation import gettext as _

from wallet.choices.withdrawals import WITHDRAWAL_OPEN, Purpose
from wallet.models import Deposit, Dispute, Withdrawal


def refusals(parts: Sequence[Withdrawal]) -> dict[str, list[str]]:
    """List per request (by its reference) why it must not be approved; three queries however many there are."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        if part.psp_reference:
            words = _("%(psp)s reports this as already paid. Check with the PSP, then reject it.") % {"psp": part.psp}
            reasons[part.request_reference].append(words)
    gone = _gone({part.source_deposit_id for part in parts if part.source_deposit_id is not None})
    for part in parts:
        if part.source_deposit_id in gone:
            words = _("Deposit %(deposit)s has since been charged back or refunded. Reject this withdrawal.")
            reasons[part.request_reference].append(words % {"deposit": gone[part.source_deposit_id]})
    _add_chargebacks(reasons, [part for part in parts if part.part == 1 and part.purpose == Purpose.WITHDRAWAL])
    return reasons


def _gone(deposit_ids: set[int]) -> dict[int, str]:
    """List the deposits of which less is left than the refunds on their way would give back."""
    if not deposit_ids:
        return {}
    rows = Withdrawal.objects.filter(source_deposit__in=deposit_ids, state__in=WITHDRAWAL_OPEN).order_by()
    asked = dict(rows.values_list("source_deposit").annotate(total=Sum("amount_minor")))
    deposits = Deposit.objects.filter(pk__in=deposit_ids)
    return {
        deposit.pk: deposit.reference for deposit in deposits if deposit.kept_minor < int(asked.get(deposit.pk) or 0)
    }


def _add_chargebacks(reasons: dict[str, list[str]], requests: Sequence[Withdrawal]) -> None:
    """Add requests whose client had a chargeback since: the wallet was reserved, so the broker would pay both."""
    if not requests:
        return
    taken = Dispute.objects.filter(
        client__in={request.client_id for request in requests},
        taken_minor__gt=0,
        chargeback__posted_at__gt=min(request.requested_at for request in requests),
    ).values_list("client_id", "chargeback__posted_at", "deposit__reference")
    by_client = defaultdict(list)
    for client_id, at, reference in taken[:1_000]:
        by_client[client_id].append((at, reference))
    for request in requests:
        since = [reference for at, reference in by_client[request.client_id] if at and at > request.requested_at]
        if since:
            words = _(
                "Deposit %(reference)s was charged back after this request. Reject the request so that "
                "the wallet covers it."
            )
            reasons[request.request_reference].append(words % {"reference": since[0]})
