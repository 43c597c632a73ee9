"""How a document's pages are shown. The file itself is never turned: it is evidence."""

from __future__ import annotations

from django.db import transaction

from crm.models import User
from crm.security.policies import require
from kyc import policies
from kyc.documents import locked
from kyc.models import Document


@transaction.atomic
def turn_pages(*, document_id: int, quarters: int, actor: User) -> Document:
    """Show the pages turned by so many quarters clockwise, to everybody. Who: `kyc.open_document` in reach. Raises: NotAllowed."""
    document = locked(document_id)
    require(policies.can_open(actor, document))
    document.quarter_turns = quarters % 4
    document.save(update_fields=["quarter_turns"])
    return document
