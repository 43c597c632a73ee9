"""Restores credit that a withdrawal or a refund took away, when its money came back (chargebacks: `bonus_disputes`).

restore   bonus cost   −X   client credit   +X
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor
from crm.money.amounts import Money, from_minor
from wallet.audit_codes import WalletAction
from wallet.bonuses.ending import burn_by_refund, burn_by_withdrawal, burn_key, part_of
from wallet.bonuses.granting import audit_grant, lock_grant, may_have_bonus
from wallet.choices.bonuses import BonusState
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.withdrawals import Purpose
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import BonusGrant, BonusRestoration, Journal, PayoutFinding, Posting, Withdrawal

HEARD_WITHIN = dt.timedelta(days=1)
GONE = (DepositState.CHARGED_BACK, DepositState.REFUNDED)


@dataclass(frozen=True, slots=True)
class Lost:
    """What a payment took of one bonus, as far as it can be restored."""

    grant: BonusGrant
    minor: int

    @property
    def money(self) -> Money:
        return Money.of_minor(self.minor, self.grant.currency)


@dataclass(frozen=True, slots=True)
class Restorable:
    """The credit that can be restored.

    refusal: the sentence why none of it can; empty where some can or none was lost.
    """

    lost: list[Lost] = field(default_factory=list)
    refusal: str = ""


def restorable(withdrawal: Withdrawal, amount_minor: int) -> Restorable:
    """Compute the credit that this payment took away, for the part of it that came back. Writes nothing.

    Four queries at most.
    """
    taken = _taken_by(withdrawal)
    if not taken:
        return Restorable()
    allowed = may_have_bonus(withdrawal.client)
    if not allowed:
        return Restorable(refusal=str(allowed.reason))
    part = Decimal(amount_minor) / withdrawal.payout_minor
    ended = taken_away([grant for grant, _minor in taken])
    lost = [
        Lost(grant, part_of(minor, part))
        for grant, minor in taken
        if grant.pk not in ended and is_still_due(grant, withdrawal.source_deposit_id) and part_of(minor, part)
    ]
    return Restorable(lost) if lost else Restorable(refusal=_("The bonus would have been lost by now anyway."))


def _taken_by(withdrawal: Withdrawal) -> list[tuple[BonusGrant, int]]:
    grants = BonusGrant.objects.filter(client_id=withdrawal.client_id, burned_minor__gt=0).order_by("pk")
    keys = {
        burn_key(grant.reference, f"{withdrawal.purpose}:{withdrawal.reference}"): grant
        for grant in grants.select_related("deposit", "rule__plan")
    }
    accounts = {grant.account_id for grant in keys.values()}
    rows = Posting.objects.filter(journal__idempotency_key__in=keys, account_id__in=accounts, layer=0)
    sums = rows.values_list("journal__idempotency_key").annotate(minor=Sum("amount_minor"))
    return [(keys[key], -minor) for key, minor in sorted(sums, key=lambda one: keys[one[0]].pk)]


def taken_away(grants: Iterable[BonusGrant]) -> set[int]:
    """List the ids of those bonuses that somebody ended by a decision: a returned payment doesn't undo it."""
    keys = {burn_key(grant.reference, "taken-away"): grant.pk for grant in grants}
    booked = Journal.objects.filter(idempotency_key__in=keys).values_list("idempotency_key", flat=True)
    return {keys[key] for key in booked}


def is_still_due(grant: BonusGrant, given_again_deposit_id: int | None = None) -> bool:
    """Tell whether the bonus hasn't expired and its deposit is there, or will be: it is the one that is restored."""
    if grant.state == BonusState.EXPIRED or (grant.expires_at and grant.expires_at <= timezone.now()):
        return False
    earned_by = grant.deposit
    return earned_by is None or earned_by.state not in GONE or earned_by.pk == given_again_deposit_id


def take_first(withdrawal: Withdrawal) -> None:
    """Take the credit that the payment costs before it is restored, where its event hasn't been processed yet."""
    if withdrawal.finished_at is None or timezone.now() - withdrawal.finished_at > HEARD_WITHIN:
        return  # whatever it cost, it has cost by now
    if withdrawal.purpose == Purpose.WITHDRAWAL:
        burn_by_withdrawal(withdrawal.pk)
    elif withdrawal.source_deposit_id and not withdrawal.from_suspense:
        burn_by_refund(deposit_id=withdrawal.source_deposit_id, amount=withdrawal.amount, refund=withdrawal.reference)


def restore(finding: PayoutFinding, *, actor: Actor) -> list[BonusRestoration]:
    """Restore credit in the transaction that books a returned payment.

    Raises DomainError where the client may have none now.
    """
    withdrawal = finding.withdrawal
    lock(Client, withdrawal.client_id)
    restored_credit = restorable(withdrawal, finding.amount_minor)
    if restored_credit.refusal:
        raise DomainError(
            _("The bonus can't be restored: %(why)s Refuse this proposal and create a new one.")
            % {"why": restored_credit.refusal}
        )
    return [_restore(finding, lock_grant(loss.grant.pk), loss.minor, actor) for loss in restored_credit.lost]


def _restore(finding: PayoutFinding, grant: BonusGrant, minor: int, actor: Actor) -> BonusRestoration:
    return hold_again(
        grant,
        minor,
        cause=finding.withdrawal.reference,
        named=finding.withdrawal.reference,
        actor=actor,
        action=WalletAction.BONUS_RESTORED,
        reason=finding.terms_reason or finding.reason,
        finding=finding,
    )


def hold_again(
    grant: BonusGrant, minor: int, *, cause: str, named: str, actor: Actor, action: AuditCode, reason: str, **why: Any
) -> BonusRestoration:
    """Book restored credit, note it in the bonus's history, and store the cause.

    `cause` makes the journal's key; client and grant are locked.
    """
    cost = posting.house(AccountKind.BONUS_COST, brand_id=grant.brand_id, currency=grant.currency)
    posted = posting.post(
        Entry(
            key=f"bonus:{grant.reference}:restore:{cause}",
            kind=JournalKind.BONUS,
            brand_id=grant.brand_id,
            lines=(Line(cost, -minor), Line(grant.account, minor)),
            description=f"{grant.reference} {named}",
        ),
        actor=actor,
    )
    if grant.state != BonusState.ACTIVE:
        _hold_again(grant)
    grant.burned_minor -= minor
    grant.save()
    audit_grant(
        grant,
        action,
        actor=actor,
        reason=reason,
        after={"restored": str(from_minor(minor, grant.currency)), "by": named},
    )
    return BonusRestoration.objects.create(grant=grant, amount_minor=minor, journal_id=posted.journal_id, **why)


def _hold_again(grant: BonusGrant) -> None:
    grant.move_to(BonusState.ACTIVE)
    grant.finished_at, grant.end_reason = None, ""
    others = BonusGrant.objects.filter(client_id=grant.client_id, lots_from__gt=grant.lots_from).exclude(pk=grant.pk)
    if grant.lots_from is not None and others.exists():
        # Another bonus has counted the lots since, and a lot counts once: its own count starts again when its turn comes.
        grant.lots_from, grant.lots_traded = None, Decimal(0)
