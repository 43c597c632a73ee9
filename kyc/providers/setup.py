"""Setting a provider up: what its connection says beside name and keys, proposed by one person and approved by another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.connections.setup import ConnectionApproval, ConnectionSetup
from crm.errors import DomainError
from crm.models import User
from kyc.audit_codes import KycAction
from kyc.choices import KycNotice
from kyc.models import KycProvider, KycProviderProposal
from kyc.providers import policies
from kyc.providers.adapters import ADAPTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSetup(ConnectionSetup):
    """A provider as it shall be."""

    level_name: str
    webhook_algorithms: Sequence[str]


class KycProviderApproval(ConnectionApproval[KycProvider, KycProviderProposal]):
    """A connection to a KYC provider."""

    model, connection, adapters = KycProviderProposal, KycProvider, ADAPTERS
    code = "kyc-provider"
    label = gettext_lazy("KYC provider")
    path = "/kyc/providers/"
    own = ("level_name", "webhook_algorithms")
    asks = decides = policies.SETS_UP
    proposed, approved = KycAction.PROVIDER_PROPOSED, KycAction.PROVIDER_APPROVED
    rejected, withdrawn = KycAction.PROVIDER_REJECTED, KycAction.PROVIDER_WITHDRAWN
    tested = KycAction.PROVIDER_TESTED
    notice = KycNotice.PROVIDER_PROPOSED
    done = gettext_lazy("KYC provider set up. Test the connection to be sure.")
    adapter_label, choose = gettext_lazy("Provider"), gettext_lazy("Choose a provider.")
    another_in_use = gettext_lazy("Another KYC provider of this brand is in use. Switch it off first.")

    def check(self, setup: ProviderSetup) -> None:
        known = dict(ADAPTERS[setup.adapter].algorithms)
        if not setup.webhook_algorithms or not set(setup.webhook_algorithms) <= set(known):
            raise DomainError(_("Choose at least one algorithm for webhooks."))
        if not setup.level_name.strip():
            raise DomainError(_("Enter the provider's verification level."))

    def shown(self, row: KycProvider | KycProviderProposal) -> dict[str, str]:
        names = dict(ADAPTERS[row.adapter].algorithms)
        return {
            _("Verification level"): row.level_name,
            _("Webhook signatures"): ", ".join(names.get(code, code) for code in row.webhook_algorithms),
        }


def propose_provider(
    *, brand_id: int, setup: ProviderSetup, actor: User, reason: str, provider_id: int | None = None
) -> KycProviderProposal:
    """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: as `ConnectionApproval.propose`, DomainError (algorithms).
    """
    kind = KycProviderApproval()
    return kind.propose(setup, brand_id=brand_id, actor=actor, reason=reason, connection_id=provider_id)


def test_connection(*, provider_id: int, actor: User) -> str:
    """Ask the provider for something harmless with our keys; empty when it is good, else what is wrong. Kept for the page.

    Who: `crm.manage_identity_policies` on the whole brand.
    """
    return KycProviderApproval().test(provider_id, actor)
