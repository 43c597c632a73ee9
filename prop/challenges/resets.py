"""A second try at a phase that was lost, bought at the reset price of the version: a new account by the same rules."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from crm.db.locking import lock
from crm.errors import NotFound, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.money.amounts import Money
from crm.security import audit, policies
from prop.audit_codes import PropAction
from prop.challenges.fees import post_fee
from prop.challenges.phases import require_unpaused, start_phase
from prop.choices import AppealState, ChallengeState, StageState
from prop.corrections.waiting import require_no_open_correction
from prop.models import Appeal, Challenge, ChallengeReset, PhaseAccount
from prop.policies import can_buy

LOST = (StageState.BREACHED, StageState.EXPIRED)


def reset_price(row: PhaseAccount) -> Decimal | None:
    """Return what a second try at a lost phase costs; None where it isn't offered.

    A funded account that was earned by an evaluation isn't reset: it would be cheaper than the evaluation. Nor is one whose fee
    was charged back, until a person resumes it.
    """
    is_earned = row.phase.is_funded and row.phase.number > 1
    has_ended = row.challenge.state in (ChallengeState.BREACHED, ChallengeState.EXPIRED)
    if is_earned or not has_ended or row.state not in LOST or row.challenge.paused_at is not None:
        return None
    return row.challenge.size.reset_fee


@transaction.atomic
def reset_phase(*, phase_account_id: int, actor: User) -> PhaseAccount:
    """Buy a second try at a lost phase out of the wallet; a repeat returns the account that is there.

    Who: the client. Raises: NotAllowed, WrongState where it isn't offered, DomainError where no account is possible,
    InsufficientFunds.
    """
    owner = PhaseAccount.objects.filter(pk=phase_account_id).values_list("challenge__client_id", "challenge_id").first()
    if owner is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    client = lock(Client, owner[0], "brand")
    policies.require(can_buy(actor, client))
    challenge = lock(Challenge, owner[1], "version__programme", "size")
    lost = lock(PhaseAccount, phase_account_id, "phase")
    challenge.client, lost.challenge = client, challenge
    if ChallengeReset.objects.filter(lost=lost).exists():
        return challenge.accounts.order_by("-pk")[0]
    require_unpaused(challenge)
    price = reset_price(lost)
    if price is None or challenge.accounts.filter(pk__gt=lost.pk).exists():
        raise WrongState(_("This challenge can't be reset."))
    if Appeal.objects.filter(phase_account=lost, payout=None, state=AppealState.OPEN).exists():
        raise WrongState(_("Your appeal is being reviewed. Wait for the decision first."))
    require_no_open_correction(lost)
    reset = ChallengeReset(lost=lost, price=price, bought_at=timezone.now())
    reset.payment_id = post_fee(challenge, price, key=f"challenge-reset:{lost.pk}", actor=actor)
    row = begin_again(reset, actor=actor)
    _record(reset, row, actor)
    return row


def begin_again(reset: ChallengeReset, *, actor: Actor) -> PhaseAccount:
    """Open the phase of a locked lost account again: it is given back once, whether it was paid for or appealed for."""
    challenge = reset.lost.challenge
    reset.save()
    challenge.move_to(ChallengeState.ACTIVE)
    challenge.ended_at = None
    challenge.save(update_fields=["state", "ended_at"])
    return start_phase(challenge, reset.lost.phase, actor=actor)


def _record(reset: ChallengeReset, row: PhaseAccount, actor: User) -> None:
    challenge = row.challenge
    audit.record(
        actor=actor,
        action=PropAction.CHALLENGE_RESET,
        target=challenge,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={
            "lost": reset.lost_id,
            "attempt": row.attempt,
            "price": str(reset.price),
            "currency": challenge.currency,
        },
    )
    timeline.add_entry(
        client_id=challenge.client_id,
        kind=TimelineKind.PAYMENT,
        title=phrase("Challenge reset: %(programme)s") % {"programme": challenge.version.programme.name},
        body=phrase("For %(price)s") % {"price": Money(reset.price, challenge.currency)},
        actor=actor,
        url=challenge.get_absolute_url(),
        dedupe_key=f"prop.challenge_reset:{reset.lost_id}",
    )
