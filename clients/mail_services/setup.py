"""Setting a mail service up: proposed by one person, approved by another."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from clients.audit_codes import ClientsAction
from clients.choices import ClientsNotice
from clients.mail_services import policies
from clients.mail_services.adapters import ADAPTERS
from clients.models import MailService, MailServiceProposal
from crm.connections.setup import ConnectionApproval, ConnectionSetup
from crm.models import User


class MailServiceApproval(ConnectionApproval[MailService, MailServiceProposal]):
    """A connection to a service that reports on our e-mails."""

    model, connection, adapters = MailServiceProposal, MailService, ADAPTERS
    code = "mail-service"
    label = gettext_lazy("E-mail service")
    path = "/mail/services/"
    asks = decides = policies.SETS_UP
    proposed, approved = ClientsAction.MAIL_SERVICE_PROPOSED, ClientsAction.MAIL_SERVICE_APPROVED
    rejected, withdrawn = ClientsAction.MAIL_SERVICE_REJECTED, ClientsAction.MAIL_SERVICE_WITHDRAWN
    tested = ClientsAction.MAIL_SERVICE_TESTED
    notice = ClientsNotice.MAIL_SERVICE_PROPOSED
    done = gettext_lazy("E-mail service set up. Enter its webhook address at the service.")
    adapter_label, choose = gettext_lazy("Service"), gettext_lazy("Choose a service.")
    another_in_use = gettext_lazy("Another e-mail service of this brand is in use. Switch it off first.")


def propose_mail_service(
    *, brand_id: int, setup: ConnectionSetup, actor: User, reason: str, service_id: int | None = None
) -> MailServiceProposal:
    """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_policies` on the whole brand. Raises: as `ConnectionApproval.propose`.
    """
    kind = MailServiceApproval()
    return kind.propose(setup, brand_id=brand_id, actor=actor, reason=reason, connection_id=service_id)


def test_mail_service(*, service_id: int, actor: User) -> str:
    """Check whether a webhook of the service came; empty when one did, else what is missing. Kept for the page.

    Who: `crm.manage_policies` on the whole brand.
    """
    return MailServiceApproval().test(service_id, actor)
