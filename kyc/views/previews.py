"""The side panel of a document in its lists: the facts and findings, never the picture."""

from __future__ import annotations

from typing import Any

from clients.record.previews import note_preview
from crm.ui.table_parts import Peek
from crm.web.requests import UserRequest
from kyc import queries
from kyc.models import Document
from kyc.verdicts.second_looks import open_look_at


def _note(request: UserRequest, row: Document) -> None:
    note_preview(request, row.client, f"kyc.review:{row.pk}")


def _context(_request: UserRequest, row: Document) -> dict[str, Any]:
    if row.is_overturnable and open_look_at(row) is not None:
        return {"issues": [], "is_blind": True}  # an officer judges it without knowing what was found
    return {"issues": queries.issues_of(row, queries.last_run(row))}


DOCUMENT_PEEK = Peek("kyc/_peek.html", _note, _context)
