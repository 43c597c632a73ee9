"""What a partner's team is notified of: their status, their agreement and terms, and who joined below them."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import Q
from django.utils import timezone

from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.notices.notify import notify
from ib.choices import IbNotice, PartnerRight, PartnerState
from ib.models import Partner, PartnerLink, PartnerPlan, PlanVersion
from ib.team.rights import RIGHTS, team_with

# An import dates moves back: they are no news.
MOVED_LATELY: Final = dt.timedelta(days=1)
STATE_TITLES: Final = {
    PartnerState.BLOCKED: phrase("Your partner account is suspended"),
    PartnerState.ACTIVE: phrase("Your partner account is active again"),
    PartnerState.CLOSED: phrase("Your partnership has ended"),
}
STATE_TEXTS: Final = {
    PartnerState.BLOCKED: phrase("You earn no commission on new trades. Contact your partner manager."),
    PartnerState.ACTIVE: phrase("Trades closed from now on earn you commission again."),
    PartnerState.CLOSED: phrase("What you earned is settled as usual."),
}


def _has_begun(partner: Partner) -> bool:
    """Whether the partner has ever signed in. Who was only imported, or invited, isn't sent what staff set up."""
    return partner.user.last_login is not None


def notify_of_state(partner: Partner, state: PartnerState, *, key: str) -> None:
    """Notify the team's owners that the partner was suspended, reinstated or closed. Staff's reason stays with staff."""
    if not _has_begun(partner):
        return
    notify(
        team_with(partner, PartnerRight.MANAGE_TEAM),
        kind=IbNotice.STATUS_CHANGED,
        title=STATE_TITLES[state],
        body=STATE_TEXTS[state],
        url="/partners/",
        dedupe_key=f"ib.status:{key}",
    )


def notify_of_agreement(partner: Partner, text: LocalizedText) -> None:
    """Notify the team that another plan, or another part of it, pays them from now on."""
    notify(
        team_with(partner, PartnerRight.SEE_MONEY),
        kind=IbNotice.AGREEMENT_CHANGED,
        title=phrase("Your agreement has changed"),
        body=text,
        url="/partners/",
    )


def notify_of_terms(partner: Partner) -> None:
    """Notify the team that they are settled and paid by other terms from now on."""
    notify(
        team_with(partner, PartnerRight.SEE_MONEY),
        kind=IbNotice.AGREEMENT_CHANGED,
        title=phrase("Your settlement terms have changed"),
        body=phrase("See the payouts page."),
        url="/partners/payouts/",
    )


def notify_of_version(version: PlanVersion) -> None:
    """Notify everyone who is paid by a plan that other rates apply from a day on."""
    held = PartnerPlan.objects.filter(plan_id=version.plan_id, ends_at__isnull=True).values("partner")
    roles = [role for role, rights in RIGHTS.items() if PartnerRight.SEE_MONEY in rights]
    member = Q(
        partner_membership__partner__in=held, partner_membership__role__in=roles, partner_membership__removed_at=None
    )
    readers = User.objects.filter(Q(partner__in=held, partner__state=PartnerState.ACTIVE) | member)
    notify(
        list(readers.values_list("pk", flat=True).distinct()),
        kind=IbNotice.AGREEMENT_CHANGED,
        title=phrase("The rates of your plan change"),
        body=phrase("New rates of “%(plan)s” from %(day)s.")
        % {"plan": version.plan.name, "day": version.starts_at.astimezone(dt.UTC).date()},
        url="/partners/",
        dedupe_key=f"ib.version:{version.pk}",
    )


def notify_of_joining(partner: Partner, *, is_approved: bool) -> None:
    """Notify the team directly above that an active partner joined below them, by approval or by a move of the last day."""
    link = PartnerLink.objects.select_related("parent__user").filter(partner=partner, ends_at__isnull=True).first()
    if link is None or partner.state != PartnerState.ACTIVE:
        return
    if not _has_begun(link.parent) or (not is_approved and timezone.now() - link.starts_at > MOVED_LATELY):
        return
    notify(
        team_with(link.parent, PartnerRight.SEE_NETWORK),
        kind=IbNotice.NETWORK_JOINED,
        title=phrase("%(partner)s joined your network") % {"partner": partner.name},
        url="/partners/network/",
        dedupe_key=f"ib.joined:{link.parent_id}:{partner.pk}",
    )
