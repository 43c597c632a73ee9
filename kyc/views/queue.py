"""The queue: what waits, how long, and who has it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.models import User
from crm.pages.work import AssignSelected, ClaimNext, undoable
from crm.ui.tables import Table
from crm.ui.views import TableView
from crm.ui.work_columns import SOON
from kyc import queries
from kyc.batch.reading import qualifying
from kyc.reviews import REVIEW
from kyc.tables import DocumentQueueTable
from kyc.urgency.order import flaw_label, in_words

FLAWS_MAX = 8
# Counting stops here: "500 and more" says enough.
COUNT_MAX = 500


class Queue(TableView):
    table = DocumentQueueTable
    template_name = "kyc/queue.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        doubts = len(qualifying(self.request.user).values_list("pk", flat=True)[:100])
        return {"ages": ages(self.request.user), "undo": undoable(self.request), "order": in_words(), "doubts": doubts}


def ages(user: User) -> dict[str, Any]:
    """Count what waits, by the clock of its work item; one bounded query. Documents that are being checked have none yet."""
    now = timezone.now()
    rows = list(
        queries.queue(user)
        .order_by("uploaded_at")
        .values_list("uploaded_at", "work__due_at", "work__claimed_by", "work__claimed_until", "flaw")[:COUNT_MAX]
    )
    flaws = Counter(row[4] for row in rows if row[1] is not None and row[4])
    due = [due_at for _uploaded_at, due_at, *_rest in rows if due_at is not None]
    return {
        "total": len(rows),
        "is_more": len(rows) == COUNT_MAX,
        "pending": len(due),
        "later": sum(due_at >= now + SOON for due_at in due),
        "soon": sum(now <= due_at < now + SOON for due_at in due),
        "late": sum(due_at < now for due_at in due),
        "mine": sum(row[2] == user.pk and row[3] is not None and row[3] > now for row in rows),
        "flaws": [(code, flaw_label(code), count) for code, count in flaws.most_common(FLAWS_MAX)],
        "oldest": rows[0][0] if rows else None,
        "oldest_is_late": bool(rows and rows[0][1] is not None and rows[0][1] < now),
    }


class Next(ClaimNext):
    kind, permission = REVIEW, "kyc.review_document"
    empty = gettext_lazy("There are no unclaimed documents to review.")


class Assign(AssignSelected):
    table = DocumentQueueTable
