"""A trader asks for the profit of a funded account: one payout at a time, when the schedule allows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from crm import work
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.money.amounts import Money
from crm.security import audit, policies
from crm.security.policies import YES, Decision, no
from prop.audit_codes import PropAction
from prop.challenges.pending import Pending, pending_of
from prop.choices import AppealState, StageState
from prop.models import Challenge, ChallengeDay, ChallengePayout, PhaseAccount
from prop.payouts.checks import checks_of, problem_of
from prop.payouts.reviews import PAYOUT
from prop.payouts.terms import OPEN, next_payout_on, profit_of, refund_of, server_day, share_of
from prop.scaling.terms import split_of


def can_request(user: Actor, challenge: Challenge) -> Decision:
    """Allow the client in person; what the account allows is in the checks."""
    if user is None or challenge.client.user_id != user.pk:
        return no(_("Only the client can request a payout."))
    return YES


def funded_row(challenge: Challenge) -> PhaseAccount | None:
    """Find the funded account that runs, with what its checks read; None where there is none."""
    rows = challenge.accounts.filter(state=StageState.RUNNING, phase__is_funded=True)
    row = rows.select_related("phase", "account__server").first()
    if row is not None:
        row.challenge = challenge
    return row


def has_open_appeal(row: PhaseAccount) -> bool:
    """Whether a refused payout of an account is being appealed: upheld, it is reviewed again with its own figures."""
    return row.appeals.filter(payout__isnull=False, state=AppealState.OPEN).exists()


@dataclass(frozen=True, slots=True)
class PayoutOffer:
    """What a trader could be paid now. problem: why not yet; empty where a payout can be requested."""

    profit: Decimal
    amount: Decimal
    refund: Decimal
    next_on: dt.date | None
    problem: str


def offer_of(challenge: Challenge) -> PayoutOffer | None:
    """Compute what the trader of a challenge could be paid now; None where no funded account runs."""
    row = funded_row(challenge)
    return offer_for(row, pending_of([row.pk])[row.pk]) if row else None


def offer_for(row: PhaseAccount, pending: Pending, days: Sequence[ChallengeDay] | None = None) -> PayoutOffer | None:
    """Compute what the trader of an account could be paid now; None unless it is funded and runs.

    days: the account's, where they were read already.
    """
    if row.state != StageState.RUNNING or not row.phase.is_funded or row.phase.split is None:
        return None
    profit, next_on = max(profit_of(row), Decimal(0)), next_payout_on(row, days=days)
    if pending.has_payout:
        problem = _("A payout of this account is already on its way.")
    elif pending.has_payout_appeal:
        problem = _("Your appeal is being reviewed. Wait for the decision first.")
    else:
        problem = problem_of(checks_of(row, pending=pending, next_on=next_on))
    amount = share_of(profit, split_of(row) or row.phase.split, row.challenge.currency)
    return PayoutOffer(profit, amount, refund_of(row), next_on, problem)


@transaction.atomic
def request_payout(*, challenge_id: int, request_key: str, actor: User) -> ChallengePayout:
    """Ask for the closed profit since the last payout. The same request_key is the same payout.

    Who: the client. Raises: NotAllowed, WrongState (another one is open, no funded account runs, or what a check says).
    """
    client_id = Challenge.objects.values_list("client_id", flat=True).filter(pk=challenge_id).first()
    client = lock(Client, client_id or 0, "brand")
    challenge = lock(Challenge, challenge_id, "version")
    challenge.client = client
    policies.require(can_request(actor, challenge))
    row = funded_row(challenge)
    if row is None:
        raise WrongState(_("Only a running funded account pays out."))
    row = lock(PhaseAccount, row.pk, "phase", "account__server")
    row.challenge = challenge
    known = row.payouts.filter(request_key=request_key).first()
    if known is not None:
        return known
    if row.payouts.filter(state__in=OPEN).exists():
        raise WrongState(_("A payout of this account is already on its way."))
    if has_open_appeal(row):
        raise WrongState(_("Your appeal is being reviewed. Wait for the decision first."))
    problem = problem_of(checks_of(row))
    if problem:
        raise WrongState(problem)
    return _write(row, request_key, actor)


def _write(row: PhaseAccount, request_key: str, actor: User) -> ChallengePayout:
    now, challenge, split = timezone.now(), row.challenge, split_of(row)
    assert split is not None
    profit = profit_of(row)
    payout = ChallengePayout.objects.create(
        challenge=challenge,
        phase_account=row,
        currency=challenge.currency,
        profit=profit,
        split=split,
        amount=share_of(profit, split, challenge.currency),
        refund=refund_of(row),
        request_key=request_key,
        requested_at=now,
        requested_on=server_day(row, now),
        work=work.open_item(PAYOUT, brand=challenge.client.brand, client_id=challenge.client_id, opened_at=now),
    )
    audit.record(
        actor=actor,
        action=PropAction.PAYOUT_REQUESTED,
        target=payout,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={name: str(getattr(payout, name)) for name in ("profit", "split", "amount", "refund", "currency")},
    )
    timeline.add_entry(
        client_id=challenge.client_id,
        kind=TimelineKind.PAYMENT,
        title=phrase("Challenge payout requested: %(amount)s")
        % {"amount": Money(payout.amount + payout.refund, payout.currency)},
        actor=actor,
        url=payout.get_absolute_url(),
        dedupe_key=f"prop.payout_requested:{payout.pk}",
    )
    return payout
