"""Which partner a client is credited to: the first touch or the last one, as the brand's policy of the day says.

A touch is an enquiry or visit with a partner's code. Enquiries are kept as leads, for as long as there are any; visits are in the
browser's cookie for 30 days: the first one, and the newest.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from clients.models import Client
from crm.i18n.localized_text import localize, phrase
from crm.models import Brand
from ib.attribution import Visit, attribute_client, link_of
from ib.brand_policies import PARTNER_LOCK_IN_DAYS, PARTNER_TOUCH, PARTNER_TOUCH_DAYS, PartnerTouch
from ib.choices import PartnerState
from ib.models import Attribution, ReferralLink
from leads.attribution import Origin
from leads.models import Lead

TOUCHES_MAX = 200


@dataclass(frozen=True)
class Touch:
    """One enquiry or visit with a partner's code."""

    at: dt.datetime
    code: str
    sub_id: str = ""
    click_id: str = ""


def credited_touch(client: Client, origin: Origin) -> Touch | None:
    """Find the touch that a registration is credited to; None where no active link of the brand has been touched in time."""
    now = timezone.now()
    since = now - dt.timedelta(days=PARTNER_TOUCH_DAYS.of(client.brand))
    touches = [touch for touch in _touches(client, origin, now) if touch.at >= since]
    known = _active_codes(client.brand, {touch.code for touch in touches})
    good = [touch for touch in touches if touch.code in known]
    if not good:
        return None
    return good[0] if PARTNER_TOUCH.of(client.brand) == PartnerTouch.FIRST else good[-1]


def _touches(client: Client, origin: Origin, now: dt.datetime) -> list[Touch]:
    rows = client.leads.exclude(referral_code="").order_by("-captured_at", "-pk")
    enquiries = rows.values_list("captured_at", "referral_code", "sub_id", "click_id")[:TOUCHES_MAX]
    touches = [Touch(at, code.strip().lower(), sub_id, click_id) for at, code, sub_id, click_id in enquiries]
    if first := origin.first:
        at = dt.datetime.fromtimestamp(first.at, dt.UTC)
        touches.append(Touch(at, first.code.strip().lower(), first.sub_id, first.click_id))
    if origin.referral_code:
        touches.append(Touch(now, origin.referral_code.strip().lower(), origin.sub_id, origin.click_id))
    return sorted(touches, key=lambda touch: touch.at)


def _active_codes(brand: Brand, codes: set[str]) -> set[str]:
    links = ReferralLink.objects.filter(
        code__in=codes, is_active=True, partner__state=PartnerState.ACTIVE, partner__brand=brand
    )
    return set(links.values_list("code", flat=True))


def follow_return(*, lead_id: int) -> Attribution | None:
    """Credit a registered client to another partner through whose link they came back, once the lock-in has ended.

    Who: the system, as the enquiry is captured. Does nothing where the brand's clients are locked in for good.
    """
    lead = Lead.objects.select_related("client", "brand").get(pk=lead_id)
    days = PARTNER_LOCK_IN_DAYS.of(lead.brand)
    if not days or not lead.referral_code or lead.client.registered_at is None:
        return None
    held = Attribution.objects.filter(client_id=lead.client_id, ends_at__isnull=True).first()
    link = link_of(lead.brand_id, lead.referral_code)
    if held is None or link is None or link.partner_id == held.partner_id or link.partner.client_id == lead.client_id:
        return None
    if held.starts_at + dt.timedelta(days=days) > lead.captured_at:
        return None
    return attribute_client(
        client_id=lead.client_id,
        partner_id=link.partner_id,
        actor=None,
        visit=Visit(link, lead.sub_id, lead.click_id),
        reason=localize(phrase("Returned through another partner's link after the lock-in period")),
    )
