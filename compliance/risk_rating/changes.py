"""A new version of a brand's risk model: one person proposes the draft, another approves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating
from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice, RiskGroup
from compliance.models import RiskModel, RiskModelDraft, RiskModelProposal
from compliance.risk_rating.content import Content, Factor, check
from compliance.risk_rating.drafts import RIGHT, can_change, edited
from compliance.risk_rating.rating import rate_brand_again
from compliance.risk_rating.versions import content_on, next_number
from crm import approvals
from crm.approvals import Change
from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, User
from crm.security.policies import require

DAYS_AHEAD_MAX: Final = 366


@transaction.atomic
def propose_model(*, brand_id: int, effective_on: dt.date, actor: User, reason: str) -> RiskModelProposal:
    """Propose the draft of a brand's risk model as its next version, from a day on.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: NotAllowed, DomainError (the model can't be used, a past
    day, no reason), WrongState (nothing would change, or a proposal waits).
    """
    require(can_change(actor, brand_id))
    brand = lock(Brand, brand_id)
    content, _draft = edited(brand)
    check(content, brand_id)
    first, last = today(brand), today(brand) + dt.timedelta(days=DAYS_AHEAD_MAX)
    if not first <= effective_on <= last:
        raise DomainError(
            _("Enter a day from today to %(last)s: what held in the past stays as it was.")
            % {"last": formats.day(last)}
        )
    if content == content_on(brand, effective_on):
        raise WrongState(_("This is already the risk model on that day."))
    return approvals.propose(
        RiskModelProposal(brand=brand, content=content.body(), effective_on=effective_on, reason=reason), actor=actor
    )


class RiskModelApproval(approvals.ApprovalKind[RiskModelProposal]):
    """A version of the risk model. Who decides holds the same right as who proposes, on the whole brand."""

    model = RiskModelProposal
    code = "risk-model"
    label = gettext_lazy("Risk model")
    asks = decides = RIGHT
    proposed, approved = ComplianceAction.RISK_MODEL_PROPOSED, ComplianceAction.RISK_MODEL_APPROVED
    rejected, withdrawn = ComplianceAction.RISK_MODEL_REJECTED, ComplianceAction.RISK_MODEL_WITHDRAWN
    notice = ComplianceNotice.RISK_MODEL_PROPOSED
    brand_path = "brand_id"
    related = ("brand",)
    one_open = ("brand",)
    done = gettext_lazy("Risk model changed. Clients are rated again when it takes effect.")

    def apply(self, item: RiskModelProposal, actor: User, **given: Any) -> None:
        """Write the version and have the brand rated on its day, today where that passed meanwhile. Raises: DomainError."""
        brand = lock(Brand, item.brand_id)
        content = Content.read(item.content)
        check(content, brand.pk)
        version = RiskModel.objects.create(
            brand=brand,
            number=next_number(brand),
            content=content.body(),
            effective_on=max(item.effective_on, today(brand)),
            set_by=item.requested_by,
            approved_by=actor,
            set_at=timezone.now(),
            reason=item.reason,
        )
        RiskModelDraft.objects.filter(brand=brand, content=content.body()).delete()
        begins = dt.datetime.combine(version.effective_on, dt.time(), ZoneInfo(brand.time_zone or "UTC"))
        rate_brand_again(brand, cause="model", at=max(begins, timezone.now()), key=f"model-{version.pk}")

    def title(self, item: RiskModelProposal) -> LocalizedText:
        return phrase("Risk model of %(brand)s") % {"brand": item.brand.name}

    def url(self, item: RiskModelProposal) -> str:
        return f"/compliance/risk-model/{item.brand_id}/"

    def changes(self, item: RiskModelProposal) -> Sequence[Change]:
        before = content_on(item.brand, today(item.brand))
        return [
            *differences(before, Content.read(item.content)),
            Change(_("Effective from"), formats.day(item.effective_on)),
        ]

    def before(self, item: RiskModelProposal) -> dict[str, Any]:
        return {"content": content_on(item.brand, today(item.brand)).body()}

    def after(self, item: RiskModelProposal) -> dict[str, Any]:
        return {"content": item.content, "effective_on": item.effective_on.isoformat()}


def differences(before: Content, after: Content) -> Iterator[Change]:
    """List what a model changes in another one, line by line."""
    for rating, was, now in (
        (RiskRating.MEDIUM, before.medium_from, after.medium_from),
        (RiskRating.HIGH, before.high_from, after.high_from),
    ):
        if was != now:
            yield Change(_("%(rating)s from, points") % {"rating": rating.label}, now, was)
    for group in RiskGroup:
        if before.caps.get(group) != after.caps.get(group):
            name = _("%(group)s: at most, points") % {"group": group.label}
            yield Change(name, after.caps.get(group, "–"), before.caps.get(group, "–"))
    for code in dict.fromkeys(factor.code for factor in (*before.factors, *after.factors)):
        old, new = before.factor(code), after.factor(code)
        if old != new:
            name = new.name if new is not None else old.name if old is not None else code
            yield Change(name, described(new), described(old))


def described(factor: Factor | None) -> str:
    """Write a factor in one line."""
    if factor is None:
        return "–"
    least = _("at least %(rating)s") % {"rating": factor.at_least_label} if factor.at_least else ""
    points = _("%(points)s points") % {"points": factor.points}
    return f"{factor.sentence} ({RiskGroup(factor.group).label}): " + ", ".join(filter(None, [points, least]))
