"""What people did lately: e-mails and links opened, links clicked, sign-ins, calls answered, e-mails written to us.

Read from where each is recorded, for many people in one statement: nothing is counted twice, and a merge or an erasure needs no
second place. E-mails count as opened or clicked once each, where the mail service reports it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from types import MappingProxyType

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

DAYS_MAX = 90


class EngagementKind(models.TextChoices):
    """The same codes as the kinds of scoring rules that ask for them."""

    OPENED = "opened", _("E-mails opened")
    CLICKED = "clicked", _("Links clicked")
    LOGIN = "login", _("Sign-ins")
    CALL = "call", _("Calls answered")
    REPLY = "reply", _("E-mails received")


Engagement = Mapping[str, tuple[dt.datetime, ...]]
NOTHING: Engagement = MappingProxyType({})

SQL = """
SELECT client_id, kind, array_agg(at) FROM (
  SELECT m.client_id, 'opened' AS kind, m.delivery_at AS at FROM clients_message m
  WHERE m.client_id = ANY(%(ids)s) AND m.delivery IN ('opened', 'clicked') AND m.delivery_at BETWEEN %(since)s AND %(now)s
  UNION ALL
  SELECT m.client_id, 'clicked', m.delivery_at FROM clients_message m
  WHERE m.client_id = ANY(%(ids)s) AND m.delivery = 'clicked' AND m.delivery_at BETWEEN %(since)s AND %(now)s
  UNION ALL
  SELECT i.client_id, kind, i.opened_at FROM leads_registrationinvitation i, unnest(ARRAY['opened', 'clicked']) kind
  WHERE i.client_id = ANY(%(ids)s) AND i.opened_at BETWEEN %(since)s AND %(now)s
  UNION ALL
  SELECT c.id, 'login', a.at FROM clients_client c JOIN crm_accessevent a ON a.user_id = c.user_id
  WHERE c.id = ANY(%(ids)s) AND a.kind = 'login' AND a.at BETWEEN %(since)s AND %(now)s
  UNION ALL
  SELECT k.client_id, 'call', k.started_at FROM clients_call k
  WHERE k.client_id = ANY(%(ids)s) AND k.outcome IN ('reached', 'call_back') AND k.started_at BETWEEN %(since)s AND %(now)s
  UNION ALL
  SELECT r.client_id, 'reply', r.received_at FROM clients_incomingmail r
  WHERE r.client_id = ANY(%(ids)s) AND NOT r.is_automatic AND r.received_at BETWEEN %(since)s AND %(now)s
) found GROUP BY client_id, kind
"""


def engagement_of(client_ids: Collection[int], now: dt.datetime) -> dict[int, Engagement]:
    """Return when people did what in the last `DAYS_MAX` days; those who did nothing are left out."""
    found: dict[int, dict[str, tuple[dt.datetime, ...]]] = {}
    if client_ids:
        with connection.cursor() as cursor:
            cursor.execute(SQL, {"ids": list(client_ids), "since": now - dt.timedelta(days=DAYS_MAX), "now": now})
            for client_id, kind, times in cursor.fetchall():
                found.setdefault(client_id, {})[kind] = tuple(times)
    return dict(found)
