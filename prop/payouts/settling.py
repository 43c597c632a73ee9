"""The end of a payout: once the platform confirmed that the profit left the account, the wallet is credited in one journal."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from clients import timeline
from clients.choices import TimelineKind
from crm.db.locking import lock
from crm.i18n.localized_text import phrase
from crm.money.amounts import Money, to_minor
from crm.security import audit
from prop.audit_codes import PropAction
from prop.challenges.returned_fees import REFUNDED, publish_returned, with_merged
from prop.choices import PayoutState
from prop.models import Challenge, ChallengePayout
from prop.payouts.news import notify_failed, notify_paid
from prop.payouts.terms import OPERATION_KEY
from trading.models import BalanceOperation
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line


@transaction.atomic
def settle_payout(*, operation_id: int) -> ChallengePayout | None:
    """Credit the trader's part and the refunded fee once the platform confirmed the withdrawal; a repeat changes nothing.

    Who: the system, when an operation was settled. None where the operation is no payout's.
    """
    operation = BalanceOperation.objects.filter(pk=operation_id, idempotency_key__startswith=OPERATION_KEY).first()
    found = ChallengePayout.objects.filter(operation=operation).first() if operation else None
    if operation is None or found is None or not operation.is_settled:
        return None
    challenge = lock(Challenge, found.challenge_id, "client", "version__programme")
    payout = lock(ChallengePayout, found.pk)
    payout.challenge = challenge
    if payout.state != PayoutState.SENDING or challenge.paused_at is not None:
        return payout  # of a paused challenge: once it is resumed
    is_paid = operation.state == "confirmed"
    payout.move_to(PayoutState.PAID if is_paid else PayoutState.FAILED)
    if is_paid:
        payout.journal_id = _credit(payout)
        if payout.refund:
            publish_returned(with_merged(challenge), because=REFUNDED)
    payout.ended_at = timezone.now()
    payout.save(update_fields=["state", "journal", "ended_at"])
    audit.record(
        actor=None,
        action=PropAction.PAYOUT_PAID if is_paid else PropAction.PAYOUT_FAILED,
        target=payout,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"amount": str(payout.amount), "refund": str(payout.refund), "operation": operation.pk},
    )
    if is_paid:
        _note_in_timeline(payout)
        notify_paid(payout)
    else:
        notify_failed(payout)
    return payout


def _credit(payout: ChallengePayout) -> int:
    """Post the trader's part from the cost of payouts and the refund from the income of fees, to the wallet."""
    challenge, currency = payout.challenge, payout.currency
    part, refund = to_minor(payout.amount, currency), to_minor(payout.refund, currency)
    house = partial(posting.house, brand_id=challenge.brand_id, currency=currency)
    lines = [
        Line(posting.wallet_of(challenge.client, currency), part + refund),
        Line(house(AccountKind.CHALLENGE_PAYOUTS), -part),
    ]
    if refund:
        lines.append(Line(house(AccountKind.CHALLENGE_FEES), -refund))
    posted = posting.post(
        Entry(
            key=f"challenge-payout:{payout.pk}",
            kind=JournalKind.CHALLENGE_PAYOUT,
            brand_id=challenge.brand_id,
            lines=tuple(lines),
            description=f"{challenge.version}",
        )
    )
    return posted.journal_id


def _note_in_timeline(payout: ChallengePayout) -> None:
    timeline.add_entry(
        client_id=payout.challenge.client_id,
        kind=TimelineKind.PAYMENT,
        title=phrase("Challenge payout: %(amount)s") % {"amount": Money(payout.amount, payout.currency)},
        body=phrase("Fee refunded: %(amount)s") % {"amount": Money(payout.refund, payout.currency)}
        if payout.refund
        else "",
        url=payout.get_absolute_url(),
        dedupe_key=f"prop.payout:{payout.pk}",
    )
