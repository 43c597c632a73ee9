"""The second signature under a month: in the list of second approvals, and the closing that follows from it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change, kind_of, require_decider
from crm.db.locking import lock
from crm.errors import NotAllowed, WrongState
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Job, User
from crm.security.policies import YES, Decision, no
from wallet.audit_codes import WalletAction
from wallet.choices.month_end import PeriodState
from wallet.closing import periods, sign_offs
from wallet.models import MonthSignOff, Period


@transaction.atomic
def sign_and_close(*, period_id: int, actor: User, note: str = "") -> Job | None:
    """Sign a month; with the second signature under the same figures its closing starts, as a job of who signed.

    Who: `wallet.close_period` on the brand. Raises: as `sign_offs.sign_month`.
    """
    signed = sign_offs.sign_month(period_id=period_id, actor=actor, note=note)
    if not sign_offs.signatures_of(signed.period).are_enough:
        return None
    return periods.order_closing(period_id=period_id, actor=actor, note=note)


@transaction.atomic
def add_second_signature(*, sign_off_id: int, actor: User, note: str = "") -> MonthSignOff:
    """Sign under the very figures that a colleague signed, and start the closing.

    Who: `wallet.close_period` on the brand, and not who signed first. note: needed while a check warns.
    Raises: NotAllowed, WrongState (withdrawn, signed by two, or the figures have changed), DomainError (what blocks).
    """
    period = lock(Period, MonthSignOff.objects.values_list("period_id", flat=True).get(pk=sign_off_id), "brand")
    first = lock(MonthSignOff, sign_off_id)
    first.period = period
    require_decider(kind_of(MonthSignOff), first, actor)
    if sign_offs.figures_hash(period) != first.figures_hash:
        raise WrongState(_("The figures have changed since this signature. Both people must sign again."))
    sign_and_close(period_id=period.pk, actor=actor, note=note)
    return first


class SignOffApproval(approvals.ListedApproval[MonthSignOff]):
    """The month is closed. Nobody rejects a signature: who doesn't agree with the figures doesn't sign."""

    model = MonthSignOff
    code = "month-sign-off"
    label = gettext_lazy("Month-end signature")
    asks = decides = "wallet.close_period"
    withdrawn = WalletAction.MONTH_SIGNATURE_WITHDRAWN
    brand_path = "period__brand_id"
    related = ("period__brand",)
    maker, asked_at, reason, note = "signed_by", "signed_at", "note", "note"
    is_rejectable = False
    has_own_form = True
    done = gettext_lazy("Signed. The month is being closed.")

    def awaiting(self, rows: QuerySet[MonthSignOff]) -> QuerySet[MonthSignOff]:
        """Of the closing to come, and the newest: an earlier one is signed by two, or under figures that have changed."""
        others = MonthSignOff.objects.filter(
            period=OuterRef("period"), closing=OuterRef("closing"), withdrawn_at__isnull=True
        ).exclude(pk=OuterRef("pk"))
        newer = others.filter(Q(figures_hash=OuterRef("figures_hash")) | Q(pk__gt=OuterRef("pk")))
        return rows.filter(
            ~Exists(newer), withdrawn_at__isnull=True, period__state=PeriodState.OPEN, closing=F("period__closings") + 1
        )

    def is_pending(self, item: MonthSignOff) -> bool:
        return self.awaiting(MonthSignOff.objects.filter(pk=item.pk)).exists()

    def still_waits(self, item: MonthSignOff) -> Decision:
        return YES if self.is_pending(item) else no(_("This signature is no longer awaiting a second one."))

    def approve(self, pk: int, actor: User, note: str) -> MonthSignOff:
        return add_second_signature(sign_off_id=pk, actor=actor, note=note)

    def reject(self, pk: int, actor: User, note: str) -> MonthSignOff:
        raise NotAllowed(_("A signature can't be rejected. If you don't agree with the figures, don't sign."))

    def withdraw(self, pk: int, actor: User, note: str) -> MonthSignOff:
        return sign_offs.withdraw_signature(sign_off_id=pk, actor=actor)

    def title(self, item: MonthSignOff) -> LocalizedText:
        return phrase("Month-end %(month)s of %(brand)s") % {"month": item.period, "brand": item.period.brand}

    def url(self, item: MonthSignOff) -> str:
        return sign_offs.month_url(item.period)

    def changes(self, item: MonthSignOff) -> list[Change]:
        is_current = sign_offs.figures_hash(item.period) == item.figures_hash
        figures = (
            item.figures_hash[:16] if is_current else _("Changed since this signature. Both people must sign again.")
        )
        rows = [Change(_("Month"), item.period), Change(_("Figures"), figures)]
        return [*rows, *(Change(_("Open when signed"), words) for words in item.checks)]
