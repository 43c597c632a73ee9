"""Setting a mailbox up: proposed by one person, approved by another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.audit_codes import ClientsAction
from clients.choices import ClientsNotice
from clients.messages import policies
from clients.messages.imap import PORTS, ImapAdapter
from clients.models import Mailbox, MailboxProposal
from crm.connections.setup import ConnectionApproval, ConnectionSetup
from crm.errors import DomainError
from crm.models import User
from crm.outside import destinations

ADAPTERS: Final[dict[str, type[ImapAdapter]]] = {"imap": ImapAdapter}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSetup(ConnectionSetup):
    """A mailbox as it shall be."""

    address: str
    auth_server: str


class MailboxApproval(ConnectionApproval[Mailbox, MailboxProposal]):
    """A mailbox that clients write to."""

    model, connection, adapters = MailboxProposal, Mailbox, ADAPTERS
    code = "mailbox"
    label = gettext_lazy("E-mail account")
    path = "/mail/mailboxes/"
    own = ("address", "auth_server")
    asks = decides = policies.SETS_UP
    proposed, approved = ClientsAction.MAILBOX_PROPOSED, ClientsAction.MAILBOX_APPROVED
    rejected, withdrawn = ClientsAction.MAILBOX_REJECTED, ClientsAction.MAILBOX_WITHDRAWN
    tested = ClientsAction.MAILBOX_TESTED
    notice = ClientsNotice.MAILBOX_PROPOSED
    done = gettext_lazy("E-mail account set up. Test the connection to be sure.")
    adapter_label, choose = gettext_lazy("Protocol"), gettext_lazy("Choose a protocol.")
    another_in_use = gettext_lazy("Another e-mail account of this brand is in use. Switch it off first.")

    def check(self, setup: MailboxSetup) -> None:
        try:
            validate_email(setup.address)
        except ValidationError:
            raise DomainError(_("Enter the e-mail address of the account.")) from None
        if "+" in setup.address:
            raise DomainError(_("Enter the address without a “+”: replies add their own."))
        if not setup.base_url:
            raise DomainError(_("Enter the server, for example imaps://imap.example.com."))

    def require_address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc or parts.path.strip("/"):
            raise DomainError(_("Enter the server, for example imaps://imap.example.com."))
        if parts.scheme == "imap" and not destinations.is_plain_text_allowed(url):
            raise DomainError(_("The server must be reached with TLS: imaps://."))
        destinations.require_public_host(parts.hostname, parts.port or PORTS[parts.scheme])

    def shown(self, row: Mailbox | MailboxProposal) -> dict[str, str]:
        return {_("E-mail address"): row.address, _("Server that checks senders"): row.auth_server or "–"}


def propose_mailbox(
    *, brand_id: int, setup: MailboxSetup, actor: User, reason: str, mailbox_id: int | None = None
) -> MailboxProposal:
    """Propose a mailbox of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_policies` on the whole brand. Raises: as `ConnectionApproval.propose`, DomainError (address, server).
    """
    kind = MailboxApproval()
    return kind.propose(setup, brand_id=brand_id, actor=actor, reason=reason, connection_id=mailbox_id)


def test_mailbox(*, mailbox_id: int, actor: User) -> str:
    """Sign in to the mailbox; empty when it works, else what is wrong. Kept for the page.

    Who: `crm.manage_policies` on the whole brand.
    """
    return MailboxApproval().test(mailbox_id, actor)
