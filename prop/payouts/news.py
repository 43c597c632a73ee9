"""What traders and staff are notified of about payouts."""

from __future__ import annotations

from crm.i18n.localized_text import LocalizedText, phrase
from crm.money.amounts import Money
from crm.notices.notify import notify, people_with
from prop.choices import PropNotice
from prop.models import ChallengePayout


def notify_paid(payout: ChallengePayout) -> None:
    """Notify the trader that the money is in the wallet."""
    amount = Money(payout.amount + payout.refund, payout.currency)
    _notify_trader(payout, phrase("%(amount)s from your challenge is in your wallet") % {"amount": amount})


def notify_not_approved(payout: ChallengePayout) -> None:
    """Notify the trader of a refused payout; the reason is for staff."""
    _notify_trader(payout, phrase("Your challenge payout wasn't approved. Please contact support."))


def notify_failed(payout: ChallengePayout) -> None:
    """Notify the trader and those who review payouts that the platform refused the withdrawal."""
    _notify_trader(payout, phrase("Your challenge payout failed. Request it again or contact support."))
    notify(
        people_with("prop.pay_challenge", brand_id=payout.challenge.brand_id),
        kind=PropNotice.PAYOUT_FAILED,
        title=phrase("The platform refused a challenge payout of %(amount)s")
        % {"amount": Money(payout.profit, payout.currency)},
        url=payout.get_absolute_url(),
        dedupe_key=f"prop.payout_failed:{payout.pk}",
    )


def _notify_trader(payout: ChallengePayout, title: LocalizedText) -> None:
    user_id = payout.challenge.client.user_id
    if user_id is not None:
        notify(
            [user_id],
            kind=PropNotice.PAYOUT_NEWS,
            title=title,
            url=f"/portal/challenges/{payout.challenge_id}/",
            dedupe_key=f"prop.payout:{payout.pk}:{payout.state}",
        )
