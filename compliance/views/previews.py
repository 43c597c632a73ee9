"""The side panel of a possible match in its list."""

from __future__ import annotations

from typing import Any

from clients.record.previews import note_preview
from compliance.choices import EVIDENCE
from compliance.models import Hit
from crm.ui.table_parts import Peek
from crm.web.requests import UserRequest


def _note(request: UserRequest, row: Hit) -> None:
    note_preview(request, row.client, f"compliance.hit:{row.pk}")


def _context(_request: UserRequest, row: Hit) -> dict[str, Any]:
    why = row.explanation
    evidence = {name: EVIDENCE.get(why.get(name, ""), why.get(name, "")) for name in ("birth", "country")}
    return {"listed_name": why.get("listed_name") or row.entry.primary_name, "evidence": evidence}


HIT_PEEK = Peek("compliance/_peek.html", _note, _context)
