"""The queue: what waits, how long, and who has it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.models import User
from crm.pages.work import AssignSelected, ClaimNext, undoable
from crm.ui.tables import Table
from crm.ui.views import TableView
from kyc import queries
from kyc.choices import DocumentState
from kyc.reviews import REVIEW
from kyc.tables import WAIT_LATE_HOURS, WAIT_WARN_HOURS, DocumentQueueTable

# Counting stops here: "500 and more" says enough.
COUNT_MAX = 500


class Queue(TableView):
    table = DocumentQueueTable
    template_name = "kyc/queue.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"ages": ages(self.request.user), "undo": undoable(self.request)}


def ages(user: User) -> dict[str, Any]:
    """Count what waits, by age; one bounded query."""
    now = timezone.now()
    rows = list(
        queries.queue(user)
        .order_by("uploaded_at")
        .values_list("uploaded_at", "state", "work__claimed_by", "work__claimed_until")[:COUNT_MAX]
    )
    hours = [(now - uploaded_at).total_seconds() / 3600 for uploaded_at, *_rest in rows]
    pending = [row for row in rows if row[1] == DocumentState.PENDING_REVIEW]
    return {
        "total": len(rows),
        "is_more": len(rows) == COUNT_MAX,
        "pending": len(pending),
        "fresh": sum(hour < WAIT_WARN_HOURS for hour in hours),
        "aging": sum(WAIT_WARN_HOURS <= hour < WAIT_LATE_HOURS for hour in hours),
        "late": sum(hour >= WAIT_LATE_HOURS for hour in hours),
        "mine": sum(row[2] == user.pk and row[3] and row[3] > now for row in pending),
        "oldest": rows[0][0] if rows else None,
        "warn_hours": WAIT_WARN_HOURS,
        "late_hours": WAIT_LATE_HOURS,
    }


class Next(ClaimNext):
    kind, permission = REVIEW, "kyc.review_document"
    empty = gettext_lazy("There are no unclaimed documents to review.")


class Assign(AssignSelected):
    table = DocumentQueueTable
