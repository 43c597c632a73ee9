"""A new partner's way in: an e-mail with a link, good once, behind which they choose a password."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.accounts import links
from crm.accounts.passwords import absolute
from crm.choices import LinkKind
from crm.models import Actor
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.security import audit, policies
from ib.audit_codes import IbAction
from ib.models import Partner
from ib.policies import can_manage_partners


@transaction.atomic
def invite(partner: Partner, *, actor: Actor) -> None:
    """Send a partner the link to their pages; a link sent before stops working. Who: `ib.manage_partners`."""
    policies.require(can_manage_partners(actor, partner.brand_id))
    send_invitation(partner, actor=actor)


def send_invitation(partner: Partner, *, actor: Actor) -> None:
    """Send the link for whoever was allowed to make the partner active."""
    user = partner.user
    _link, token = links.issue(kind=LinkKind.INVITATION, user=user, actor=actor)
    address = absolute(reverse("partner_welcome", kwargs={"token": token}))
    audit.record(actor=actor, action=IbAction.PARTNER_INVITED, target=partner, brand_id=partner.brand_id)
    mail.send(
        kind="ib.invitation",
        to=Recipient(user.email, user.language, partner.brand),
        is_secret=True,
        letter=lambda: Letter(
            subject=_("Your partner portal at %(brand)s") % {"brand": partner.brand},
            greeting=_("Hello %(name)s,") % {"name": partner.name},
            paragraphs=(
                _(
                    "You're now a partner of %(brand)s. The partner portal shows your links, your clients "
                    "and the commission on each of their trades."
                )
                % {"brand": partner.brand},
                _("Choose a password to open it. The link can be used once and expires after three days."),
            ),
            button=(_("Choose a password"), address),
        ),
    )
