"""The last decision of this session, as long as it can be taken back."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from crm.web.requests import UserRequest
from kyc import policies
from kyc.models import Document

KEY = "kyc_last_decision"


def remember(request: HttpRequest, document: Document) -> None:
    request.session[KEY] = document.pk


def undoable(request: UserRequest) -> dict[str, Any] | None:
    """Find the last decision and the seconds left to undo it; None where it can't be undone."""
    document_id = request.session.get(KEY)
    if not document_id:
        return None
    document = Document.objects.select_related("client").filter(pk=document_id).first()
    if document is None or document.settles_at is None or not policies.can_undo(request.user, document):
        request.session.pop(KEY, None)
        return None
    left = (document.settles_at - timezone.now()).total_seconds()
    return {"document": document, "seconds": max(0, round(left))} if left > 0 else None
