"""What a payment's page shows of what people found out about it."""

from __future__ import annotations

from typing import Any

from crm.models import User
from wallet.bonuses import restoring
from wallet.choices.approvals import RequestState
from wallet.choices.withdrawals import FindingKind
from wallet.core import policies
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.models import PayoutFinding, Withdrawal
from wallet.withdrawals import investigations, returned_payouts
from wallet.withdrawals import policies as withdrawals_policies
from wallet.withdrawals.forms import FindingForm

SHOWN_MAX = 20


def findings_of(user: User, withdrawal: Withdrawal, form: FindingForm | None) -> dict[str, Any]:
    """The one that waits with who may decide, those before, and the form for a new one. The number of queries is bounded."""
    rows = list(withdrawal.findings.select_related("requested_by", "decided_by").order_by("-pk")[:SHOWN_MAX])
    for row in rows:
        row.withdrawal = withdrawal
    waiting = next((row for row in rows if row.state == RequestState.WAITING), None)
    kinds = () if waiting else investigations.POSSIBLE.get(withdrawal.state, ())
    may_say = bool(kinds) and bool(withdrawals_policies.can_say_what_happened(user, withdrawal))
    return {
        "finding": waiting,
        "findings_before": [row for row in rows if row is not waiting],
        "finding_form": (form or finding_form(withdrawal, kinds)) if may_say else None,
        "finding_bonus": _bonus_of(waiting, withdrawal),
        "finding_form_is_open": form is not None,
        "may_decide_finding": withdrawals_policies.can_decide_finding(user, waiting) if waiting else None,
        "may_withdraw_finding": policies.can_withdraw(user, waiting) if waiting else None,
        "agree_form": OptionalReasonForm(prefix="agree"),
        "refuse_form": ReasonForm(prefix="refuse"),
    }


def finding_form(withdrawal: Withdrawal, kinds: Any, data: Any = None) -> FindingForm:
    """With what there is to decide about fee and bonus, where the payment may have come back."""
    terms = returned_payouts.terms_of(withdrawal) if FindingKind.CAME_BACK in kinds else None
    return FindingForm(data, kinds=kinds, terms=terms)


def _bonus_of(waiting: PayoutFinding | None, withdrawal: Withdrawal) -> list[restoring.Lost]:
    """What the second person would restore."""
    if waiting is None or not waiting.restores_bonus:
        return []
    return restoring.restorable(withdrawal, waiting.amount_minor).lost
