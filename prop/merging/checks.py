"""What a merge is checked for: shown to its trader before the request, and to those who review it.

The closed account has to be where it began (no profit or loss, no drawdown used, no trade today), so that the sum of both sizes
with the kept account's own result is what both accounts were together: no loss is forgotten and no breach comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.money.amounts import to_minor
from prop.brand_policies import MERGE_MAX
from prop.challenges.pending import Pending, pending_of
from prop.choices import ChallengeState, MaxLoss, StageState
from prop.models import AccountMerge, PhaseAccount
from prop.payouts.checks import PayoutCheck
from prop.payouts.terms import profit_of, refund_of, server_day, state_of
from prop.policies import NO_CHALLENGES

Check: Final = PayoutCheck


def checks_of(kept: PhaseAccount, closed: PhaseAccount, merge: AccountMerge | None = None) -> list[PayoutCheck]:
    """Check two accounts for a merge: a new one, or `merge`, which was requested before."""
    pending = [*pending_of([kept.pk, closed.pk]).values()]
    return [
        _funded(kept, closed),
        _same(kept, closed),
        _positions(kept, closed, pending),
        _waiting(pending, merge),
        _at_its_size(closed),
        _no_trade_today(closed),
        _size(kept, closed),
        _client(kept),
        _refund(closed),
    ]


def problem_of(checks: list[PayoutCheck]) -> str:
    """Return what stands in the way of a merge; empty where nothing does."""
    return next((check.text for check in checks if check.is_binding and not check.is_passed), "")


def _funded(kept: PhaseAccount, closed: PhaseAccount) -> PayoutCheck:
    holds = all(
        row.state == StageState.RUNNING
        and row.phase.is_funded
        and row.challenge.state == ChallengeState.FUNDED
        and row.challenge.paused_at is None
        for row in (kept, closed)
    )
    text = _("Both accounts are funded and run.") if holds else _("Only running funded accounts are merged.")
    return Check(_("Accounts"), holds, text)


def _same(kept: PhaseAccount, closed: PhaseAccount) -> PayoutCheck:
    ours, theirs = kept.challenge, closed.challenge
    parts = ("client_id", "version_id", "currency")
    holds = kept.pk != closed.pk and all(getattr(ours, part) == getattr(theirs, part) for part in parts)
    text = (
        _("Both accounts are of the same version and currency.")
        if holds
        else _("Only accounts of the same version and currency are merged.")
    )
    return Check(_("Programme"), holds, text)


def _positions(kept: PhaseAccount, closed: PhaseAccount, pending: Sequence[Pending]) -> PayoutCheck:
    states = [state_of(row) for row in (kept, closed)]
    is_open = any(each.has_positions for each in pending) or any(state and state.positions for state in states)
    text = _("Close all positions on both accounts first.") if is_open else _("No position is open.")
    return Check(_("Open positions"), not is_open, text)


def _waiting(pending: Sequence[Pending], merge: AccountMerge | None) -> PayoutCheck:
    """Check that nothing is under way that a merge would change."""
    label = _("Pending decisions")
    for each in pending:
        if each.merge_id is not None and (merge is None or each.merge_id != merge.pk):
            return Check(label, False, _("This account is being merged with another one. Wait until that is done."))
        if each.has_payout:
            return Check(label, False, _("A payout of one of the accounts is on its way. Wait until it is paid."))
        if each.has_correction or each.has_appeal:
            return Check(label, False, _("A correction or an appeal of one of the accounts is being reviewed."))
        if each.has_growth:
            return Check(label, False, _("A step of scaling of one of the accounts is being reviewed or booked."))
    return Check(label, True, _("Nothing is pending on either account."))


def _at_its_size(closed: PhaseAccount) -> PayoutCheck:
    """Check that the closed account has neither profit nor loss, and that none of its maximum loss is used."""
    label, state = _("Result of the closed account"), state_of(closed)
    if state is None:
        return Check(label, False, _("The account to close hasn’t been read yet. Try again in a moment."))
    profit, currency = profit_of(closed), closed.challenge.currency
    if profit:
        text = _("The account to close has to have neither profit nor loss; it has %(profit)s. Request a payout first.")
        if profit < 0:
            text = _("The account to close has to have neither profit nor loss; it has %(profit)s.")
        return Check(label, False, text % {"profit": formats.money(profit, currency)})
    trails = closed.phase.max_loss_kind != MaxLoss.STATIC
    if trails and state.peak != to_minor(closed.challenge.balance, currency):
        return Check(label, False, _("The account to close has used part of its maximum loss."))
    return Check(label, True, _("The account to close has neither profit nor loss."))


def _no_trade_today(closed: PhaseAccount) -> PayoutCheck:
    state = state_of(closed)
    today = server_day(closed, timezone.now()).toordinal()
    has_traded = state is not None and state.day == today and state.day_trades > 0
    text = (
        _("The account to close was traded today. Try again tomorrow.")
        if has_traded
        else _("The account to close wasn’t traded today.")
    )
    return Check(_("Trades today"), not has_traded, text)


def most_of(kept: PhaseAccount) -> Decimal:
    """Return the brand's largest size of a merged account: so many times the largest one that the version sells."""
    challenge = kept.challenge
    largest = challenge.version.sizes.aggregate(most=Max("balance"))["most"] or challenge.balance
    return Decimal(largest * MERGE_MAX.of(challenge.client.brand))


def _size(kept: PhaseAccount, closed: PhaseAccount) -> PayoutCheck:
    together, most = kept.size + closed.size, most_of(kept)
    currency = kept.challenge.currency
    shown = {"size": formats.money(together, currency), "most": formats.money(most, currency)}
    text = _("Together %(size)s; merged accounts may have at most %(most)s.") % shown
    return Check(_("Largest size"), together <= most, text)


def _client(kept: PhaseAccount) -> PayoutCheck:
    client = kept.challenge.client
    if client.stage == "closed" or NO_CHALLENGES & set(client.restrictions):
        return Check(_("Client"), False, _("Merges are not available at the moment. Please contact support."))
    return Check(_("Client"), True, _("No restrictions."))


def _refund(closed: PhaseAccount) -> PayoutCheck:
    """Say that a fee that wasn't refunded yet follows: for the trader and the reviewer to know."""
    refund, label = refund_of(closed), _("Fee of the closed account")
    if not refund:
        return Check(label, True, _("Nothing of it is left to refund."), is_binding=False)
    text = _("%(fee)s weren’t refunded yet and are refunded with the next payout of the account that stays.")
    return Check(label, True, text % {"fee": formats.money(refund, closed.challenge.currency)}, is_binding=False)
