"""Clients who wait for an answer, or complain."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.i18n import formats
from risk.retention.choices import FlagKind
from risk.retention.flags.base import Figures, Flag

TICKET_SQL = """
, found AS (
  SELECT s.id AS client_id, min(t.last_at) AS since, jsonb_build_object('count', count(*), 'number', min(t.number),
    'hours', (extract(epoch FROM %(now)s::timestamptz - min(t.last_at)) / 3600)::int, 'limit', s.ticket_hours) AS figures
  FROM step s JOIN support_ticket t ON t.client_id = s.id AND t.state IN ('new', 'open')
    AND t.last_at < %(now)s::timestamptz - make_interval(hours => s.ticket_hours)
  GROUP BY s.id, s.ticket_hours
)"""


def _answered_within(figures: Figures, _currency: str) -> str:
    return _("Answered within %(hours)s hours") % {"hours": formats.number(figures["limit"])}


def _unanswered(figures: Figures, _currency: str) -> str:
    text = _("Waiting for an answer for %(time)s: #%(number)s") % {
        "time": formats.duration(figures["hours"] * 3600),
        "number": figures["number"],
    }
    if figures["count"] > 1:
        text = _("%(text)s, %(count)s tickets in all") % {"text": text, "count": formats.number(figures["count"])}
    return text


TICKET = Flag(FlagKind.TICKET, TICKET_SQL, _answered_within, _unanswered)

# Messages are sealed, so their words are looked for when they come (`risk.retention.complaints`); that stays true for two weeks,
# as does a ticket of the category.
COMPLAINT_SQL = """
, found AS (
  SELECT s.id AS client_id, max(x.at) AS since, (array_agg(x.figures ORDER BY x.at DESC))[1] AS figures
  FROM step s JOIN (
    SELECT t.client_id, t.opened_at AS at, jsonb_build_object('number', t.number, 'words', '') AS figures FROM support_ticket t
    WHERE t.category = 'complaint' AND t.opened_at > %(now)s::timestamptz - interval '14 days' AND t.client_id = ANY(%(clients)s)
    UNION ALL
    SELECT f.client_id, f.since, f.figures FROM risk_retentionflag f
    WHERE f.kind = 'complaint' AND f.ended_at IS NULL AND f.since > %(now)s::timestamptz - interval '14 days'
      AND f.client_id = ANY(%(clients)s)
  ) x ON x.client_id = s.id GROUP BY s.id
)"""


def _no_complaints(_figures: Figures, _currency: str) -> str:
    return _("None in the two weeks before")


def _complaint(figures: Figures, _currency: str) -> str:
    if figures["words"]:
        return _("Wrote “%(words)s”") % {"words": figures["words"]}
    return _("Complaint in ticket #%(number)s") % {"number": figures["number"]}


COMPLAINT = Flag(FlagKind.COMPLAINT, COMPLAINT_SQL, _no_complaints, _complaint, weight=2)
