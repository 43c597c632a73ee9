"""What a payment's page shows of what people found out about it."""

from __future__ import annotations

from typing import Any

from wallet import payout_findings, policies
from wallet.choices import RequestState
from wallet.forms import FindingForm, OptionalReasonForm, ReasonForm
from wallet.models import Withdrawal

SHOWN_MAX = 20


def findings_of(user: Any, withdrawal: Withdrawal, form: FindingForm | None) -> dict[str, Any]:
    """The one that waits with who may decide, those before, and the form for a new one. One query."""
    rows = list(withdrawal.findings.select_related("requested_by", "decided_by").order_by("-pk")[:SHOWN_MAX])
    for row in rows:
        row.withdrawal = withdrawal
    waiting = next((row for row in rows if row.state == RequestState.WAITING), None)
    kinds = () if waiting else payout_findings.POSSIBLE.get(withdrawal.state, ())
    may_say = bool(kinds) and bool(policies.can_say_what_happened(user, withdrawal))
    return {
        "finding": waiting,
        "findings_before": [row for row in rows if row is not waiting],
        "finding_form": (form or FindingForm(kinds=kinds)) if may_say else None,
        "finding_form_is_open": form is not None,
        "may_decide_finding": policies.can_decide_finding(user, waiting) if waiting else None,
        "may_withdraw_finding": policies.can_withdraw(user, waiting) if waiting else None,
        "agree_form": OptionalReasonForm(prefix="agree"),
        "refuse_form": ReasonForm(prefix="refuse"),
    }
