"""Setting a service for text messages up: proposed by one person, approved by another."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.audit_codes import ClientsAction
from clients.canonical import canonical_phone
from clients.choices import ClientsNotice
from clients.models import TextService, TextServiceProposal
from clients.texting import policies
from clients.texting.adapters import ADAPTERS
from crm.connections.setup import ConnectionApproval, ConnectionSetup
from crm.errors import DomainError
from crm.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class TextServiceSetup(ConnectionSetup):
    """A service as it shall be. A number that is empty: the channel isn't used."""

    sms_number: str
    whatsapp_number: str


class TextServiceApproval(ConnectionApproval[TextService, TextServiceProposal]):
    """A connection to a service for SMS and WhatsApp."""

    model, connection, adapters = TextServiceProposal, TextService, ADAPTERS
    code = "text-service"
    label = gettext_lazy("SMS service")
    path = "/sms/services/"
    own = ("sms_number", "whatsapp_number")
    asks = decides = policies.SETS_UP
    proposed, approved = ClientsAction.TEXT_SERVICE_PROPOSED, ClientsAction.TEXT_SERVICE_APPROVED
    rejected, withdrawn = ClientsAction.TEXT_SERVICE_REJECTED, ClientsAction.TEXT_SERVICE_WITHDRAWN
    tested = ClientsAction.TEXT_SERVICE_TESTED
    notice = ClientsNotice.TEXT_SERVICE_PROPOSED
    done = gettext_lazy("SMS service set up. Test the connection to be sure.")
    adapter_label, choose = gettext_lazy("Service"), gettext_lazy("Choose a service.")
    another_in_use = gettext_lazy("Another SMS service of this brand is in use. Switch it off first.")

    def check(self, setup: TextServiceSetup) -> None:
        numbers = [number for number in (setup.sms_number, setup.whatsapp_number) if number]
        if not numbers:
            raise DomainError(_("Enter the number for SMS, for WhatsApp, or both."))
        if any(canonical_phone(number) != number for number in numbers):
            raise DomainError(_("Enter the number with its country code, e.g. +442071838750."))

    def shown(self, row: TextService | TextServiceProposal) -> dict[str, str]:
        return {_("Number for SMS"): row.sms_number or "–", _("Number for WhatsApp"): row.whatsapp_number or "–"}


def propose_text_service(
    *, brand_id: int, setup: TextServiceSetup, actor: User, reason: str, service_id: int | None = None
) -> TextServiceProposal:
    """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_policies` on the whole brand. Raises: as `ConnectionApproval.propose`, DomainError (numbers).
    """
    kind = TextServiceApproval()
    return kind.propose(setup, brand_id=brand_id, actor=actor, reason=reason, connection_id=service_id)


def test_text_service(*, service_id: int, actor: User) -> str:
    """Ask the service for something harmless with our keys; empty when it is good, else what is wrong. Kept for the page.

    Who: `crm.manage_policies` on the whole brand.
    """
    return TextServiceApproval().test(service_id, actor)
