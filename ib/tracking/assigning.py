"""Clients assigned to a partner by hand: proposed by one person, approved by another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to
from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import NotFound, WrongState
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from ib import attribution
from ib.audit_codes import IbAction
from ib.choices import IbNotice
from ib.models import Attribution, AttributionProposal, Partner


@transaction.atomic
def propose_attribution(*, client_id: int, partner_id: int, reason: str, actor: User) -> AttributionProposal:
    """Propose that a client becomes a partner's from the approval on; trades before stay with whom they were.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, NotFound, WrongState (theirs already, one waits), DomainError
    (another brand, the partner's own record).
    """
    if not clients_visible_to(actor).filter(pk=client_id).exists():
        raise NotFound(_("This record no longer exists. Reload the page."))
    client = lock(Client, client_id, "brand")
    partner = Partner.objects.get(pk=partner_id)
    attribution.check_pair(client, partner)
    if Attribution.objects.filter(client=client, partner=partner, ends_at__isnull=True).exists():
        raise WrongState(_("Nothing to change: this is already set."))
    item = AttributionProposal(client=client, partner=partner, reason=reason.strip())
    return approvals.propose(item, actor=actor)


class AttributionApproval(approvals.ApprovalKind[AttributionProposal]):
    """The client is the partner's from the approval on."""

    model = AttributionProposal
    code = "client-attribution"
    label = gettext_lazy("Client assigned to a partner")
    asks, decides = "ib.manage_partners", "ib.settle_commissions"
    proposed, approved = IbAction.ATTRIBUTION_PROPOSED, IbAction.ATTRIBUTION_APPROVED
    rejected, withdrawn = IbAction.ATTRIBUTION_REJECTED, IbAction.ATTRIBUTION_WITHDRAWN
    notice = IbNotice.ATTRIBUTION_PROPOSED
    brand_path = "client__brand_id"
    related = ("client__brand", "partner")
    one_open = ("client",)
    done = gettext_lazy("Assignment approved. It applies to trades closed from now on.")

    def lock(self, pk: int) -> AttributionProposal:
        lock(Client, AttributionProposal.objects.values_list("client_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: AttributionProposal, actor: User, **given: Any) -> None:
        attribution.move_client(item.client, item.partner, actor=item.requested_by, reason=item.reason[:200])

    def title(self, item: AttributionProposal) -> LocalizedText:
        return phrase("Client #%(client)s to %(partner)s") % {
            "client": str(item.client_id),
            "partner": item.partner.name,
        }

    def url(self, item: AttributionProposal) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def changes(self, item: AttributionProposal) -> Sequence[Change]:
        held = Attribution.objects.filter(client=item.client, ends_at__isnull=True).select_related("partner").first()
        before = held.partner.name if held else None
        return [Change(_("Client"), f"#{item.client_id}"), Change(_("Partner"), item.partner.name, before)]

    def after(self, item: AttributionProposal) -> dict[str, Any]:
        return {"client": item.client_id, "partner": item.partner_id}
