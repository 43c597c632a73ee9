"""A new version of a brand's policy: one person proposes it, another approves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, User
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.choices import KycNotice
from kyc.models import VerdictPolicy, VerdictPolicyProposal
from kyc.verdicts.policies import RIGHT, can_change_policy
from kyc.verdicts.rules import Rules, checked, differences
from kyc.verdicts.versions import next_number, rules_on

DAYS_AHEAD_MAX: Final = 366


@transaction.atomic
def propose_policy(
    *, brand_id: int, rules: Rules, effective_on: dt.date, actor: User, reason: str
) -> VerdictPolicyProposal:
    """Propose a version of a brand's policy from a day on.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: NotAllowed, DomainError (rules, a past day, no reason),
    WrongState (nothing would change, or a proposal waits).
    """
    require(can_change_policy(actor, brand_id))
    brand = lock(Brand, brand_id)
    body = checked(rules).body()
    first, last = today(brand), today(brand) + dt.timedelta(days=DAYS_AHEAD_MAX)
    if not first <= effective_on <= last:
        raise DomainError(
            _("Enter a day from today to %(last)s: what held in the past stays as it was.")
            % {"last": formats.day(last)}
        )
    if body == rules_on(brand, effective_on).body():
        raise WrongState(_("This is already the policy on that day."))
    return approvals.propose(
        VerdictPolicyProposal(brand=brand, rules=body, effective_on=effective_on, reason=reason), actor=actor
    )


class VerdictPolicyApproval(approvals.ApprovalKind[VerdictPolicyProposal]):
    """A version of the policy. Who decides holds the same right as who proposes, on the whole brand."""

    model = VerdictPolicyProposal
    code = "verdict-policy"
    label = gettext_lazy("KYC policy")
    asks = decides = RIGHT
    proposed, approved = KycAction.POLICY_PROPOSED, KycAction.POLICY_APPROVED
    rejected, withdrawn = KycAction.POLICY_REJECTED, KycAction.POLICY_WITHDRAWN
    notice = KycNotice.POLICY_PROPOSED
    brand_path = "brand_id"
    related = ("brand",)
    one_open = ("brand",)
    done = gettext_lazy("KYC policy changed.")

    def apply(self, item: VerdictPolicyProposal, actor: User, **given: Any) -> None:
        """Write the version; from today where its day has passed while it waited. Raises: DomainError."""
        brand = lock(Brand, item.brand_id)
        VerdictPolicy.objects.create(
            brand=brand,
            number=next_number(brand),
            rules=checked(Rules.read(item.rules)).body(),
            effective_on=max(item.effective_on, today(brand)),
            set_by=item.requested_by,
            set_at=timezone.now(),
            reason=item.reason,
        )

    def title(self, item: VerdictPolicyProposal) -> LocalizedText:
        return phrase("KYC policy of %(brand)s") % {"brand": item.brand.name}

    def url(self, item: VerdictPolicyProposal) -> str:
        return f"/kyc/policy/{item.brand_id}/"

    def changes(self, item: VerdictPolicyProposal) -> Sequence[Change]:
        before = rules_on(item.brand, today(item.brand))
        return [
            *(Change(line.label, line.after, line.before) for line in differences(before, Rules.read(item.rules))),
            Change(_("Effective from"), formats.day(item.effective_on)),
        ]

    def before(self, item: VerdictPolicyProposal) -> dict[str, Any]:
        return {"rules": rules_on(item.brand, today(item.brand)).body()}

    def after(self, item: VerdictPolicyProposal) -> dict[str, Any]:
        return {"rules": item.rules, "effective_on": item.effective_on.isoformat()}
