"""Setting a provider up: one person proposes the connection with its keys, another approves it. Keys are sealed from the start.

Keys are sent to the connection's address. So a new address doesn't get the stored ones: whoever proposes it enters them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, WrongState, outcome_of
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, User
from crm.outside.destinations import require_public_url
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.choices import KycNotice
from kyc.models import KycProvider, KycProviderProposal
from kyc.models.providers import opened_credentials, sealed_credentials
from kyc.providers import policies
from kyc.providers.adapters import ADAPTERS, adapter_class, adapter_of
from kyc.providers.calls import watched

FIELDS: Final = ("name", "base_url", "level_name", "webhook_algorithms", "is_enabled")


@dataclass(frozen=True, slots=True)
class ProviderSetup:
    """A connection as it shall be. keys: those that were entered; a stored one that is left out stays, at the same address."""

    adapter: str
    code: str
    name: str
    base_url: str
    level_name: str
    webhook_algorithms: Sequence[str]
    is_enabled: bool
    keys: Mapping[str, str]


@transaction.atomic
def propose_provider(
    *, brand_id: int, setup: ProviderSetup, actor: User, reason: str, provider_id: int | None = None
) -> KycProviderProposal:
    """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: NotAllowed, DomainError (adapter, address, keys, algorithms, a
    code that is taken, no reason), WrongState (nothing would change, or a proposal waits).
    """
    require(policies.can_set_up(actor, brand_id))
    brand = lock(Brand, brand_id)
    provider = lock(KycProvider.objects.filter(brand=brand), provider_id) if provider_id is not None else None
    _check(setup, provider)
    keys = {name: value for name, value in setup.keys.items() if value}
    proposal = KycProviderProposal(
        brand=brand,
        provider=provider,
        adapter=setup.adapter,
        code=provider.code if provider is not None else setup.code,
        sealed_credentials=sealed_credentials(keys) if keys else None,
        keys_changed=sorted(keys),
        reason=reason,
        **{name: getattr(setup, name) for name in FIELDS if name != "webhook_algorithms"},
        webhook_algorithms=sorted(setup.webhook_algorithms),
    )
    if provider is not None and not keys and not _differences(proposal, provider):
        raise WrongState(_("Nothing would change."))
    return approvals.propose(proposal, actor=actor)


def _check(setup: ProviderSetup, provider: KycProvider | None) -> None:
    if setup.adapter not in ADAPTERS:
        raise DomainError(_("Choose a provider."))
    known = dict(adapter_class(setup.adapter).algorithms)
    if not setup.webhook_algorithms or not set(setup.webhook_algorithms) <= set(known):
        raise DomainError(_("Choose at least one algorithm for webhooks."))
    if not setup.level_name.strip():
        raise DomainError(_("Enter the provider's verification level."))
    if setup.base_url and not setup.base_url.startswith("sandbox:"):
        require_public_url(setup.base_url)
    needs_all = provider is None or provider.base_url != setup.base_url
    missing = [
        str(key.label) for key in adapter_class(setup.adapter).keys if needs_all and not setup.keys.get(key.name)
    ]
    if missing:
        raise DomainError(_("Enter all keys for this address: %(names)s.") % {"names": ", ".join(missing)})
    if provider is None and KycProvider.objects.filter(code=setup.code).exists():
        raise DomainError(_("“%(code)s” is already taken. Choose another code.") % {"code": setup.code})


def _differences(proposal: KycProviderProposal, provider: KycProvider) -> list[str]:
    return [name for name in FIELDS if getattr(proposal, name) != getattr(provider, name)]


class KycProviderApproval(approvals.ApprovalKind[KycProviderProposal]):
    """A connection to a KYC provider. Who decides holds the same right as who proposes, on the whole brand."""

    model = KycProviderProposal
    code = "kyc-provider"
    label = gettext_lazy("KYC provider")
    asks = decides = policies.SETS_UP
    proposed, approved = KycAction.PROVIDER_PROPOSED, KycAction.PROVIDER_APPROVED
    rejected, withdrawn = KycAction.PROVIDER_REJECTED, KycAction.PROVIDER_WITHDRAWN
    notice = KycNotice.PROVIDER_PROPOSED
    brand_path = "brand_id"
    related = ("brand", "provider")
    one_open = ("brand",)
    done = gettext_lazy("KYC provider set up. Test the connection to be sure.")

    def apply(self, item: KycProviderProposal, actor: User, **given: Any) -> None:
        """Write the connection with its keys; the webhook secret of before stays valid beside the new one.

        Raises: DomainError (the code was taken meanwhile, or another provider of the brand is in use).
        """
        brand = lock(Brand, item.brand_id)
        provider = (
            lock(KycProvider, item.provider_id)
            if item.provider_id is not None
            else KycProvider(brand=brand, code=item.code, adapter=item.adapter)
        )
        others = KycProvider.objects.filter(brand=brand, is_enabled=True).exclude(pk=provider.pk)
        if item.is_enabled and others.exists():
            raise DomainError(_("Another KYC provider of this brand is in use. Switch it off first."))
        if provider.pk is None and KycProvider.objects.filter(code=item.code).exists():
            raise DomainError(_("“%(code)s” is already taken. Choose another code.") % {"code": item.code})
        stored = provider.credentials if provider.base_url == item.base_url else {}
        keys = opened_credentials(item.sealed_credentials)
        if "webhook_secret" in keys and stored.get("webhook_secret"):
            keys["previous_webhook_secret"] = stored["webhook_secret"]
        for name in FIELDS:
            setattr(provider, name, getattr(item, name))
        provider.sealed_credentials = sealed_credentials({**stored, **keys})
        provider.failing_since, provider.last_checked_at, provider.last_check_error = None, None, ""
        provider.save()
        item.provider, item.sealed_credentials = provider, None

    def give_back(self, item: KycProviderProposal, actor: User) -> None:
        """Forget the keys of what wasn't approved."""
        item.sealed_credentials = None

    def title(self, item: KycProviderProposal) -> LocalizedText:
        return phrase("KYC provider %(name)s") % {"name": item.name}

    def url(self, item: KycProviderProposal) -> str:
        return "/kyc/providers/"

    def changes(self, item: KycProviderProposal) -> list[Change]:
        before = _shown(item.provider) if item.provider is not None else {}
        after = _shown(item)
        rows = [
            Change(label, value, before.get(label, "–")) for label, value in after.items() if before.get(label) != value
        ]
        if item.keys_changed:
            labels = {key.name: str(key.label) for key in adapter_class(item.adapter).keys}
            rows.append(Change(_("New keys"), ", ".join(labels.get(name, name) for name in item.keys_changed)))
        return rows

    def after(self, item: KycProviderProposal) -> dict[str, Any]:
        return {name: getattr(item, name) for name in (*FIELDS, "adapter", "code", "keys_changed")}


def _shown(row: KycProvider | KycProviderProposal) -> dict[str, str]:
    names = dict(adapter_class(row.adapter).algorithms)
    return {
        _("Provider"): adapter_class(row.adapter).title,
        _("Name"): row.name,
        _("API address"): row.base_url or _("Provider's default"),
        _("Verification level"): row.level_name,
        _("Webhook signatures"): ", ".join(names.get(code, code) for code in row.webhook_algorithms),
        _("In use"): _("Yes") if row.is_enabled else _("No"),
    }


@transaction.atomic
def test_connection(*, provider_id: int, actor: User) -> str:
    """Ask the provider for something harmless with our keys; empty when it is good, else what is wrong. Kept for the page.

    Who: `crm.manage_identity_policies` on the whole brand.
    """
    provider = KycProvider.objects.get(pk=provider_id)
    require(policies.can_set_up(actor, provider.brand_id))

    def ask() -> str:
        with watched(provider):
            return adapter_of(provider).check_connection()

    done = outcome_of(ask)
    problem = (done.result or "") if done else done.message
    KycProvider.objects.filter(pk=provider_id).update(last_checked_at=timezone.now(), last_check_error=problem[:300])
    audit.record(
        actor=actor,
        action=KycAction.PROVIDER_TESTED,
        target=provider,
        brand_id=provider.brand_id,
        after={"works": not problem},
        reason=problem[:300],
    )
    return problem
