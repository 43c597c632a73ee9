"""Approving an applicant: who manages partners proposes a plan, and a second person approves both."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.countries import country_name
from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.security import policies
from ib import partners, plans, tree
from ib.applications import invitations
from ib.audit_codes import IbAction
from ib.brand_policies import PARTNER_VERIFICATION
from ib.choices import IbNotice, PartnerState
from ib.models import Partner, PartnerApplication, PartnerApproval
from ib.models.plans import RATIO_MOST
from ib.policies import can_manage_partners
from ib.screening import partner_names
from ib.sub_partners import offers
from kyc.levels.reaching import level_required


def verification_missing(partner: Partner) -> str:
    """Say why a partner doesn't count as verified yet; empty when they do, or the brand doesn't ask for it."""
    if not PARTNER_VERIFICATION.of(partner.brand):
        return ""
    if partner.client is None:
        return _(
            "The applicant has no client record yet: it is linked once they register with the same e-mail address."
        )
    if partners.awaits_company(partner):
        return _(
            "They applied as a company, but the client record is a person's. They register the company in the client portal, "
            "under Become a partner. A person who is verified stays so, and the company is verified beside them."
        )
    if partner.client.kyc_level < level_required(partner.client):
        return _("The applicant's own client record isn't verified yet.")
    return ""


def _require_approvable(partner: Partner) -> None:
    if partner.state != PartnerState.PENDING:
        raise WrongState(_("This application was decided already."))
    missing = verification_missing(partner)
    if missing:
        raise WrongState(missing)
    partner_names.require_no_match(partner)


def _require_within_offer(partner: Partner, plan_id: int, percent: Decimal) -> None:
    """Hold who came by a partner's offer within the limits of that partner's agreement as it is now.

    Raises: WrongState, DomainError with the exact limit.
    """
    application = PartnerApplication.objects.filter(partner=partner, offer__isnull=False).first()
    inviter = tree.parent_of(partner) if application is not None else None
    if inviter is not None:
        offers.require_within_limits(inviter, plan_id, percent)


@transaction.atomic
def propose_approval(
    *, partner_id: int, plan_id: int, percent: Decimal = plans.WHOLE, reason: str, actor: User
) -> PartnerApproval:
    """Propose to activate an applicant on a plan, at so many per cent of its rates.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, DomainError (out of bounds), WrongState (decided already, not
    verified, a possible watchlist match, the plan isn't active or pays more than the inviting partner may offer, one waits).
    """
    partner = lock(Partner, partner_id, "brand", "client")
    policies.require(can_manage_partners(actor, partner.brand_id))
    if not 0 < percent <= RATIO_MOST:
        raise DomainError(_("A personal ratio is more than 0 and at most %(most)s %%.") % {"most": RATIO_MOST})
    _require_approvable(partner)
    plans.check_agreement(partner, plan_id, plans.Terms(percent))
    _require_within_offer(partner, plan_id, percent)
    item = PartnerApproval(partner=partner, plan_id=plan_id, percent=percent, reason=reason.strip())
    return approvals.propose(item, actor=actor)


@transaction.atomic
def reject_application(*, partner_id: int, reason: str, actor: Actor) -> Partner:
    """Reject an application; the applicant is informed, without the reason. Who: `ib.manage_partners` at the brand.

    Raises: NotAllowed, WrongState (decided already, or an approval waits), DomainError without a reason.
    """
    partner = lock(Partner, partner_id, "brand", "user")
    policies.require(can_manage_partners(actor, partner.brand_id))
    if partner.state != PartnerState.PENDING:
        raise WrongState(_("This application was decided already."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    if PartnerApproval.objects.filter(partner=partner, state=ApprovalState.PENDING).exists():
        raise WrongState(_("An approval awaits a second person. Withdraw it first."))
    partners.change_state(partner_id=partner.pk, to=PartnerState.CLOSED, actor=actor, reason=reason.strip())
    partner.refresh_from_db()
    mail.send(
        kind="ib.application_rejected",
        to=Recipient(partner.user.email, partner.user.language, partner.brand),
        dedupe_key=f"ib.application_rejected:{partner.pk}",
        letter=lambda: Letter(
            subject=_("Your partner application"),
            greeting=_("Hello %(name)s,") % {"name": partner.name},
            paragraphs=(
                _("Thank you for your interest in working with %(brand)s. We can't accept your application.")
                % {"brand": partner.brand},
            ),
        ),
    )
    return partner


class ApplicationApproval(approvals.ApprovalKind[PartnerApproval]):
    """The partner is active from the approval on, on the plan that both saw, and gets the invitation to sign in."""

    model = PartnerApproval
    code = "partner-application"
    label = gettext_lazy("Partner application")
    asks, decides = "ib.manage_partners", "ib.approve_plan"
    proposed, approved = IbAction.APPLICATION_PROPOSED, IbAction.APPLICATION_APPROVED
    rejected, withdrawn = IbAction.APPLICATION_REJECTED, IbAction.APPLICATION_WITHDRAWN
    notice = IbNotice.APPROVAL_PROPOSED
    brand_path = "partner__brand_id"
    related = ("partner__brand", "partner__user", "partner__client", "plan")
    one_open = ("partner",)
    done = gettext_lazy("Partner approved. Invitation sent.")

    def lock(self, pk: int) -> PartnerApproval:
        lock(Partner, PartnerApproval.objects.values_list("partner_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: PartnerApproval, actor: User, **given: Any) -> None:
        partner = item.partner
        _require_approvable(partner)
        _require_within_offer(partner, item.plan_id, item.percent)
        partners.set_state(partner, PartnerState.ACTIVE, actor=actor, reason=item.reason)
        plans.agree(partner, item.plan_id, plans.Terms(item.percent), actor=actor, reason=item.reason)
        invitations.send_invitation(partner, actor=actor)

    def title(self, item: PartnerApproval) -> LocalizedText:
        return phrase("Approve %(partner)s as partner") % {"partner": item.partner.name}

    def url(self, item: PartnerApproval) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def target(self, item: PartnerApproval) -> Partner:
        return item.partner

    def changes(self, item: PartnerApproval) -> Sequence[Change]:
        partner = item.partner
        application = (
            PartnerApplication.objects.filter(partner=partner).select_related("wording__version", "offer__plan").first()
        )
        above = tree.parent_of(partner)
        lines = [
            Change(_("Name or company"), partner.name),
            Change(_("Upline partner"), above.name if above else "–"),
            Change(_("Plan"), item.plan.name),
            Change(_("Of the plan's rates"), f"{formats.number(item.percent)} %"),
        ]
        if application is not None and application.offer is not None:
            offered = application.offer
            lines.append(
                Change(_("Offered by the upline"), f"{offered.plan.name}, {formats.number(offered.percent)} %")
            )
        if application is not None:
            version = application.wording.version
            lines += [
                Change(_("Country"), country_name(application.country)),
                Change(_("How clients are referred"), application.channels),
                Change(_("Partner agreement"), str(version.number) if version else _("Standard text")),
            ]
        return [*lines, Change(_("Verification"), verification_missing(partner) or _("Verified"))]

    def after(self, item: PartnerApproval) -> dict[str, Any]:
        return {"plan": item.plan_id, "percent": str(item.percent)}
