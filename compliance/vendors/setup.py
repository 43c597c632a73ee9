"""Setting a vendor up: one person proposes the connection with its keys, another approves it. Keys are sealed from the start.

Keys are sent to the connection's address. So a new address doesn't get the stored ones: whoever proposes it enters them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from compliance.models import ScreeningVendor, ScreeningVendorProposal, WatchlistSource
from compliance.models.vendors import opened_credentials, sealed_credentials
from compliance.vendors import policies
from compliance.vendors.adapters import ADAPTERS, adapter_class, adapter_of
from compliance.vendors.calls import watched
from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, WrongState, outcome_of
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, User
from crm.outside.destinations import require_public_url
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require

FIELDS: Final = ("name", "base_url", "dataset", "threshold", "is_enabled")
THRESHOLD_MIN, THRESHOLD_MAX = Decimal("0.3"), Decimal(1)
SOURCE_CODE: Final = "vendor-"


@dataclass(frozen=True, slots=True)
class VendorSetup:
    """A connection as it shall be. keys: those that were entered; a stored one that is left out stays, at the same address."""

    adapter: str
    code: str
    name: str
    base_url: str
    dataset: str
    threshold: Decimal
    is_enabled: bool
    keys: Mapping[str, str]


@transaction.atomic
def propose_vendor(
    *, brand_id: int, setup: VendorSetup, actor: User, reason: str, vendor_id: int | None = None
) -> ScreeningVendorProposal:
    """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: NotAllowed, DomainError (adapter, address, keys, threshold, a
    code that is taken, no reason), WrongState (nothing would change, or a proposal waits).
    """
    require(policies.can_set_up(actor, brand_id))
    brand = lock(Brand, brand_id)
    vendor = lock(ScreeningVendor.objects.filter(brand=brand), vendor_id) if vendor_id is not None else None
    _check(setup, vendor)
    keys = {name: value for name, value in setup.keys.items() if value}
    proposal = ScreeningVendorProposal(
        brand=brand,
        vendor=vendor,
        adapter=setup.adapter,
        code=vendor.code if vendor is not None else setup.code,
        sealed_credentials=sealed_credentials(keys) if keys else None,
        keys_changed=sorted(keys),
        reason=reason,
        **{name: getattr(setup, name) for name in FIELDS},
    )
    if vendor is not None and not keys and all(getattr(proposal, name) == getattr(vendor, name) for name in FIELDS):
        raise WrongState(_("Nothing would change."))
    return approvals.propose(proposal, actor=actor)


def _check(setup: VendorSetup, vendor: ScreeningVendor | None) -> None:
    if setup.adapter not in ADAPTERS:
        raise DomainError(_("Choose a vendor."))
    if not setup.dataset.strip():
        raise DomainError(_("Enter the vendor's dataset."))
    if not THRESHOLD_MIN <= setup.threshold <= THRESHOLD_MAX:
        raise DomainError(
            _("The threshold must be between %(least)s and %(most)s.")
            % {"least": formats.number(THRESHOLD_MIN, 1), "most": formats.number(THRESHOLD_MAX, 0)}
        )
    if setup.base_url and not setup.base_url.startswith("sandbox:"):
        require_public_url(setup.base_url)
    needs_all = vendor is None or vendor.base_url != setup.base_url
    keys = adapter_class(setup.adapter).keys
    missing = [str(key.label) for key in keys if needs_all and not setup.keys.get(key.name)]
    if missing:
        raise DomainError(_("Enter all keys for this address: %(names)s.") % {"names": ", ".join(missing)})
    if vendor is None and ScreeningVendor.objects.filter(code=setup.code).exists():
        raise DomainError(_("“%(code)s” is already taken. Choose another code.") % {"code": setup.code})


class ScreeningVendorApproval(approvals.ApprovalKind[ScreeningVendorProposal]):
    """A connection to a screening vendor. Who decides holds the same right as who proposes, on the whole brand."""

    model = ScreeningVendorProposal
    code = "screening-vendor"
    label = gettext_lazy("Screening vendor")
    asks = decides = policies.SETS_UP
    proposed, approved = ComplianceAction.VENDOR_PROPOSED, ComplianceAction.VENDOR_APPROVED
    rejected, withdrawn = ComplianceAction.VENDOR_REJECTED, ComplianceAction.VENDOR_WITHDRAWN
    notice = ComplianceNotice.VENDOR_PROPOSED
    brand_path = "brand_id"
    related = ("brand", "vendor")
    one_open = ("brand",)
    done = gettext_lazy("Screening vendor set up. Test the connection to be sure.")

    def apply(self, item: ScreeningVendorProposal, actor: User, **given: Any) -> None:
        """Write the connection with its keys; the webhook secret of before stays valid beside the new one.

        Raises: DomainError (the code was taken meanwhile, or another vendor of the brand is in use).
        """
        brand = lock(Brand, item.brand_id)
        vendor = lock(ScreeningVendor, item.vendor_id) if item.vendor_id is not None else _new(brand, item)
        others = ScreeningVendor.objects.filter(brand=brand, is_enabled=True).exclude(pk=vendor.pk)
        if item.is_enabled and others.exists():
            raise DomainError(_("Another screening vendor of this brand is in use. Switch it off first."))
        stored = vendor.credentials if vendor.base_url == item.base_url else {}
        keys = opened_credentials(item.sealed_credentials)
        if "webhook_secret" in keys and stored.get("webhook_secret"):
            keys["previous_webhook_secret"] = stored["webhook_secret"]
        for name in FIELDS:
            setattr(vendor, name, getattr(item, name))
        vendor.sealed_credentials = sealed_credentials({**stored, **keys})
        vendor.failing_since, vendor.problem, vendor.last_checked_at, vendor.last_check_error = None, "", None, ""
        vendor.save()
        WatchlistSource.objects.filter(pk=vendor.source_id).update(name=vendor.name, publisher=vendor.name)
        item.vendor, item.sealed_credentials = vendor, None
        enqueue_on_commit("compliance.ask_vendors")

    def give_back(self, item: ScreeningVendorProposal, actor: User) -> None:
        """Forget the keys of what wasn't approved."""
        item.sealed_credentials = None

    def title(self, item: ScreeningVendorProposal) -> LocalizedText:
        return phrase("Screening vendor %(name)s") % {"name": item.name}

    def url(self, item: ScreeningVendorProposal) -> str:
        return "/compliance/vendors/"

    def changes(self, item: ScreeningVendorProposal) -> list[Change]:
        before = _shown(item.vendor) if item.vendor is not None else {}
        after = _shown(item)
        rows = [
            Change(label, value, before.get(label, "–")) for label, value in after.items() if before.get(label) != value
        ]
        if item.keys_changed:
            labels = {key.name: str(key.label) for key in adapter_class(item.adapter).keys}
            rows.append(Change(_("New keys"), ", ".join(labels.get(name, name) for name in item.keys_changed)))
        return rows

    def after(self, item: ScreeningVendorProposal) -> dict[str, Any]:
        values = {name: getattr(item, name) for name in (*FIELDS, "adapter", "code", "keys_changed")}
        return {**values, "threshold": str(item.threshold)}


def _new(brand: Brand, item: ScreeningVendorProposal) -> ScreeningVendor:
    if ScreeningVendor.objects.filter(code=item.code).exists():
        raise DomainError(_("“%(code)s” is already taken. Choose another code.") % {"code": item.code})
    source = WatchlistSource.objects.create(
        code=f"{SOURCE_CODE}{item.code}",
        name=item.name,
        publisher=item.name,
        licence=_("As agreed with the vendor"),
        is_active=False,  # its entries are matched by the vendor, not by us
    )
    return ScreeningVendor(brand=brand, code=item.code, adapter=item.adapter, source=source)


def _shown(row: ScreeningVendor | ScreeningVendorProposal) -> dict[str, str]:
    return {
        _("Vendor"): adapter_class(row.adapter).title,
        _("Name"): row.name,
        _("API address"): row.base_url or _("Vendor's default"),
        _("Dataset"): row.dataset,
        _("Vendor's threshold"): formats.number(row.threshold, 2),
        _("In use"): _("Yes") if row.is_enabled else _("No"),
    }


@transaction.atomic
def test_connection(*, vendor_id: int, actor: User) -> str:
    """Ask the vendor for something harmless with our keys; empty when it is good, else what is wrong. Kept for the page.

    Who: `crm.manage_identity_policies` on the whole brand.
    """
    vendor = ScreeningVendor.objects.get(pk=vendor_id)
    require(policies.can_set_up(actor, vendor.brand_id))

    def ask() -> str:
        with watched(vendor):
            return adapter_of(vendor).check_connection()

    done = outcome_of(ask)
    problem = (done.result or "") if done else done.message
    ScreeningVendor.objects.filter(pk=vendor_id).update(last_checked_at=timezone.now(), last_check_error=problem[:300])
    audit.record(
        actor=actor,
        action=ComplianceAction.VENDOR_TESTED,
        target=vendor,
        brand_id=vendor.brand_id,
        after={"works": not problem},
        reason=problem[:300],
    )
    return problem
