"""Setting up PSPs, and asking one whether it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.vocabulary import VERIFIED
from crm.conditions import all_of
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor
from crm.outside.destinations import require_public_url
from crm.security import audit
from crm.security.policies import require
from crm.staff.company import open_brand
from wallet.audit_codes import WalletAction
from wallet.choices.psp import PspKind
from wallet.models import PaymentMethod, Psp
from wallet.psp import adapter_of, policies
from wallet.psp.values import Health, Method

PLAIN_FIELDS = ("name", "is_enabled", "reserve_days")


@transaction.atomic
def configure_psp(*, psp_id: int, values: Mapping[str, Any], keys: Mapping[str, str], actor: Actor) -> Psp:
    """Change a PSP's set-up; keys that are given replace the stored ones, the old webhook secret stays valid beside.

    Its address is changed by two people: `psp_addresses`.
    Who: `wallet.manage_psp` on the brand. The audit row names the keys that changed, never their values.
    """
    psp = lock(Psp, psp_id)
    require(policies.can_manage_psp(actor, psp))
    before = {
        name: getattr(psp, name) for name in PLAIN_FIELDS if name in values and getattr(psp, name) != values[name]
    }
    for name in before:
        setattr(psp, name, values[name])
    changed = replace_keys(psp, keys)
    psp.save()
    audit.record(
        actor=actor,
        action=WalletAction.PSP_CONFIGURED,
        target=psp,
        brand_id=psp.brand_id,
        before=before,
        after={**{name: values[name] for name in before}, **({"keys_changed": sorted(changed)} if changed else {})},
    )
    return psp


def replace_keys(psp: Psp, keys: Mapping[str, str]) -> list[str]:
    """Seal new keys beside those that stay; returns the names of what changed. The row is saved by the caller."""
    known = psp.credentials
    changed = {name: value for name, value in keys.items() if known.get(name) != value}
    if changed:
        for name in [name for name in changed if name.endswith("webhook_secret")]:
            changed[f"previous_{name}"] = known.get(name, "")
        psp.seal_credentials({**known, **changed})
    return sorted(changed)


def require_address(base_url: str) -> None:
    """Require the provider's own address, the sandbox's, or in production a public https address.

    Raises: DomainError.
    """
    if base_url and not base_url.startswith("sandbox:"):
        require_public_url(base_url)


@dataclass(frozen=True, slots=True)
class PspSetup:
    """An account at a provider as it is first set up.

    adapter: one of `wallet.psp.ADAPTERS`. base_url: empty for the provider's own address. keys: its credentials by the
    adapter's names. currencies: those of each payment method. method_codes: which of the adapter's methods are offered.
    """

    adapter: str
    name: str
    code: str
    base_url: str
    keys: Mapping[str, str]
    currencies: Sequence[str]
    method_codes: Sequence[str]


@transaction.atomic
def create_psp(*, brand_id: int, setup: PspSetup, actor: Actor) -> Psp:
    """Create a PSP for a brand with its keys, and a row for each payment method that was chosen.

    Who: `wallet.manage_psp` on the brand. The audit row names the keys that were set, never their values.
    Raises: NotAllowed, WrongState (the brand is archived), DomainError (an address that is not allowed).
    """
    psp = Psp(
        brand_id=brand_id,
        adapter=setup.adapter,
        name=setup.name,
        code=setup.code,
        base_url=setup.base_url,
        kind=PspKind.CARD,
    )
    require(policies.can_manage_psp(actor, psp))
    open_brand(brand_id)
    require_address(setup.base_url)
    psp.seal_credentials({key: value for key, value in setup.keys.items() if value})
    known = {method.code: method for method in adapter_of(psp).methods}
    chosen = [known[code] for code in setup.method_codes if code in known]
    if chosen:
        psp.kind = chosen[0].kind
    psp.save()
    for method in chosen:
        _add_row(psp, method, setup.currencies)
    audit.record(
        actor=actor,
        action=WalletAction.PSP_CREATED,
        target=psp,
        brand_id=psp.brand_id,
        after={"adapter": setup.adapter, "keys": sorted(setup.keys), "methods": [method.code for method in chosen]},
    )
    return psp


def _add_row(psp: Psp, method: Method, currencies: Sequence[str]) -> PaymentMethod:
    """Add it after the brand's other methods; offered to the verified only, until changed."""
    last = PaymentMethod.objects.filter(psp__brand_id=psp.brand_id).aggregate(last=Max("position"))["last"]
    return PaymentMethod.objects.create(
        psp=psp,
        code=method.code,
        label=str(method.label),
        kind=method.kind,
        currencies=list(currencies),
        pays_out=bool(method.payout_fields),
        minutes=method.minutes,
        position=(last or 0) + 1,
        condition=all_of(VERIFIED),
    )


def missing_methods(psp: Psp) -> list[Method]:
    """Ways to pay that the provider knows and this PSP has no row for."""
    there = set(psp.methods.values_list("code", flat=True))
    return [method for method in adapter_of(psp).methods if method.code not in there]


@transaction.atomic
def add_method(*, psp_id: int, code: str, actor: Actor) -> PaymentMethod:
    """Add a payment method that the provider knows, switched off.

    Who: `wallet.manage_psp` on the brand.
    """
    psp = lock(Psp, psp_id)
    require(policies.can_manage_psp(actor, psp))
    method = next((method for method in missing_methods(psp) if method.code == code), None)
    if method is None:
        raise DomainError(_("%(psp)s already has this payment method, or doesn't offer it.") % {"psp": psp})
    beside = psp.methods.order_by("position").first()
    row = _add_row(psp, method, beside.currencies if beside else [psp.brand.base_currency])
    row.is_enabled = False
    row.save(update_fields=["is_enabled"])
    audit.record(
        actor=actor,
        action=WalletAction.METHOD_ADDED,
        target=row,
        brand_id=psp.brand_id,
        after={"psp": psp.code, "code": code},
    )
    return row


@transaction.atomic
def configure_method(*, method_id: int, values: Mapping[str, Any], actor: Actor) -> PaymentMethod:
    """Change whom a way to pay is offered to, its limits, fees and order. Who: `wallet.manage_psp` on the brand."""
    method = lock(PaymentMethod, method_id, "psp")
    require(policies.can_manage_psp(actor, method.psp))
    before = {name: getattr(method, name) for name in values if getattr(method, name) != values[name]}
    for name in before:
        setattr(method, name, values[name])
    method.save()
    audit.record(
        actor=actor,
        action=WalletAction.METHOD_CONFIGURED,
        target=method,
        brand_id=method.psp.brand_id,
        before=before,
        after={name: values[name] for name in before},
    )
    return method


def is_down(psp: Psp) -> bool:
    """Check whether this PSP has stopped answering: its methods are not offered then, others of their group replace them."""
    return psp.is_down


def check_psp(*, psp_id: int, actor: Actor) -> Health:
    """Ask the PSP whether it is up and knows our key; the answer is kept for the page. Who: `wallet.manage_psp`."""
    psp = Psp.objects.get(pk=psp_id)
    require(policies.can_manage_psp(actor, psp))
    health = adapter_of(psp).check_connection()
    psp.last_checked_at, psp.last_check_error = timezone.now(), "" if health.is_up else health.detail[:300]
    psp.save(update_fields=["last_checked_at", "last_check_error"])
    audit.record(
        actor=actor,
        action=WalletAction.PSP_CHECKED,
        target=psp,
        brand_id=psp.brand_id,
        after={"up": health.is_up},
        reason=health.detail,
    )
    return health
