"""The investigations of a payout's result on the withdrawal's page."""

from __future__ import annotations

from typing import Any

from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.models import User
from wallet.choices.withdrawals import FindingKind
from wallet.models import Withdrawal
from wallet.withdrawals import investigations, returned_payouts
from wallet.withdrawals import policies as withdrawals_policies
from wallet.withdrawals.forms import FindingForm

SHOWN_MAX = 20


def findings_of(user: User, withdrawal: Withdrawal, form: FindingForm | None) -> dict[str, Any]:
    """Build the template's context: the result that waits, with its decision; earlier ones; the form for a new one.

    The number of queries is bounded.
    """
    rows = list(withdrawal.findings.select_related("requested_by", "decided_by").order_by("-pk")[:SHOWN_MAX])
    for row in rows:
        row.withdrawal = withdrawal
    waiting = next((row for row in rows if row.state == ApprovalState.PENDING), None)
    kinds = () if waiting else investigations.POSSIBLE.get(withdrawal.state, ())
    may_propose = bool(kinds) and bool(withdrawals_policies.can_propose_outcome(user, withdrawal))
    return {
        "finding": waiting,
        "findings_before": [row for row in rows if row is not waiting],
        "finding_form": (form or finding_form(withdrawal, kinds)) if may_propose else None,
        "finding_form_is_open": form is not None,
        "finding_proposal": proposal_of(waiting, user) if waiting else None,
    }


def finding_form(withdrawal: Withdrawal, kinds: Any, data: Any = None) -> FindingForm:
    """Build the form, with the choices about fee and bonus where the payment may have come back."""
    terms = returned_payouts.terms_of(withdrawal) if FindingKind.CAME_BACK in kinds else None
    return FindingForm(data, kinds=kinds, terms=terms)
