"""Whose client a client is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import TimelineKind
from clients.models import Client
from clients.timeline import add_entry
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.security import audit, policies
from ib import links
from ib.audit_codes import IbAction
from ib.choices import AttributionMethod, PartnerState
from ib.models import Attribution, Partner, ReferralLink
from ib.policies import can_manage_partners
from leads.distribution.referrers import register_owners


@dataclass(frozen=True)
class Visit:
    """The visit that somebody registered from: the link, the partner's sub-id, and the click in the partner's own system."""

    link: ReferralLink
    sub_id: str = ""
    click_id: str = ""


@transaction.atomic
def attribute_client(
    *,
    client_id: int,
    partner_id: int | None,
    actor: Actor,
    reason: str = "",
    visit: Visit | None = None,
    at: dt.datetime | None = None,
) -> Attribution | None:
    """Make a client a partner's, from now on; with `partner_id=None` nobody's. Trades before stay with whom they were.

    Who: `ib.manage_partners` at the brand. Raises: WrongState where it is so already, DomainError across brands or on
    a partner's own record.
    """
    client = lock(Client, client_id)
    policies.require(can_manage_partners(actor, client.brand_id))
    partner = Partner.objects.get(pk=partner_id) if partner_id is not None else None
    return move_client(client, partner, actor=actor, reason=reason, visit=visit, at=at)


def check_pair(client: Client, partner: Partner) -> None:
    """Refuse a partner of another brand, or the client's own. Raises: DomainError."""
    if partner.brand_id != client.brand_id:
        raise DomainError(_("The partner and the client belong to different brands."))
    if partner.client_id == client.pk:
        raise DomainError(_("A partner can't refer themselves."))


def move_client(
    client: Client,
    partner: Partner | None,
    *,
    actor: Actor,
    reason: str = "",
    visit: Visit | None = None,
    at: dt.datetime | None = None,
) -> Attribution | None:
    """Move a locked client as `attribute_client` does; the caller has decided who may."""
    if partner is not None:
        check_pair(client, partner)
    partner_id = partner.pk if partner else None
    now = at or timezone.now()
    current = Attribution.objects.filter(client=client, ends_at__isnull=True).first()
    if (current.partner_id if current else None) == partner_id:
        raise WrongState(_("Nothing to change: this is already set."))
    if current is not None:
        current.ends_at = now
        current.save(update_fields=["ends_at"])
    attribution = None
    if partner is not None:
        attribution = Attribution.objects.create(
            client=client,
            partner=partner,
            link=visit.link if visit else None,
            method=AttributionMethod.LINK if visit else AttributionMethod.MANUAL,
            sub_id=visit.sub_id if visit else "",
            click_id=visit.click_id if visit else "",
            starts_at=now,
            made_by=actor,
            reason=reason,
        )
    audit.record(
        actor=actor,
        action=IbAction.CLIENT_ATTRIBUTED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"partner": current.partner_id if current else None},
        after={"partner": partner_id},
        reason=reason,
    )
    add_entry(
        client_id=client.pk,
        kind=TimelineKind.PARTNER,
        body=reason,
        actor=actor,
        title=phrase("Referred by %(partner)s") % {"partner": partner}
        if partner
        else phrase("No longer referred by a partner"),
    )
    return attribution


def link_of(brand_id: int, code: str) -> ReferralLink | None:
    """Find the link with this code, clicked or typed, that may refer clients of the brand; None if it may not, or no longer."""
    found = ReferralLink.objects.select_related("partner").filter(
        code=code.strip().lower(), is_active=True, partner__state=PartnerState.ACTIVE, partner__brand_id=brand_id
    )
    return found.first()


def attribute_registration(*, client_id: int, code: str, sub_id: str = "", click_id: str = "") -> Attribution | None:
    """Attribute a client who registered with a referral code to that link's partner, once and for all.

    Does nothing for an unknown or switched-off code, a code of another brand, a partner who isn't active, or a client
    who is already somebody's: the first referral counts.
    """
    client = Client.objects.get(pk=client_id)
    link = link_of(client.brand_id, code)
    if link is None or link.partner.client_id == client.pk:
        return None
    if Attribution.objects.filter(client_id=client_id, ends_at__isnull=True).exists():
        return None
    attribution = attribute_client(
        client_id=client_id,
        partner_id=link.partner_id,
        actor=None,
        visit=Visit(link, sub_id, click_id),
        at=client.registered_at,
    )
    links.count(link, registrations=1, sub_id=sub_id, country=client.country)
    return attribution


@register_owners
def owners_of_partners(brand_id: int, codes: Collection[str]) -> dict[str, int]:
    """Find who looks after the partners with these codes, for the routing of leads: the record's owner, else the IB manager."""
    links = ReferralLink.objects.filter(
        code__in={code.strip().lower() for code in codes},
        is_active=True,
        partner__state=PartnerState.ACTIVE,
        partner__brand_id=brand_id,
    )
    rows = links.values_list("code", "partner__client__owner_id", "partner__manager_id")
    by_code = {code: owner_id or manager_id for code, owner_id, manager_id in rows}
    return {code: owner for code in codes if (owner := by_code.get(code.strip().lower()))}
