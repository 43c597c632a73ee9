# ruff: noqa: S608 - statements made of constants of this module
"""What people brought after an e-mail to many or an automation reached them: first deposits, money and revenue of the days after.

Counted are the first days after each person was reached, whatever else moved them; of an automation by group, each person once,
from the first time they entered. Only people whom the reader reaches now.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from clients.choices import MessageState
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.web.requests import UserRequest
from leads.automations.choices import RunState, Variant
from leads.models import Automation, BulkChange
from reports import queries
from reports.campaigns.returns import ReturnRow, Sums
from reports.campaigns.revenue import LOST_OR_CHARGED, PASSED_ON, passed_on_after, traded_after

DAYS: Final = 30
PEOPLE_MAX: Final = 10_000  # the newest
BY_MAIL: Final = f"""
SELECT client_id, '' AS part, sent_at AS at FROM clients_message
WHERE id = ANY(%(messages)s) AND state = '{MessageState.SENT}' ORDER BY id DESC LIMIT {PEOPLE_MAX}"""
BY_AUTOMATION: Final = f"""
SELECT DISTINCT ON (client_id) client_id, variant AS part, entered_at AS at FROM (
  SELECT client_id, variant, entered_at FROM leads_automationrun
  WHERE automation_id = %(automation)s AND NOT is_watching AND state <> '{RunState.NOT_STARTED}' ORDER BY id DESC LIMIT {PEOPLE_MAX}
) runs ORDER BY client_id, entered_at"""
BROUGHT: Final = f"""
WITH reached AS MATERIALIZED (
  SELECT w.client_id, w.part, c.brand_id, (w.at AT TIME ZONE b.time_zone)::date AS day
  FROM ({{who}}) w JOIN clients_client c ON c.id = w.client_id JOIN crm_brand b ON b.id = c.brand_id
  WHERE c.book_id = ANY(%(books)s)
), brought AS (
  SELECT client_id, 1 AS people, 0 AS ftds, 0 AS deposits, 0 AS net, 0 AS revenue FROM reached
  UNION ALL SELECT d.client_id, 0, d.first_deposits, d.deposits, d.deposits - d.withdrawals - d.reversals, 0
  FROM reached w JOIN reports_clientday d ON d.client_id = w.client_id AND d.day >= w.day AND d.day < w.day + {DAYS}
  UNION ALL SELECT w.client_id, 0, 0, 0, 0, {LOST_OR_CHARGED} {traded_after(DAYS)}
  UNION ALL SELECT w.client_id, 0, 0, 0, 0, {PASSED_ON} {passed_on_after(DAYS)}
)
SELECT w.part, w.brand_id, sum(g.people), sum(g.ftds), sum(g.deposits), sum(g.net), sum(g.revenue)
FROM brought g JOIN reached w ON w.client_id = g.client_id GROUP BY 1, 2
"""


def sees_returns(user: User) -> bool:
    """Check whether somebody sees what people paid in: of campaigns, or deposits as such."""
    return user.has_perm("leads.view_campaign") or user.has_perm("wallet.view_deposit")


def returns_card(request: UserRequest, record: Automation | BulkChange) -> dict[str, Any] | None:
    """Show what an automation or an e-mail to many brought; None, so no card, before it reached anyone."""
    if isinstance(record, Automation):
        rows = _read(request.user, BY_AUTOMATION, {"automation": record.pk})
    else:
        rows = _read(request.user, BY_MAIL, {"messages": [message for _client, message in record.changes]})
    if not rows:
        return None
    people = sum(row.sums.leads for row in rows)
    return {
        "rows": rows,
        "has_groups": any(row.label for row in rows),
        "has_revenue": queries.sees_revenue(request.user),
        "days": DAYS,
        "is_cut": people >= PEOPLE_MAX,
    }


def _read(user: User, who: str, values: Mapping[str, Any]) -> list[ReturnRow]:
    """Add up by group and currency; `leads` are the people who were reached."""
    with connection.cursor() as cursor:
        cursor.execute(BROUGHT.format(who=who), {**values, "books": list(reach_of(user).books)})
        found = cursor.fetchall()
    currencies = dict(Brand.objects.filter(pk__in={row[1] for row in found}).values_list("pk", "base_currency"))
    rows: dict[tuple[str, str], ReturnRow] = {}
    for part, brand_id, people, ftds, deposits, net, revenue in found:
        currency = currencies[brand_id]
        label = str(Variant(part).label) if part else ""
        row = rows.setdefault((part, currency), ReturnRow(label, currency, part))
        row.sums.add(Sums(*(Decimal(value) for value in (people, 0, ftds, deposits, net, revenue))))
    return [rows[key] for key in sorted(rows)]
