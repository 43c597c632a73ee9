"""Postings proposed for a break that closed itself: they are not needed any more."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
from django.utils import timezone

from crm.choices import ApprovalState
from wallet.choices.reconciliation import CLOSED_ITSELF
from wallet.models import BreakPosting


def withdraw_postings(break_ids: Iterable[int]) -> None:
    """Withdraw the proposals that wait for these breaks, in the proposer's name and with the reason."""
    ids = list(break_ids)
    if ids:
        BreakPosting.objects.filter(one_id__in=ids, state=ApprovalState.PENDING).update(
            state=ApprovalState.WITHDRAWN,
            decided_by=F("requested_by"),
            decided_at=timezone.now(),
            decision_note=CLOSED_ITSELF,
        )
