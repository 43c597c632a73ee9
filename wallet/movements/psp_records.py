"""What our books know of one PSP's movements, for the adapter that has to ask.

An adapter reads no deposit, withdrawal or dispute itself: the room that calls it hands it this (`wallet.psp.base.OurRecords`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wallet.choices.withdrawals import WithdrawalRoute
from wallet.models import Deposit, Dispute, Psp, Withdrawal


@dataclass(frozen=True, slots=True)
class PspRecords:
    """Our records of the movements at one PSP; each answer is one query."""

    psp: Psp

    def session_reference(self, reference: str) -> str:
        """Return the PSP's id of the page on which the deposit of that reference is paid; empty where we know none."""
        rows = Deposit.objects.filter(psp=self.psp, reference=reference)
        return rows.values_list("session_reference", flat=True).first() or ""

    def is_dispute_charged(self, psp_dispute_id: str) -> bool:
        """Return whether the PSP has taken money from us for that dispute."""
        rows = Dispute.objects.filter(psp=self.psp, psp_dispute_id=psp_dispute_id, taken_minor__gt=0)
        return rows.exists()

    def refunds_among(self, references: Sequence[str]) -> set[str]:
        """Return those of our references that are refunds rather than payouts."""
        if not references:
            return set()
        rows = Withdrawal.objects.filter(psp=self.psp, way=WithdrawalRoute.REFUND, reference__in=references)
        return set(rows.values_list("reference", flat=True))
