"""Setting a vendor up: what its connection says beside name and keys, proposed by one person and approved by another."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from compliance.models import ScreeningVendor, ScreeningVendorProposal, WatchlistSource
from compliance.vendors import policies
from compliance.vendors.adapters import ADAPTERS
from crm.connections.setup import ConnectionApproval, ConnectionSetup
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import Brand, User
from crm.queue.enqueue import enqueue_on_commit

THRESHOLD_MIN, THRESHOLD_MAX = Decimal("0.3"), Decimal(1)
SOURCE_CODE: Final = "vendor-"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSetup(ConnectionSetup):
    """A vendor as it shall be."""

    dataset: str
    threshold: Decimal


class ScreeningVendorApproval(ConnectionApproval[ScreeningVendor, ScreeningVendorProposal]):
    """A connection to a screening vendor."""

    model, connection, adapters = ScreeningVendorProposal, ScreeningVendor, ADAPTERS
    code = "screening-vendor"
    label = gettext_lazy("Screening vendor")
    path = "/compliance/vendors/"
    own = ("dataset", "threshold")
    asks = decides = policies.SETS_UP
    proposed, approved = ComplianceAction.VENDOR_PROPOSED, ComplianceAction.VENDOR_APPROVED
    rejected, withdrawn = ComplianceAction.VENDOR_REJECTED, ComplianceAction.VENDOR_WITHDRAWN
    tested = ComplianceAction.VENDOR_TESTED
    notice = ComplianceNotice.VENDOR_PROPOSED
    done = gettext_lazy("Screening vendor set up. Test the connection to be sure.")
    adapter_label, choose = gettext_lazy("Vendor"), gettext_lazy("Choose a vendor.")
    another_in_use = gettext_lazy("Another screening vendor of this brand is in use. Switch it off first.")

    def check(self, setup: VendorSetup) -> None:
        if not setup.dataset.strip():
            raise DomainError(_("Enter the vendor's dataset."))
        if not THRESHOLD_MIN <= setup.threshold <= THRESHOLD_MAX:
            raise DomainError(
                _("The threshold must be between %(least)s and %(most)s.")
                % {"least": formats.number(THRESHOLD_MIN, 1), "most": formats.number(THRESHOLD_MAX, 0)}
            )

    def new(self, brand: Brand, item: ScreeningVendorProposal) -> ScreeningVendor:
        vendor = super().new(brand, item)
        vendor.source = WatchlistSource.objects.create(
            code=f"{SOURCE_CODE}{item.code}",
            name=item.name,
            publisher=item.name,
            licence=_("As agreed with the vendor"),
            is_active=False,  # its entries are matched by the vendor, not by us
        )
        return vendor

    def applied(self, connection: ScreeningVendor) -> None:
        WatchlistSource.objects.filter(pk=connection.source_id).update(name=connection.name, publisher=connection.name)
        enqueue_on_commit("compliance.ask_vendors")

    def shown(self, row: ScreeningVendor | ScreeningVendorProposal) -> dict[str, str]:
        return {_("Dataset"): row.dataset, _("Vendor's threshold"): formats.number(row.threshold, 2)}


def propose_vendor(
    *, brand_id: int, setup: VendorSetup, actor: User, reason: str, vendor_id: int | None = None
) -> ScreeningVendorProposal:
    """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: as `ConnectionApproval.propose`, DomainError (threshold).
    """
    kind = ScreeningVendorApproval()
    return kind.propose(setup, brand_id=brand_id, actor=actor, reason=reason, connection_id=vendor_id)


def test_connection(*, vendor_id: int, actor: User) -> str:
    """Ask the vendor for something harmless with our keys; empty when it is good, else what is wrong. Kept for the page.

    Who: `crm.manage_identity_policies` on the whole brand.
    """
    return ScreeningVendorApproval().test(vendor_id, actor)
