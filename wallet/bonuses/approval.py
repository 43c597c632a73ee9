"""Bonuses above the limit in the list of second approvals; they are decided by their own verbs."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from wallet.bonuses.granting import decide_bonus
from wallet.choices.bonuses import BonusState
from wallet.models import BonusGrant


class BonusApproval(approvals.ListedApproval[BonusGrant]):
    """A bonus that waits for its second approval; approved, the client gets the credit."""

    model = BonusGrant
    code = "bonus"
    label = gettext_lazy("Bonus")
    asks, decides = "wallet.grant_bonus", "wallet.approve_bonus"
    notice = "wallet.bonus_requested"
    client_path = "client"
    related = ("client__brand", "rule__plan")
    asked_at, note = "created_at", "end_reason"
    pending = {"state": BonusState.REQUESTED}
    done = gettext_lazy("Bonus granted.")

    def approve(self, pk: int, actor: User, note: str) -> BonusGrant:
        return decide_bonus(grant_id=pk, approve=True, actor=actor, reason=note)

    def reject(self, pk: int, actor: User, note: str) -> BonusGrant:
        return decide_bonus(grant_id=pk, approve=False, actor=actor, reason=note)

    def title(self, item: BonusGrant) -> LocalizedText:
        return phrase("Bonus of %(money)s for %(client)s") % {"money": item.money, "client": item.client}

    def url(self, item: BonusGrant) -> str:
        return f"/money/bonuses/{item.pk}/"

    def changes(self, item: BonusGrant) -> list[Change]:
        return [Change(_("Amount"), formats.money(item.money)), Change(_("Plan"), item.rule.plan)]
