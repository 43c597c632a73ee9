"""The decision about credit that a won chargeback had taken away, on the bonus's page."""

from __future__ import annotations

from typing import Any

from crm.approvals.queries import proposal_of
from crm.models import User
from wallet.bonuses import policies as bonuses_policies
from wallet.bonuses.forms import BonusReturnForm
from wallet.disputes import bonus_disputes
from wallet.models import BonusGrant


def return_form(loss_id: int, data: Any = None) -> BonusReturnForm:
    """Build the form of one loss; a page may have several."""
    return BonusReturnForm(data, prefix=f"return-{loss_id}", auto_id=f"id_{loss_id}_%s")


def returns_of(user: User, grant: BonusGrant, typed: dict[int, BonusReturnForm] | None = None) -> dict[str, Any]:
    """List for the bonus's page each loss that a person can decide on, who may, and what was decided before.

    typed: forms that were refused, by loss; they are shown with their refusal whatever the loss's state is by now.
    """
    typed = typed or {}
    rows, before = [], []
    may_propose = bool(bonuses_policies.can_grant_bonus(user, grant.client))
    for loss in bonus_disputes.losses_of(grant):
        loss.grant = grant
        before += [proposal for proposal in loss.proposals.all() if proposal.decided_at]
        if not bonus_disputes.is_undecided(loss) and loss.pk not in typed:
            continue
        waiting, why_not = bonus_disputes.waiting_of(loss), bonus_disputes.why_not(loss)
        if waiting is not None:
            waiting.loss = loss
        rows.append(
            {
                "loss": loss,
                "waiting": waiting,
                "why_not": why_not,
                "form": typed.get(loss.pk) or (return_form(loss.pk) if may_propose and not waiting else None),
                "proposal": proposal_of(waiting, user) if waiting else None,
            }
        )
    return {"returns": rows, "returns_before": before}
