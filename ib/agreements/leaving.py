"""A partner leaves with a date: they earn until the end of their last day, then the account closes automatically."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.due.kinds import DueKind, declare
from crm.due.rows import cancel, due
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, DueRow
from crm.notices.notify import notify
from crm.security import audit, policies
from ib import partners
from ib.audit_codes import IbAction
from ib.choices import IbNotice, PartnerRight, PartnerState
from ib.models import Partner
from ib.policies import can_manage_partners
from ib.team.rights import team_with

DAYS_MAX: Final = 365


@transaction.atomic
def set_last_day(*, partner_id: int, on: dt.date | None, reason: str, actor: Actor) -> Partner:
    """Set the last day of a partner, by the brand's calendar, or with `on=None` have them stay; they are notified.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, WrongState for one who isn't a partner (any more), DomainError.
    """
    partner = lock(Partner, partner_id, "brand")
    policies.require(can_manage_partners(actor, partner.brand_id))
    if partner.state not in (PartnerState.ACTIVE, PartnerState.BLOCKED):
        raise WrongState(_("Only an active or blocked partner can leave."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    now = today(partner.brand)
    if on is not None and not now <= on <= now + dt.timedelta(days=DAYS_MAX):
        raise DomainError(_("Enter a day from today on, within a year."))
    before, partner.last_day, partner.leaving_reason = partner.last_day, on, reason.strip()[:200] if on else ""
    partner.save(update_fields=["last_day", "leaving_reason"])
    if on is None:
        cancel(LEAVING, partner.pk)
    else:
        ends = dt.datetime.combine(on + dt.timedelta(days=1), dt.time(), tzinfo=ZoneInfo(partner.brand.time_zone))
        due(LEAVING, key=partner.pk, at=ends, brand_id=partner.brand_id)
    audit.record(
        actor=actor,
        action=IbAction.LAST_DAY_SET,
        target=partner,
        brand_id=partner.brand_id,
        before={"last_day": before.isoformat() if before else None},
        after={"last_day": on.isoformat() if on else None},
        reason=reason.strip()[:200],
    )
    notify(
        team_with(partner, PartnerRight.MANAGE_TEAM),
        kind=IbNotice.PARTNER_LEAVES,
        title=phrase("The end of your partnership has changed"),
        body=phrase("Your last day is %(day)s.") % {"day": on} if on else phrase("It continues."),
        url="/partners/",
    )
    return partner


def _leave(row: DueRow) -> None:
    """Close a partner whose last day is over, unless it was taken back or moved meanwhile."""
    partner = lock(Partner, int(row.key), "brand")
    is_over = partner.last_day is not None and partner.last_day < today(partner.brand)
    if is_over and partner.state in (PartnerState.ACTIVE, PartnerState.BLOCKED):
        partners.set_state(partner, PartnerState.CLOSED, actor=None, reason=partner.leaving_reason)


LEAVING: Final = declare(DueKind("ib.partner_leaves", gettext_lazy("Partner leaves"), _leave))
