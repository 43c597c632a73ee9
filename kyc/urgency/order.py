"""Computes what the queue is ordered by: when a document is due, brought forward by what is at stake.

One statement for all that wait; beat repeats it, because equity and deposits move without the documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from clients.choices import RiskRating
from clients.facts import FACTS
from crm.i18n import formats
from kyc.choices import ISSUE_SHORT, QUEUE_REASON_SHORT, DocumentState, IssueCode, QueueReason

# By how many hours what is due is brought forward. Values in the brand's base currency, the highest first.
VALUE_HOURS: Final = ((Decimal(50_000), 16), (Decimal(10_000), 8), (Decimal(1_000), 2))
RISK_HOURS: Final = ((RiskRating.HIGH, 8), (RiskRating.MEDIUM, 2))
SUSPECT_HOURS: Final = 4
# What may be a forgery, or somebody else's document.
SUSPECT: Final = (
    IssueCode.DOC_NO_DUPLICATE,
    IssueCode.IMAGE_DUPLICATE,
    IssueCode.EDITED,
    IssueCode.PDF_CHANGED,
    IssueCode.PARTS_DIFFER,
    IssueCode.FONTS_DIFFER,
    IssueCode.SCREEN_PHOTO,
    IssueCode.PRINT_MISMATCH,
    IssueCode.UNDERAGE,
)
# A priority set by hand outranks everything that is computed.
PRIORITY_DAYS: Final = 365

STATEMENT: Final = """
UPDATE kyc_document document SET client_value = computed.value, urgent_at = computed.urgent_at
FROM (
  SELECT waiting.id, stake.value,
    item.due_at - interval '1 day' * %(priority_days)s * (item.priority - 2) - interval '1 hour' * (
      CASE {value} ELSE 0 END
      + CASE {risk} ELSE 0 END
      + CASE WHEN waiting.flaw = ANY(%(suspect)s) THEN %(suspect_hours)s ELSE 0 END) AS urgent_at
  FROM kyc_document waiting
  JOIN crm_workitem item ON item.id = waiting.work_id
  JOIN clients_client client ON client.id = waiting.client_id
  LEFT JOIN {equity} money ON money.client_id = client.id
  CROSS JOIN LATERAL (SELECT greatest(coalesce(money.equity, 0), client.net_deposits, 0)::numeric(20, 2) AS value) stake
  WHERE waiting.state = %(pending)s AND (%(ids)s::bigint[] IS NULL OR waiting.id = ANY(%(ids)s::bigint[]))
  ORDER BY waiting.id FOR NO KEY UPDATE OF waiting SKIP LOCKED
) computed
WHERE document.id = computed.id
  AND (document.client_value, document.urgent_at) IS DISTINCT FROM (computed.value, computed.urgent_at)
"""


def _cases(test: str, hours: Iterable[tuple[object, int]]) -> str:
    return " ".join(f"WHEN {test.format(value)} THEN {count}" for value, count in hours)


def refresh_order(document_ids: Iterable[int] | None = None) -> int:
    """Compute value and urgency of the documents that wait, or of these, and return how many moved.

    What somebody is deciding on at this moment is left out: its next turn comes with the clock.
    """
    statement = STATEMENT.format(
        value=_cases("stake.value >= {}", VALUE_HOURS),
        risk=_cases("client.risk_rating = '{}'", [(risk.value, hours) for risk, hours in RISK_HOURS]),
        equity=FACTS["equity"].table,
    )
    values: dict[str, Any] = {
        "pending": DocumentState.PENDING_REVIEW.value,
        "priority_days": PRIORITY_DAYS,
        "suspect": [code.value for code in SUSPECT],
        "suspect_hours": SUSPECT_HOURS,
        "ids": None if document_ids is None else list(document_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        moved: int = cursor.rowcount
        return moved


def flaw_label(code: str) -> str:
    """Name what is wrong in a word or two: a check's issue, or the policy's own reason for a person."""
    if code in QueueReason.values:
        return str(QUEUE_REASON_SHORT[QueueReason(code)])
    return str(ISSUE_SHORT.get(code, code))


def in_words() -> list[str]:
    """Explain the order to whoever works on the queue."""
    return [
        _("A priority set by hand comes first, then what is due first by its service level."),
        _("Brought forward by the client's equity or net deposits, whichever is higher: %(bands)s.")
        % {
            "bands": "; ".join(
                _("from %(amount)s by %(hours)s h") % {"amount": formats.number(value, 0), "hours": hours}
                for value, hours in reversed(VALUE_HOURS)
            )
        },
        _("Brought forward by risk: %(bands)s.")
        % {
            "bands": "; ".join(
                _("%(risk)s by %(hours)s h") % {"risk": risk.label, "hours": hours} for risk, hours in RISK_HOURS
            )
        },
        _("Brought forward by %(hours)s h where the checks suspect a forgery or another client's document.")
        % {"hours": SUSPECT_HOURS},
    ]
