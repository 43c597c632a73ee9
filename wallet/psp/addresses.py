"""Where a PSP's API answers, changed by two people.

Keys are sent to that address. So whoever changes it can't take the stored ones along: one person proposes the address, another
approves it and types every secret again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.approvals import RequestState
from wallet.core import policies
from wallet.models import Psp, PspAddressChange
from wallet.psp import adapter_of, setup
from wallet.psp import policies as psp_policies
from wallet.psp.base import Key


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
        raise DomainError(_("This is the address that it has."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    setup.require_address(base_url)
    if psp.address_changes.filter(state=RequestState.WAITING).exists():
        raise WrongState(_("A new address is already awaiting second approval."))
    change = PspAddressChange.objects.create(
        psp=psp, base_url=base_url, reason=reason.strip()[:300], requested_by=actor, requested_at=timezone.now()
    )
    _record(change, WalletAction.PSP_ADDRESS_PROPOSED, actor, reason)
    notify(
        [pk for pk in people_with("wallet.manage_psp", brand_id=psp.brand_id) if pk != actor.pk],
        kind="wallet.psp_address",
        title=phrase("%(psp)s: a new API address awaits second approval") % {"psp": psp},
        body=change.reason,
        url=f"/money/psps/{psp.pk}/",
        dedupe_key=f"psp-address:{change.pk}",
    )
    return change


@transaction.atomic
def approve_address(*, change_id: int, keys: Mapping[str, str], actor: User, note: str = "") -> PspAddressChange:
    """The PSP answers at the new address from now on, with the secrets given here.

    Who: `wallet.manage_psp` on the brand, and not who proposed it.
    Raises: NotAllowed, WrongState, DomainError (a stored secret isn't given again, the address can't be asked any more).
    """
    change, psp = _locked(change_id)
    require(psp_policies.can_decide_address(actor, change))
    setup.require_address(change.base_url)
    if missing := [str(key.label) for key in stored_secrets(psp) if not keys.get(key.name)]:
        raise DomainError(_("Enter again: %(names)s.") % {"names": ", ".join(missing)})
    before, psp.base_url = psp.base_url, change.base_url
    changed = setup.replace_keys(psp, {name: value for name, value in keys.items() if value})
    psp.save()
    _decide(change, RequestState.APPROVED, actor, note)
    _record(
        change,
        WalletAction.PSP_ADDRESS_CHANGED,
        actor,
        note,
        before={"base_url": before},
        after={"keys_changed": changed},
    )
    return change


@transaction.atomic
def refuse_address(*, change_id: int, actor: User, note: str) -> PspAddressChange:
    """Who: as for approving. Raises: NotAllowed, WrongState, DomainError without a note."""
    change, _psp = _locked(change_id)
    require(psp_policies.can_decide_address(actor, change))
    if not note.strip():
        raise DomainError(_("Enter a reason."))
    _decide(change, RequestState.REFUSED, actor, note)
    _record(change, WalletAction.PSP_ADDRESS_REFUSED, actor, note)
    return change


@transaction.atomic
def withdraw_address(*, change_id: int, actor: User) -> PspAddressChange:
    """Who: the one who proposed it, while nobody has decided."""
    change, _psp = _locked(change_id)
    require(policies.can_withdraw(actor, change))
    _decide(change, RequestState.WITHDRAWN, actor, "")
    _record(change, WalletAction.PSP_ADDRESS_WITHDRAWN, actor, "")
    return change


def _lock(psp_id: int) -> Psp:
    return Psp.objects.select_for_update(of=["self"]).select_related("brand").get(pk=psp_id)


def _locked(change_id: int) -> tuple[PspAddressChange, Psp]:
    """The PSP first, as everybody who sets it up does."""
    psp = _lock(PspAddressChange.objects.values_list("psp_id", flat=True).get(pk=change_id))
    change = PspAddressChange.objects.select_for_update(of=["self"]).get(pk=change_id)
    change.psp = psp
    return change, psp


def _decide(change: PspAddressChange, state: RequestState, actor: Actor, note: str) -> None:
    change.state, change.decided_by, change.decided_at = state, actor, timezone.now()
    change.decision_note = note.strip()[:300]
    change.save()


def _record(
    change: PspAddressChange,
    action: AuditCode,
    actor: Actor,
    reason: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=change.psp,
        brand_id=change.psp.brand_id,
        reason=reason,
        before=dict(before or {}),
        after={"base_url": change.base_url, "state": change.state, **(after or {})},
    )
