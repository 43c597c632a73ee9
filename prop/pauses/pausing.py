"""Challenges whose fee was paid with money that a bank took back: trading stops, payouts wait, and a person decides."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from clients.models import Client
from crm import work
from crm.db.locking import lock, lock_all
from crm.i18n.localized_text import phrase
from crm.money.amounts import Money, from_minor
from crm.notices.notify import notify, people_with
from crm.security import audit
from prop.audit_codes import PropAction
from prop.choices import ChallengeState, PropNotice, StageState
from prop.models import Challenge, ChallengePause
from prop.pauses.reviews import PAUSE
from trading.accounts.changes import pause_trading
from wallet.choices.ledger import AccountKind
from wallet.models import Dispute, Posting

# Of a lost one there may be a reset, an appeal or a correction.
PAUSED = (
    ChallengeState.ACTIVE,
    ChallengeState.REVIEW,
    ChallengeState.FUNDED,
    ChallengeState.BREACHED,
    ChallengeState.EXPIRED,
)
STOPPED = (StageState.RUNNING, StageState.REVIEW, StageState.BREACHED, StageState.EXPIRED)


@transaction.atomic
def pause_challenges(*, dispute_id: int) -> list[ChallengePause]:
    """Pause a client's challenges that were paid for since a deposit, where its chargeback wasn't covered by the wallet.

    Who: the system, when a chargeback was booked. A repeat changes nothing, nor does a chargeback that was reversed meanwhile.
    """
    found = Dispute.objects.filter(pk=dispute_id).values_list("client_id", flat=True).first()
    if found is None:
        return []
    client = lock(Client, found, "brand")
    dispute = Dispute.objects.select_related("deposit").get(pk=dispute_id)
    uncovered = uncovered_by(dispute)
    if not uncovered or dispute.deposit.settled_at is None:
        return []
    unpaid = Challenge.objects.filter(
        client=client, state__in=PAUSED, paused_at=None, bought_at__gte=dispute.deposit.settled_at
    )
    known = ChallengePause.objects.filter(chargeback_id=dispute.chargeback_id).values("challenge")
    challenges = lock_all(unpaid.exclude(pk__in=known))
    for challenge in challenges:
        challenge.client = client
    return [_pause(challenge, dispute, uncovered) for challenge in challenges]


def uncovered_by(dispute: Dispute) -> Decimal:
    """Return how much of a chargeback that is with the bank now was the broker's loss, in the deposit's currency."""
    if not dispute.taken_minor or dispute.chargeback_id is None:
        return Decimal(0)
    losses = Posting.objects.filter(journal_id=dispute.chargeback_id, account__kind=AccountKind.CHARGEBACK_LOSSES)
    lost = -sum(losses.values_list("amount_minor", flat=True))
    return from_minor(lost, dispute.currency)


def _pause(challenge: Challenge, dispute: Dispute, uncovered: Decimal) -> ChallengePause:
    now, client = timezone.now(), challenge.client
    challenge.paused_at = now
    challenge.save(update_fields=["paused_at"])
    for row in challenge.accounts.filter(state__in=STOPPED):
        pause_trading(account_id=row.account_id)
    assert dispute.chargeback_id is not None
    pause = ChallengePause.objects.create(
        challenge=challenge,
        dispute=dispute,
        chargeback_id=dispute.chargeback_id,
        uncovered=uncovered,
        currency=dispute.currency,
        paused_at=now,
        work=work.open_item(PAUSE, brand=client.brand, client_id=client.pk, opened_at=now),
    )
    audit.record(
        actor=None,
        action=PropAction.CHALLENGE_PAUSED,
        target=challenge,
        client_id=client.pk,
        brand_id=challenge.brand_id,
        after={"dispute": dispute.pk, "uncovered": str(uncovered), "currency": dispute.currency},
    )
    notify(
        people_with("prop.decide_challenge", brand_id=challenge.brand_id),
        kind=PropNotice.FEE_CHARGED_BACK,
        title=phrase("A challenge was paused: %(amount)s of a chargeback isn’t covered")
        % {"amount": Money(uncovered, dispute.currency)},
        url=pause.get_absolute_url(),
        dedupe_key=f"prop.fee_charged_back:{pause.pk}",
    )
    if client.user_id is not None:
        notify(
            [client.user_id],
            kind=PropNotice.CHALLENGE_PAUSED,
            title=phrase("Your challenge is paused because its payment was reversed. Please contact support."),
            url=f"/portal/challenges/{challenge.pk}/",
            dedupe_key=f"prop.challenge_paused:{pause.pk}",
        )
    return pause
