"""Credit that a chargeback took away: which dispute took it, and how it is restored once that dispute is won.

By the brand's rule at once, up to what the bonus's terms let one person grant; else one person proposes and another
approves.
Nothing is restored while the bank has the money, nor twice, nor what would be lost by now in any case.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models import Value as V
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from crm import approvals
from crm.approvals import Change
from crm.audit_codes import AuditCode
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.money.amounts import from_minor
from crm.notices.notify import notify, people_with
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bonuses import policies as bonuses_policies
from wallet.bonuses.ending import burn_by_chargeback
from wallet.bonuses.granting import audit_grant, lock_grant, may_have_bonus
from wallet.bonuses.restoring import GONE, hold_again, is_still_due, taken_away
from wallet.choices.bonuses import BonusState
from wallet.choices.disputes import DisputeState
from wallet.choices.notices import WalletNotice
from wallet.core.limits import limit
from wallet.deposits.settlement import lock_deposit
from wallet.disputes.verbs import round_of
from wallet.models import BonusGrant, BonusLoss, BonusProposal, BonusRestoration, Dispute, Journal

PROPOSES, DECIDES = "wallet.grant_bonus", "wallet.approve_bonus"


@transaction.atomic
def take(*, dispute_id: int, reference: str, amount: Decimal) -> int:
    """Take away credit for a chargeback, the same part as of the deposit. Returns how many bonuses it concerned."""
    dispute = Dispute.objects.select_related("deposit").get(pk=dispute_id)
    return burn_by_chargeback(dispute=dispute, number=round_of(dispute, reference), amount=amount)


# ── reads ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def losses_of(grant: BonusGrant) -> list[BonusLoss]:
    """List what chargebacks took of a bonus, with the result; two queries."""
    rows = BonusLoss.objects.filter(grant=grant).select_related("dispute__deposit", "restoration__proposal")
    return list(rows.prefetch_related("proposals__requested_by", "proposals__decided_by").order_by("pk")[:20])


def waiting_of(loss: BonusLoss) -> BonusProposal | None:
    """Return the proposal about a loss that waits for its second person, if any."""
    return next((proposal for proposal in loss.proposals.all() if proposal.state == ApprovalState.PENDING), None)


def is_undecided(loss: BonusLoss) -> bool:
    """Tell whether the dispute is won and neither the rule nor two people have decided about the credit."""
    dispute = loss.dispute
    is_back = dispute.state == DisputeState.WON and not dispute.taken_minor
    decided = hasattr(loss, "restoration") or any(
        proposal.state == ApprovalState.APPROVED for proposal in loss.proposals.all()
    )
    return is_back and not decided


def undecided_in(grants: QuerySet[BonusGrant]) -> QuerySet[BonusGrant]:
    """Select bonuses with credit that a won chargeback took, that can be restored, and that nobody has decided on."""
    approved = BonusProposal.objects.filter(loss=OuterRef("pk"), state=ApprovalState.APPROVED)
    lost = BonusLoss.objects.filter(
        ~Exists(approved),
        grant=OuterRef("pk"),
        restoration__isnull=True,
        dispute__state=DisputeState.WON,
        dispute__taken_minor=0,
    )
    by_decision = Journal.objects.filter(
        idempotency_key=Concat(V("bonus:"), OuterRef("reference"), V(":burn:taken-away"))
    )
    due = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    earned = Q(deposit__isnull=True) | ~Q(deposit__state__in=GONE)
    return grants.filter(Exists(lost), due, earned).exclude(state=BonusState.EXPIRED).exclude(Exists(by_decision))


def why_not(loss: BonusLoss) -> LocalizedText:
    """Say why the credit can't be restored now; empty where it can."""
    grant = loss.grant
    if loss.dispute.taken_minor:
        return phrase("The bank has reclaimed the money.")
    if taken_away([grant]) or not is_still_due(grant):
        return phrase("The bonus would have been lost by now anyway.")
    allowed = may_have_bonus(grant.client)
    return "" if allowed else allowed.reason


# ── by rule ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def give_again(*, dispute_id: int, reference: str, amount: Decimal) -> list[BonusRestoration]:
    """Restore what a won dispute took by rule, or notify those who decide. Repeated, it does nothing more.

    Locks: deposit, client, dispute, bonuses.
    """
    dispute = _lock(Dispute.objects.values_list("deposit_id", flat=True).get(pk=dispute_id), dispute_id)
    # What it cost is taken before it is restored, also where that event has not been processed yet.
    burn_by_chargeback(dispute=dispute, number=round_of(dispute, reference), amount=amount)
    if dispute.taken_minor:
        return []  # the bank has taken it a second time
    losses = _to_decide(dispute)
    by_rule = [loss for loss in losses if _is_for_the_rule(loss)]
    _ask(dispute, [loss for loss in losses if loss not in by_rule])
    return [_restore(loss, actor=None, reason=_("Chargeback won: restored under the brand's rule")) for loss in by_rule]


def _to_decide(dispute: Dispute) -> list[BonusLoss]:
    at_work = BonusProposal.objects.filter(
        loss=OuterRef("pk"), state__in=[ApprovalState.PENDING, ApprovalState.APPROVED]
    )
    rows = BonusLoss.objects.filter(~Exists(at_work), dispute=dispute, restoration__isnull=True).order_by("pk")
    losses = list(rows.select_related("grant__client__brand", "grant__rule", "grant__deposit"))
    over = taken_away(loss.grant for loss in losses)
    return [loss for loss in losses if loss.grant_id not in over and is_still_due(loss.grant)]


def _is_for_the_rule(loss: BonusLoss) -> bool:
    grant, brand = loss.grant, loss.grant.client.brand
    base = grant.base_amount * loss.amount_minor / grant.amount_minor
    is_small = base <= from_minor(grant.rule.four_eyes_minor, brand.base_currency)
    return is_small and bool(limit(brand, "dispute_won_restores_bonus")) and bool(may_have_bonus(grant.client))


def _ask(dispute: Dispute, losses: Iterable[BonusLoss]) -> None:
    people = sorted(
        {*people_with(PROPOSES, brand_id=dispute.brand_id), *people_with(DECIDES, brand_id=dispute.brand_id)}
    )
    for loss in losses:
        audit_grant(loss.grant, WalletAction.BONUS_RETURN_OPEN, after={"lost": str(loss.money), "by": str(dispute)})
        _tell(people, loss, dispute.rounds)


def _tell(people: list[int], loss: BonusLoss, rounds: int) -> None:
    notify(
        people,
        kind=WalletNotice.BONUS_RETURN_OPEN,
        url=f"/money/bonuses/{loss.grant_id}/",
        title=phrase("Chargeback won: decide whether %(client)s gets %(money)s of bonus back")
        % {"money": loss.money, "client": loss.grant.client},
        body=why_not(loss) or phrase("A second approval is required."),
        dedupe_key=f"bonus-return:{loss.pk}:{rounds}",
    )


def _restore(loss: BonusLoss, *, actor: Actor, reason: str, proposal: BonusProposal | None = None) -> BonusRestoration:
    return hold_again(
        lock_grant(loss.grant_id),
        loss.amount_minor,
        cause=f"dispute:{loss.dispute_id}:{loss.dispute_round}",
        named=str(loss.dispute),
        actor=actor,
        action=WalletAction.BONUS_RESTORED_BY_DISPUTE,
        reason=reason,
        loss=loss,
        proposal=proposal,
    )


# ── by two people ────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def propose_return(*, loss_id: int, restores: bool, reason: str, actor: User) -> BonusProposal:
    """Propose what becomes of credit that a won dispute had cost. Nothing is booked before another person approves.

    Who: `wallet.grant_bonus` in reach. Raises: NotAllowed, WrongState, DomainError (no reason, it can't be restored).
    """
    loss = _locked_loss(loss_id)
    require(bonuses_policies.can_grant_bonus(actor, loss.grant.client))
    if waiting_of(loss) is not None or not is_undecided(loss):
        raise WrongState(_("Nothing to decide."))
    if restores:
        _require_possible(loss)
    return approvals.propose(BonusProposal(loss=loss, restores=restores, reason=reason), actor=actor)


class BonusReturnApproval(approvals.ApprovalKind[BonusProposal]):
    """A proposal that lost credit is restored, or stays lost, done when a second person approves it."""

    model = BonusProposal
    code = "bonus-return"
    label = gettext_lazy("Bonus lost by chargeback")
    asks, decides = PROPOSES, DECIDES
    proposed, approved = WalletAction.BONUS_RETURN_PROPOSED, WalletAction.BONUS_STAYS_LOST
    rejected, withdrawn = WalletAction.BONUS_RETURN_REFUSED, WalletAction.BONUS_RETURN_WITHDRAWN
    notice = WalletNotice.BONUS_RETURN_PROPOSED
    client_path = "loss__grant__client"
    related = ("loss__grant__client", "loss__dispute")
    one_open = ("loss",)

    def lock(self, pk: int) -> BonusProposal:
        loss = _locked_loss(BonusProposal.objects.values_list("loss_id", flat=True).get(pk=pk))
        proposal = super().lock(pk)
        proposal.loss = loss
        return proposal

    def approval_code(self, item: BonusProposal) -> AuditCode | None:
        """Return no code where restoring records its own."""
        return None if item.restores else self.approved

    def apply(self, item: BonusProposal, actor: User, **given: Any) -> None:
        item.save()
        if item.restores:
            _require_possible(item.loss)
            _restore(item.loss, actor=actor, reason=item.reason, proposal=item)

    def title(self, item: BonusProposal) -> LocalizedText:
        return phrase("%(bonus)s: %(money)s lost by a chargeback that was won") % {
            "bonus": item.loss.grant,
            "money": item.loss.money,
        }

    def url(self, item: BonusProposal) -> str:
        return f"/money/bonuses/{item.loss.grant_id}/"

    def changes(self, item: BonusProposal) -> list[Change]:
        return [
            Change(_("Lost"), formats.money(item.loss.money)),
            Change(_("Outcome"), _("Restore bonus") if item.restores else _("Don't restore bonus")),
        ]

    def target(self, item: BonusProposal) -> BonusGrant:
        return item.loss.grant

    def after(self, item: BonusProposal) -> dict[str, Any]:
        return {"lost": str(item.loss.money), "by": str(item.loss.dispute), "restores": item.restores}


def _require_possible(loss: BonusLoss) -> None:
    if why := why_not(loss):
        raise DomainError(_("The bonus can't be restored: %(why)s") % {"why": why})


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lock(deposit_id: int, dispute_id: int) -> Dispute:
    """Lock in the order of every verb that moves a dispute's money: deposit, client, dispute."""
    deposit = lock_deposit(pk=deposit_id)
    lock(Client, deposit.client_id, "brand")
    dispute = lock(Dispute, dispute_id)
    dispute.deposit = deposit
    return dispute


def _locked_loss(loss_id: int) -> BonusLoss:
    deposit_id, dispute_id = BonusLoss.objects.values_list("dispute__deposit_id", "dispute_id").get(pk=loss_id)
    dispute = _lock(deposit_id, dispute_id)
    loss = BonusLoss.objects.select_related("restoration").get(pk=loss_id)
    loss.dispute, loss.grant = dispute, lock_grant(loss.grant_id)
    return loss
