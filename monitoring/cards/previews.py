"""The side panel of an alert in its list."""

from __future__ import annotations

from typing import Any

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.table_parts import Peek
from crm.web.requests import UserRequest
from monitoring.models import Alert
from monitoring.queries import agent_name
from monitoring.reasons import in_words


def _note(request: UserRequest, row: Alert) -> None:
    access_log.note(user=request.user, kind=AccessKind.VIEW, target=f"monitoring.alert:{row.pk}")


def _context(request: UserRequest, row: Alert) -> dict[str, Any]:
    return {"name": agent_name(request.user, row.agent), "reasons": [in_words(reason) for reason in row.reasons]}


ALERT_PEEK = Peek("monitoring/_peek.html", _note, _context)
