"""Where a PSP's API answers, changed by two people.

Keys are sent to that address. So a new address doesn't get the stored ones: one person proposes the address, another
approves it and types every secret again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.notices import WalletNotice
from wallet.models import Psp, PspAddressChange
from wallet.psp import adapter_of, setup
from wallet.psp import policies as psp_policies
from wallet.psp.values import Key


def stored_secrets(psp: Psp) -> Sequence[Key]:
    """Secrets that are sent to the PSP's address, or sign what goes there, and are stored."""
    known = psp.credentials
    return [key for key in adapter_of(psp).keys if key.is_secret and known.get(key.name)]


@transaction.atomic
def propose_address(*, psp_id: int, base_url: str, reason: str, actor: User) -> PspAddressChange:
    """Write down where a PSP shall answer. Nothing changes before another person approves.

    Who: `wallet.manage_psp` on the brand. Raises: NotAllowed, WrongState (one waits), DomainError (no reason, the same
    address, or one that can't be).
    """
    psp = _lock(psp_id)
    require(psp_policies.can_manage_psp(actor, psp))
    base_url = base_url.strip()
    if base_url == psp.base_url:
        raise DomainError(_("This is already the current address."))
    setup.require_address(base_url)
    return approvals.propose(PspAddressChange(psp=psp, base_url=base_url, reason=reason), actor=actor)


class AddressApproval(approvals.ApprovalKind[PspAddressChange]):
    """The PSP answers at the new address from now on, with the secrets given at the approval (`keys`)."""

    model = PspAddressChange
    code = "psp-address"
    label = gettext_lazy("PSP address")
    asks = decides = "wallet.manage_psp"
    proposed, approved = WalletAction.PSP_ADDRESS_PROPOSED, WalletAction.PSP_ADDRESS_CHANGED
    rejected, withdrawn = WalletAction.PSP_ADDRESS_REFUSED, WalletAction.PSP_ADDRESS_WITHDRAWN
    notice = WalletNotice.PSP_ADDRESS
    brand_path = "psp__brand_id"
    related = ("psp__brand",)
    one_open = ("psp",)
    has_own_form = True

    def lock(self, pk: int) -> PspAddressChange:
        """Lock the PSP first, as everybody who sets it up does, then the proposal."""
        psp = _lock(PspAddressChange.objects.values_list("psp_id", flat=True).get(pk=pk))
        change = super().lock(pk)
        change.psp = psp
        return change

    def apply(self, item: PspAddressChange, actor: User, **given: Any) -> None:
        """Set the new address and the keys that were entered again for it.

        Raises: DomainError (a stored secret wasn't entered again, the address isn't allowed any more).
        """
        psp, keys = item.psp, given.get("keys", {})
        setup.require_address(item.base_url)
        if missing := [str(key.label) for key in stored_secrets(psp) if not keys.get(key.name)]:
            raise DomainError(_("Re-enter: %(names)s.") % {"names": ", ".join(missing)})
        psp.base_url = item.base_url
        item.keys_changed = setup.replace_keys(psp, {name: value for name, value in keys.items() if value})
        psp.save()

    def title(self, item: PspAddressChange) -> LocalizedText:
        return phrase("%(psp)s: new API address") % {"psp": item.psp}

    def url(self, item: PspAddressChange) -> str:
        return f"/money/psps/{item.psp_id}/"

    def changes(self, item: PspAddressChange) -> list[Change]:
        own = _("Provider's default")
        return [Change(_("API address"), item.base_url or own, item.psp.base_url or own)]

    def target(self, item: PspAddressChange) -> Psp:
        return item.psp

    def before(self, item: PspAddressChange) -> dict[str, Any]:
        return {"base_url": item.psp.base_url}

    def after(self, item: PspAddressChange) -> dict[str, Any]:
        changed = {"keys_changed": item.keys_changed} if item.state == ApprovalState.APPROVED else {}
        return {"base_url": item.base_url, **changed}


def _lock(psp_id: int) -> Psp:
    return lock(Psp, psp_id, "brand")
