"""The side panel of a client in lists, and the log entry that every preview of a client's record writes."""

from __future__ import annotations

from typing import Any

from clients.facts import fact_of
from clients.models import Client, Task
from clients.record.access import log_access
from clients.record.timeline_page import read_page
from crm.ui.table_parts import Peek
from crm.web.requests import UserRequest

ENTRIES, TASKS = 6, 3


def note_preview(request: UserRequest, client: Client, target: str) -> None:
    """Log that a record of this client was viewed, as its page does."""
    log_access(request.user, client, target)


def _note(request: UserRequest, row: Client) -> None:
    note_preview(request, row, "clients.client:preview")


def _context(request: UserRequest, row: Client) -> dict[str, Any]:
    tasks = Task.objects.filter(client=row, done_at=None).select_related("assignee").order_by("due_at", "id")
    entries = read_page(row, request.user).entries[:ENTRIES]
    return {"entries": entries, "tasks": tasks[:TASKS], "equity": fact_of(row, "equity")}


CLIENT_PEEK = Peek("clients/_peek.html", _note, _context)
