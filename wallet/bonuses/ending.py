"""Ends bonuses: credit becomes money by trading or in time, or is lost by a withdrawal, by expiry, or by a decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.facts import fact_of
from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor
from crm.money.amounts import from_minor, quantize, to_minor
from crm.rates import fx
from crm.security.policies import require
from trading.choices import DealAction
from trading.models import Deal
from wallet.audit_codes import WalletAction
from wallet.bonuses import policies
from wallet.bonuses.granting import audit_grant, lock_grant
from wallet.choices.bonuses import BonusState, OnWithdrawal, ReleaseBy
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.withdrawals import WithdrawalState
from wallet.core.limits import in_base
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import BonusGrant, BonusLoss, Deposit, Dispute, Journal, Withdrawal
from wallet.movements.queries import wallets_of

TRADES = (DealAction.BUY, DealAction.SELL)


def part_of(minor: int, part: Decimal) -> int:
    """Compute a part (0 to 1) of an amount in whole minor units, rounded down: in doubt the client keeps it."""
    return int((minor * min(max(part, Decimal(0)), Decimal(1))).to_integral_value(rounding=ROUND_DOWN))


# ── it becomes money ─────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def release_by_trading(client_id: int) -> int:
    """Free what the client's closed lots have earned; returns how many bonuses moved.

    The oldest bonus takes the lots until it is free, then the next one starts to count: a lot counts once.
    """
    lock(Client, client_id)
    moved = 0
    while True:
        grant = _counting(client_id)
        if grant is None or grant.lots_needed is None or grant.lots_from is None:
            return moved
        grant.lots_traded = _closed_lots(client_id, grant.lots_from)
        earned = part_of(grant.amount_minor, grant.lots_traded / grant.lots_needed)
        free = min(earned - grant.released_minor, grant.held_minor)
        if free <= 0:
            grant.save(update_fields=["lots_traded"])
            return moved
        _release(grant, free)
        moved += 1
        if grant.state == BonusState.ACTIVE:
            return moved


def _counting(client_id: int) -> BonusGrant | None:
    """Lock the oldest held bonus that lots release, None where there is none; its count starts when its turn comes."""
    first = (
        BonusGrant.objects.filter(client_id=client_id, state=BonusState.ACTIVE, lots_needed__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)
        .first()
    )
    if first is None:
        return None
    grant = lock_grant(first)
    if grant.lots_from is None:
        grant.lots_from = timezone.now()
        grant.save(update_fields=["lots_from"])
    return grant


def _closed_lots(client_id: int, since: dt.datetime) -> Decimal:
    rows = Deal.objects.filter(
        account__client_id=client_id, account__is_demo=False, executed_at__gt=since, action__in=TRADES
    )
    return rows.aggregate(lots=Sum("closed_lots"))["lots"] or Decimal(0)


def clients_with_credit(client_ids: Iterable[int]) -> list[int]:
    """Select those of the given clients who hold a bonus."""
    rows = BonusGrant.objects.filter(client_id__in=list(client_ids), state=BonusState.ACTIVE)
    return sorted(set(rows.values_list("client_id", flat=True)))


def _release(grant: BonusGrant, minor: int, *, actor: Actor = None) -> None:
    wallet = posting.wallet_of(grant.client, grant.currency)
    posting.post(
        Entry(
            key=f"bonus:{grant.reference}:release:{grant.released_minor + minor}",
            kind=JournalKind.BONUS,
            brand_id=grant.brand_id,
            lines=(Line(grant.account, -minor), Line(wallet, minor)),
            description=f"{grant.reference} {grant.rule.plan}",
        ),
        actor=actor,
    )
    grant.released_minor += minor
    _close_if_empty(grant, BonusState.RELEASED)
    grant.save()
    audit_grant(
        grant, WalletAction.BONUS_RELEASED, actor=actor, after={"released": str(from_minor(minor, grant.currency))}
    )


def _close_if_empty(grant: BonusGrant, state: BonusState) -> None:
    if grant.amount_minor == grant.released_minor + grant.burned_minor:
        grant.move_to(state)
        grant.finished_at = timezone.now()


# ── it is lost ───────────────────────────────────────────────────────────────────────────────────────────────────────


def burn_key(grant_reference: str, why: str) -> str:
    """Return the key of the journal by which a cause took credit away."""
    return f"bonus:{grant_reference}:burn:{why}"


def _burn(
    grant: BonusGrant,
    minor: int,
    *,
    why: str,
    reason: str,
    actor: Actor = None,
    ends_as: BonusState = BonusState.BURNED,
) -> int | None:
    """Take credit away, once per cause: `why` makes the journal's key.

    Returns the journal's id; None where the cause had taken before.
    """
    key = burn_key(grant.reference, why)
    if Journal.objects.filter(idempotency_key=key).exists():
        return None
    cost = posting.house(AccountKind.BONUS_COST, brand_id=grant.brand_id, currency=grant.currency)
    posted = posting.post(
        Entry(
            key=key,
            kind=JournalKind.BONUS,
            brand_id=grant.brand_id,
            lines=(Line(grant.account, -minor), Line(cost, minor)),
            description=f"{grant.reference} {reason}",
        ),
        actor=actor,
    )
    grant.burned_minor += minor
    grant.end_reason = reason[:300]
    _close_if_empty(grant, ends_as)
    grant.save()
    audit_grant(
        grant,
        WalletAction.BONUS_BURNED,
        actor=actor,
        reason=reason,
        after={"lost": str(from_minor(minor, grant.currency))},
    )
    return posted.journal_id


def _active(client_id: int, **which: Any) -> list[BonusGrant]:
    """Lock a client's held bonuses, after the client and in the order of their ids."""
    lock(Client, client_id)
    ids = BonusGrant.objects.filter(client_id=client_id, state=BonusState.ACTIVE, **which).order_by("pk")
    return [lock_grant(pk) for pk in ids.values_list("pk", flat=True)]


def lost_by_withdrawal(client: Client, amount: Decimal, currency: str) -> list[tuple[BonusGrant, int]]:
    """Compute what a withdrawal of that amount would take away: (bonus, minor units). Writes nothing."""
    held = BonusGrant.objects.filter(client=client, state=BonusState.ACTIVE).select_related("rule__plan")
    rows = [grant for grant in held if grant.rule.on_withdrawal != OnWithdrawal.NOTHING]
    if not rows:
        return []
    part = _part_withdrawn(client, in_base(client.brand, amount, currency), is_gone=False)
    return [(grant, _lost(grant, part)) for grant in rows]


def _lost(grant: BonusGrant, part: Decimal) -> int:
    return grant.held_minor if grant.rule.on_withdrawal == OnWithdrawal.ALL else part_of(grant.held_minor, part)


def _part_withdrawn(client: Client, base: Decimal, *, is_gone: bool) -> Decimal:
    """Compute which share of the client's own money a withdrawal is.

    That money is wallets and equity on platforms, in the brand's base currency.
    """
    total = fact_of(client, "equity")
    for wallet in wallets_of(client):
        if wallet.balance:
            total += in_base(client.brand, wallet.balance, wallet.currency)
    total += base if is_gone else Decimal(0)
    return Decimal(1) if total <= 0 else min(base / total, Decimal(1))


@transaction.atomic
def burn_by_withdrawal(withdrawal_id: int) -> int:
    """Take credit away for a withdrawal that was paid, as the rule says. Returns how many bonuses lost something."""
    withdrawal = Withdrawal.objects.select_related("client__brand").defer("sealed_destination").get(pk=withdrawal_id)
    if withdrawal.from_suspense or withdrawal.state == WithdrawalState.CAME_BACK:
        return 0  # it was never the client's money, or it came back and two people decided about the credit
    grants = [
        grant
        for grant in _active(withdrawal.client_id)
        if grant.rule.on_withdrawal != OnWithdrawal.NOTHING
        and grant.granted_at
        and grant.granted_at <= (withdrawal.finished_at or timezone.now())
    ]
    if not grants:
        return 0
    part = _part_withdrawn(withdrawal.client, withdrawal.base_amount, is_gone=True)
    done = 0
    for grant in grants:
        minor = _lost(grant, part)
        if minor:
            reason = _("Withdrawal %(reference)s") % {"reference": withdrawal.reference}
            _burn(grant, minor, why=f"withdrawal:{withdrawal.reference}", reason=reason)
            done += 1
    return done


@transaction.atomic
def burn_by_refund(*, deposit_id: int, amount: Decimal, refund: str) -> int:
    """Take away the same part of held credit as its deposit was refunded, once per refund. Returns how many bonuses."""
    deposit = Deposit.objects.get(pk=deposit_id)
    grants = _active(deposit.client_id, deposit=deposit)
    reason = _("Deposit %(reference)s refunded") % {"reference": deposit.reference}
    for grant, minor in _same_part(grants, deposit, amount):
        _burn(grant, minor, why=f"refund:{refund}", reason=reason)
    return len(grants)


@transaction.atomic
def burn_by_chargeback(*, dispute: Dispute, number: int, amount: Decimal) -> int:
    """Take credit away for a chargeback as for a refund, and store its dispute.

    When the dispute is won, the credit is restored.
    """
    deposit = dispute.deposit
    grants = _active(deposit.client_id, deposit=deposit)
    reason = _("Deposit %(reference)s charged back (%(dispute)s)") % {
        "reference": deposit.reference,
        "dispute": dispute.psp_dispute_id,
    }
    for grant, minor in _same_part(grants, deposit, amount):
        journal_id = _burn(grant, minor, why=f"dispute:{dispute.pk}:{number}", reason=reason)
        if journal_id is not None:
            BonusLoss.objects.create(
                dispute=dispute, dispute_round=number, grant=grant, amount_minor=minor, journal_id=journal_id
            )
    return len(grants)


def _same_part(grants: list[BonusGrant], deposit: Deposit, amount: Decimal) -> list[tuple[BonusGrant, int]]:
    part = amount / deposit.received if deposit.received else Decimal(1)
    return [(grant, minor) for grant in grants if (minor := part_of(grant.held_minor, part))]


@transaction.atomic
def burn_by_negative_balance(deal_id: int) -> int:
    """Let held credit pay first, oldest first, for a negative balance that a platform compensated."""
    deal = Deal.objects.select_related("account__client").get(pk=deal_id)
    if deal.account is None or deal.account.is_demo or deal.action != DealAction.SO_COMPENSATION or deal.profit <= 0:
        return 0
    left, done = deal.profit, 0
    for grant in _active(deal.account.client_id):
        if grant.granted_at and deal.executed_at < grant.granted_at:
            continue
        wanted = _in_currency(left, deal.account.currency, grant.currency)
        minor = min(grant.held_minor, to_minor(quantize(wanted, grant.currency, rounding=ROUND_UP), grant.currency))
        if minor <= 0:
            break
        reason = _("Negative balance on %(account)s") % {"account": deal.account}
        _burn(grant, minor, why=f"deal:{deal.pk}", reason=reason)
        done += 1
        left -= min(left, _in_currency(from_minor(minor, grant.currency), grant.currency, deal.account.currency))
    return done


def _in_currency(amount: Decimal, given: str, wanted: str) -> Decimal:
    return amount if given == wanted else fx.convert(amount, given, wanted, on=timezone.now().date())


@transaction.atomic
def take_bonus_away(*, grant_id: int, actor: Actor, reason: str) -> BonusGrant:
    """Take away everything that a bonus still holds, e.g. for abuse.

    Who: `wallet.approve_bonus` in reach. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    grant = BonusGrant.objects.get(pk=grant_id)
    lock(Client, grant.client_id)
    grant = lock_grant(grant_id)
    require(policies.can_take_bonus_away(actor, grant))
    if not reason.strip():
        raise DomainError(_("Enter a reason for revoking the bonus."))
    if grant.state != BonusState.ACTIVE:
        raise WrongState(_("This bonus is “%(state)s”.") % {"state": grant.get_state_display()})
    _burn(grant, grant.held_minor, why="taken-away", reason=reason, actor=actor)
    return grant


# ── by the calendar ──────────────────────────────────────────────────────────────────────────────────────────────────


def due_bonuses(*, limit: int = 200) -> list[int]:
    """List the held bonuses whose day of release or expiry has come."""
    now = timezone.now()
    held = BonusGrant.objects.filter(state=BonusState.ACTIVE)
    free = held.filter(release_at__lte=now).values_list("pk", flat=True)[:limit]
    lost = held.filter(expires_at__lte=now).values_list("pk", flat=True)[:limit]
    return sorted({*free, *lost})


@transaction.atomic
def end_in_time(grant_id: int) -> str:
    """Release a bonus whose days are over, or let it expire. What is due on the same day is released."""
    client_id = BonusGrant.objects.values_list("client_id", flat=True).get(pk=grant_id)
    lock(Client, client_id)
    grant, now = lock_grant(grant_id), timezone.now()
    if grant.state != BonusState.ACTIVE:
        return grant.state
    if grant.rule.release_by == ReleaseBy.DAYS and grant.release_at and grant.release_at <= now:
        _release(grant, grant.held_minor)
    elif grant.expires_at and grant.expires_at <= now:
        _burn(
            grant, grant.held_minor, why="expired", reason=_("Conditions not met in time"), ends_as=BonusState.EXPIRED
        )
    return grant.state
