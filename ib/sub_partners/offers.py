"""Offering plans to sub-partners: a link of its own for each, behind which somebody applies on these terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.models import Actor
from crm.security import audit, policies
from ib.audit_codes import IbAction
from ib.choices import PartnerState
from ib.codes import new_code
from ib.models import Partner, SubPartnerOffer
from ib.models.plans import RATIO_MOST
from ib.policies import can_invite
from ib.sub_partners.limits import Limits, limits_of, pay_of

OFFERS_MAX: Final = 20


@transaction.atomic
def create_offer(*, partner_id: int, name: str, plan_id: int, percent: Decimal, actor: Actor) -> SubPartnerOffer:
    """Offer a plan to sub-partners, at so many per cent of its rates; nobody is on it before two people approve an applicant.

    Who: the partner's owners, and `ib.manage_partners` at the brand. Raises: NotAllowed; WrongState for a partner who isn't
    active or has no plan; DomainError with the exact limit where it pays more than the partner's own agreement allows.
    """
    partner = lock(Partner, partner_id, "brand")
    policies.require(can_invite(actor, partner))
    if partner.state != PartnerState.ACTIVE:
        raise WrongState(_("Only active partners invite sub-partners."))
    name = name.strip()
    open_offers = partner.offers.filter(withdrawn_at__isnull=True)
    if open_offers.count() >= OFFERS_MAX:
        raise DomainError(_("You have %(count)s offers already. Withdraw one first.") % {"count": OFFERS_MAX})
    if not name or open_offers.filter(name=name).exists():
        raise DomainError(_("Enter a name that none of your other offers has."))
    require_within_limits(partner, plan_id, percent)
    offer = SubPartnerOffer.objects.create(
        partner=partner, name=name, plan_id=plan_id, percent=percent, code=new_code(), made_by=actor
    )
    audit.record(
        actor=actor,
        action=IbAction.OFFER_CREATED,
        target=partner,
        brand_id=partner.brand_id,
        after={"offer": offer.pk, "plan": plan_id, "percent": str(percent)},
    )
    return offer


@transaction.atomic
def withdraw_offer(*, offer_id: int, actor: Actor) -> SubPartnerOffer:
    """Withdraw an offer: its link takes no applications any more. Who applied before keeps what they applied for.

    Who: as for making one. Raises: NotAllowed, WrongState where it is withdrawn already.
    """
    offer = lock(SubPartnerOffer, offer_id, "partner")
    policies.require(can_invite(actor, offer.partner))
    if offer.withdrawn_at is not None:
        raise WrongState(_("This offer was withdrawn already."))
    offer.withdrawn_at = timezone.now()
    offer.save(update_fields=["withdrawn_at"])
    audit.record(
        actor=actor,
        action=IbAction.OFFER_WITHDRAWN,
        target=offer.partner,
        brand_id=offer.partner.brand_id,
        before={"offer": offer.pk},
    )
    return offer


def require_within_limits(partner: Partner, plan_id: int, percent: Decimal) -> Limits:
    """Raise, with the exact limit, where a plan pays a sub-partner more than the partner's own agreement allows.

    Raises: WrongState without an agreement; DomainError beyond it, or for a plan that isn't offered.
    """
    limits, offer = limits_of(partner), pay_of(plan_id, percent)
    if limits is None:
        raise WrongState(_("%(partner)s has no plan that pays anything now.") % {"partner": partner.name})
    if not 0 < percent <= RATIO_MOST:
        raise DomainError(_("A personal ratio is more than 0 and at most %(most)s %%.") % {"most": RATIO_MOST})
    is_own = plan_id == limits.own.version.plan_id
    if offer is None or offer.version.plan.brand_id != partner.brand_id:
        raise DomainError(_("Choose a plan that is in force."))
    if not is_own and not offer.version.plan.is_for_sub_partners:
        raise DomainError(_("This plan isn't offered to sub-partners."))
    excess = next(limits.excesses(offer), None)
    if excess is not None:
        most = limits.most_percent(offer.version, offer.card)
        hint = _("At most %(percent)s %% of this plan's rates can be offered.") % {"percent": formats.number(most)}
        raise DomainError(f"{excess.text} {hint}" if most else excess.text)
    return limits


def offer_of_code(code: str) -> SubPartnerOffer | None:
    """Find the open offer of an active partner behind an invitation link."""
    return (
        SubPartnerOffer.objects.select_related("partner__brand", "partner__manager", "plan")
        .filter(code=code.lower(), withdrawn_at__isnull=True, partner__state=PartnerState.ACTIVE)
        .first()
    )


def offers_of(partner: Partner) -> QuerySet[SubPartnerOffer]:
    """List a partner's open offers with how many applied and how many of them are active."""
    return (
        partner.offers.filter(withdrawn_at__isnull=True)
        .select_related("plan")
        .annotate(
            applied=Count("applications"),
            active=Count("applications", filter=Q(applications__partner__state=PartnerState.ACTIVE)),
        )[:OFFERS_MAX]
    )


def offer_url(offer: SubPartnerOffer, request: HttpRequest) -> str:
    """Build the address behind which somebody applies on an offer's terms."""
    return request.build_absolute_uri(reverse("partner_join", kwargs={"code": offer.code}))
