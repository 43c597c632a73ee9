"""Personal data in what a webhook sends: proposed by one person for one address, approved by another."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.audit_codes import CrmAction
from crm.choices import WebhookState
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User, WebhookDataProposal, WebhookEndpoint
from crm.notices.kinds import CrmNotice
from crm.outbound.endpoints import locked_endpoint
from crm.security import audit
from crm.staff.event_subscriptions import MANAGES


class WebhookDataApproval(approvals.ApprovalKind[WebhookDataProposal]):
    """Name, e-mail address, phone and country of the client are in every message to the address from now on."""

    model = WebhookDataProposal
    code = "webhook-data"
    label = gettext_lazy("Personal data in a webhook")
    asks = decides = MANAGES
    proposed, approved = CrmAction.WEBHOOK_DATA_PROPOSED, CrmAction.WEBHOOK_DATA_APPROVED
    rejected, withdrawn = CrmAction.WEBHOOK_DATA_REJECTED, CrmAction.WEBHOOK_DATA_WITHDRAWN
    notice = CrmNotice.WEBHOOK_DATA_PROPOSED
    brand_path = "endpoint__brand_id"
    related: ClassVar[tuple[str, ...]] = ("endpoint__brand",)
    one_open: ClassVar[tuple[str, ...]] = ("endpoint",)
    done = gettext_lazy("Approved: personal data is sent from now on.")

    def lock(self, pk: int) -> WebhookDataProposal:
        item = self.rows().get(pk=pk)
        endpoint = lock(WebhookEndpoint, item.endpoint_id, "brand", "subscription")
        item = super().lock(pk)
        item.endpoint = endpoint
        return item

    def apply(self, item: WebhookDataProposal, actor: User, **given: Any) -> None:
        endpoint = item.endpoint
        if endpoint.state == WebhookState.ARCHIVED:
            raise WrongState(_("This webhook is archived."))
        if endpoint.url != item.url:
            raise WrongState(_("The address has changed since this was proposed. Reject it."))
        endpoint.has_personal_data = True
        endpoint.save(update_fields=["has_personal_data"])

    def title(self, item: WebhookDataProposal) -> LocalizedText:
        return phrase("Personal data for webhook %(name)s") % {"name": item.endpoint.name}

    def url(self, item: WebhookDataProposal) -> str:
        return item.endpoint.get_absolute_url()

    def changes(self, item: WebhookDataProposal) -> list[Change]:
        return [
            Change(gettext_lazy("Address"), item.url),
            Change(gettext_lazy("Added to each message"), _("Name, e-mail address, phone, country and language")),
        ]

    def after(self, item: WebhookDataProposal) -> dict[str, Any]:
        return {"webhook": item.endpoint_id, "url": item.url}


@transaction.atomic
def propose_personal_data(*, endpoint_id: int, actor: User, reason: str) -> WebhookDataProposal:
    """Propose that a webhook's messages hold the client's personal data; another person decides.

    Who: `crm.manage_events`, reaching the whole brand. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    endpoint = locked_endpoint(endpoint_id, actor)
    if endpoint.has_personal_data:
        raise WrongState(_("Nothing to change: this is already set."))
    return approvals.propose(WebhookDataProposal(endpoint=endpoint, url=endpoint.url, reason=reason), actor=actor)


@transaction.atomic
def end_personal_data(*, endpoint_id: int, actor: User) -> WebhookEndpoint:
    """Have messages written from now on without personal data. Who: as for proposing it. Raises: NotAllowed, WrongState."""
    endpoint = locked_endpoint(endpoint_id, actor)
    if not endpoint.has_personal_data:
        raise WrongState(_("Nothing to change: this is already set."))
    endpoint.has_personal_data = False
    endpoint.save(update_fields=["has_personal_data"])
    audit.record(actor=actor, action=CrmAction.WEBHOOK_DATA_ENDED, target=endpoint, brand_id=endpoint.brand_id)
    return endpoint
