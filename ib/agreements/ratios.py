"""Agreements by two people: a personal ratio of the plan's rates, and how the partner reads their clients' names."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from ib import plans
from ib.agreements.choices import ClientNames
from ib.agreements.scopes import USUAL, Scope, describe
from ib.audit_codes import IbAction
from ib.choices import IbNotice
from ib.models import Partner, PartnerPlan, RatioProposal
from ib.models.plans import RATIO_MOST, USUAL_PRIORITY


@transaction.atomic
def propose_ratio(
    *,
    partner_id: int,
    plan_id: int | None,
    percent: Decimal,
    actor: User,
    reason: str,
    scope: Scope = USUAL,
    client_names: str | None = None,
) -> RatioProposal:
    """Propose that an agreement pays so many per cent of its plan's rates, to all clients or within a scope.

    client_names: how it shows the partner their clients' names; None leaves that as it was agreed.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, DomainError (no plan, out of bounds), WrongState (one waits, it is
    so already, the plan isn't active).
    """
    partner = lock(Partner, partner_id, "brand")
    if plan_id is None:
        raise DomainError(_("Choose the plan that this agreement is about."))
    check_ratio(percent)
    _plan, held = plans.check_agreement(partner, plan_id, plans.Terms(percent, client_names), scope=scope)
    if client_names is None:
        client_names = held.client_names if held else ""
    item = RatioProposal(
        partner=partner,
        plan_id=plan_id,
        percent=percent,
        client_names=client_names,
        reason=reason.strip(),
        **scope.values,
    )
    return approvals.propose(item, actor=actor)


def check_ratio(percent: Decimal) -> None:
    """Raise DomainError for a ratio that is out of bounds."""
    if not 0 < percent <= RATIO_MOST:
        raise DomainError(_("A personal ratio is more than 0 and at most %(most)s %%.") % {"most": RATIO_MOST})


class RatioApproval(approvals.ApprovalKind[RatioProposal]):
    """The agreement holds from the approval on, for trades closed then."""

    model = RatioProposal
    code = "personal-ratio"
    label = pgettext_lazy("partner", "Agreement")
    asks, decides = "ib.manage_partners", "ib.approve_plan"
    proposed, approved = IbAction.RATIO_PROPOSED, IbAction.RATIO_APPROVED
    rejected, withdrawn = IbAction.RATIO_REJECTED, IbAction.RATIO_WITHDRAWN
    notice = IbNotice.RATIO_PROPOSED
    brand_path = "partner__brand_id"
    related = ("partner__brand", "plan", "link")
    one_open = ("partner",)
    done = gettext_lazy("Agreement approved. It applies from now on.")

    def lock(self, pk: int) -> RatioProposal:
        lock(Partner, RatioProposal.objects.values_list("partner_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: RatioProposal, actor: User, **given: Any) -> None:
        plans.agree(
            item.partner,
            item.plan_id,
            plans.Terms(item.percent, item.client_names),
            scope=Scope.of(item),
            actor=actor,
            reason=item.reason,
        )

    def title(self, item: RatioProposal) -> LocalizedText:
        return phrase("Agreement of %(partner)s") % {"partner": item.partner.name}

    def url(self, item: RatioProposal) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def target(self, item: RatioProposal) -> Partner:
        return item.partner

    def changes(self, item: RatioProposal) -> Sequence[Change]:
        held = _held(item)
        of_clients = _("All")
        if item.link is not None:
            of_clients = _("Link %(code)s") % {"code": item.link.code}
        elif item.client_id is not None:
            of_clients = f"#{item.client_id}"
        elif item.priority != USUAL_PRIORITY:
            of_clients = f"{item.priority}: {describe(item)}"
        return [
            Change(_("Clients"), of_clients),
            Change(_("Plan"), item.plan.name, held.plan.name if held and held.plan_id != item.plan_id else None),
            Change(
                _("Of the plan's rates"),
                f"{formats.number(item.percent)} %",
                f"{formats.number(held.percent)} %" if held and held.percent != item.percent else None,
            ),
            Change(
                _("Clients’ names"),
                names_label(item.client_names),
                names_label(held.client_names) if held and held.client_names != item.client_names else None,
            ),
        ]

    def after(self, item: RatioProposal) -> dict[str, Any]:
        names = {"client_names": item.client_names} if item.client_names else {}
        return {"plan": item.plan_id, "percent": str(item.percent), **names, **Scope.of(item).noted}


def names_label(names: str) -> str:
    """Write how an agreement shows clients' names."""
    return str(ClientNames(names).label if names else _("As the brand’s policy has it"))


def _held(item: RatioProposal) -> PartnerPlan | None:
    return (
        PartnerPlan.objects.filter(partner_id=item.partner_id, ends_at=None, **Scope.of(item).place)
        .select_related("plan")
        .first()
    )
