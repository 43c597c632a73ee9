"""Applying to become a partner below the one who sent the link: staff approve, and only then is there a way in."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from crm.errors import DomainError
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify, people_with
from ib import partners
from ib.choices import IbNotice, PartnerState
from ib.models import Partner, ReferralLink
from ib.partners import PartnerDetails


def link_of_inviter(code: str) -> ReferralLink | None:
    """Find the active link of an active partner; nobody is invited by any other."""
    return (
        ReferralLink.objects.select_related("partner__brand", "partner__manager")
        .filter(code=code.lower(), is_active=True, partner__state=PartnerState.ACTIVE)
        .first()
    )


def invite_url(partner: Partner, request: HttpRequest) -> str:
    """Build the address for a partner's sub-partners; empty for a partner who can't invite."""
    link = partner.referral_links.filter(is_active=True).order_by("pk").first()
    return application_url(link.code, request) if link and partner.state == PartnerState.ACTIVE else ""


def apply_below(*, code: str, name: str, email: str) -> Partner | None:
    """Take the application of somebody whom a partner invited: a partner who awaits approval, below that partner.

    Who: anybody with the link. They earn nothing and can't sign in before staff activate and invite them. None where
    nothing was kept: an inactive link, or an address with a login already, which a stranger isn't told.
    """
    link = link_of_inviter(code)
    if link is None:
        return None
    inviter = link.partner
    details = PartnerDetails(
        name=name, email=email, currency=inviter.currency, parent_id=inviter.pk, manager=inviter.manager
    )
    try:
        with transaction.atomic():
            partner = partners.register_applicant(brand=inviter.brand, details=details)
            _notify_managers(partner, inviter)
    except DomainError:
        return None
    return partner


def _notify_managers(partner: Partner, inviter: Partner) -> None:
    notify(
        people_with("ib.manage_partners", brand_id=partner.brand_id),
        kind=IbNotice.PARTNER_APPLIED,
        title=phrase("Partner application: %(name)s") % {"name": partner.name},
        body=phrase("Invited by %(partner)s") % {"partner": inviter.name},
        url=partner.get_absolute_url(),
        dedupe_key=f"ib.partner_applied:{partner.pk}:{timezone.now():%Y-%m-%d}",
    )


def application_url(code: str, request: HttpRequest) -> str:
    """Build the whole address that a partner sends to somebody who should work below them."""
    return request.build_absolute_uri(reverse("partner_join", kwargs={"code": code}))
