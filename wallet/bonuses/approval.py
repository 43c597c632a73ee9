"""Bonuses above the limit in the list of second approvals; they are decided by their own verbs."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from crm import approvals
from crm.approvals import Change, kind_of, require_withdrawable
from crm.db.locking import lock
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from wallet.audit_codes import WalletAction
from wallet.bonuses.granting import audit_grant, decide_bonus, lock_grant
from wallet.choices.bonuses import BonusState
from wallet.choices.notices import WalletNotice
from wallet.models import BonusGrant


@transaction.atomic
def withdraw_bonus(*, grant_id: int, actor: User, note: str = "") -> BonusGrant:
    """Who asked for a bonus above the limit takes the request back; it counts no more towards the plan's maximum.

    Who: who asked, with `wallet.grant_bonus` in reach. Raises: NotAllowed, WrongState.
    """
    lock(Client, BonusGrant.objects.values_list("client_id", flat=True).get(pk=grant_id), "brand")
    grant = lock_grant(grant_id)
    require_withdrawable(kind_of(BonusGrant), grant, actor)
    grant.move_to(BonusState.WITHDRAWN)
    grant.end_reason, grant.finished_at = note.strip()[:300], timezone.now()
    grant.save(update_fields=["state", "end_reason", "finished_at"])
    audit_grant(grant, WalletAction.BONUS_REQUEST_WITHDRAWN, actor=actor, reason=grant.end_reason)
    return grant


class BonusApproval(approvals.ListedApproval[BonusGrant]):
    """A bonus that waits for its second approval; approved, the client gets the credit."""

    model = BonusGrant
    code = "bonus"
    label = gettext_lazy("Bonus")
    asks, decides = "wallet.grant_bonus", "wallet.approve_bonus"
    withdrawn = WalletAction.BONUS_REQUEST_WITHDRAWN
    notice = WalletNotice.BONUS_REQUESTED
    client_path = "client"
    related = ("client__brand", "rule__plan")
    asked_at, note = "created_at", "end_reason"
    pending = {"state": BonusState.PENDING}
    done = gettext_lazy("Bonus granted.")

    def approve(self, pk: int, actor: User, note: str) -> BonusGrant:
        return decide_bonus(grant_id=pk, approve=True, actor=actor, reason=note)

    def reject(self, pk: int, actor: User, note: str) -> BonusGrant:
        return decide_bonus(grant_id=pk, approve=False, actor=actor, reason=note)

    def withdraw(self, pk: int, actor: User, note: str) -> BonusGrant:
        return withdraw_bonus(grant_id=pk, actor=actor, note=note)

    def title(self, item: BonusGrant) -> LocalizedText:
        return phrase("Bonus of %(money)s for %(client)s") % {"money": item.money, "client": item.client}

    def url(self, item: BonusGrant) -> str:
        return f"/money/bonuses/{item.pk}/"

    def changes(self, item: BonusGrant) -> list[Change]:
        return [Change(_("Amount"), formats.money(item.money)), Change(_("Plan"), item.rule.plan)]
