"""What KYC puts on pages it does not own: menu, the client's KYC tab, a tile, search by document number."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from crm.choices import Role
from crm.models import User
from crm.ui import panels
from crm.ui.panels import MenuEntry, PaletteSource, RecordPart, Tab, Tile, register
from kyc import client_overview, queries
from kyc.choices import DocumentState
from kyc.views import home_cards
from kyc.views.client import kyc_tab
from kyc.views.queue import queue_tile


def waiting(user: User) -> int | None:
    """Count what waits for a decision, at most 99."""
    pending = queries.queue(user).filter(state=DocumentState.PENDING_REVIEW)
    return len(pending.values_list("pk", flat=True)[:99]) or None


def find_by_number(user: User, query: str, limit: int) -> Iterator[panels.SearchResult]:
    """Find a document by its whole number; only its keyed hash is stored, so a part of it finds nothing."""
    if len(query) < 5 or not any(character.isdigit() for character in query):
        return
    for document in queries.find_by_number(user, query, limit=limit):
        yield panels.SearchResult(
            f"{document.title}: {document.client.full_name}",
            document.get_absolute_url(),
            str(document.get_state_display()),
            "id-card",
        )


register(
    MenuEntry(
        "compliance",
        _("Review queue"),
        "kyc:queue",
        "kyc.review_document",
        "file-check",
        10,
        count=waiting,
        words="kyc documents passport verify",
    ),
    MenuEntry("compliance", _("KYC documents"), "kyc:documents", "kyc.open_document", "files", 20, words="kyc archive"),
    RecordPart("client", "step", "kyc", client_overview.next_steps, "kyc.view_document", 20),
    RecordPart("client", "creation", "kyc", client_overview.creations, "kyc.send_document", 20),
    Tab("client", "kyc", _("KYC"), kyc_tab, "kyc.view_document", order=30),
    Tile(
        "kyc-queue",
        "kyc/_tile.html",
        queue_tile,
        "kyc.review_document",
        10,
        title=_("Documents to review"),
        place="kpi",
    ),
    Tile(
        "documents-owed",
        "crm/ui/_list_card.html",
        home_cards.documents_owed,
        "kyc.view_document",
        30,
        title=_("Documents owed by my clients"),
        roles=(Role.AGENT,),
    ),
    PaletteSource("kyc-documents", _("Documents"), find_by_number, "kyc.open_document", 60),
)
