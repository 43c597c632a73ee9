"""What an officer doesn't see of a document while they hold its second look: that it was approved, by whom, and what followed."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from clients.models import Client
from clients.record.timeline_page import hide_entries
from crm.models import User
from kyc.choices import SecondLookState
from kyc.models import SecondLook


def blind_documents(user: User) -> set[int]:
    """Find the documents whose second look a person has claimed. One query; most have none."""
    if not user.has_perm("kyc.review_document"):
        return set()
    held = SecondLook.objects.filter(
        state=SecondLookState.OPEN, work__claimed_by=user, work__claimed_until__gt=timezone.now()
    )
    return set(held.values_list("document_id", flat=True))


def _of_the_decision(client: Client, reader: User) -> Q | None:
    """Match what the client's timeline tells of a decision that the reader judges again, and of the level that it brought."""
    blind = blind_documents(reader)
    held = SecondLook.objects.filter(document__in=blind, document__client=client).values_list("document_id", flat=True)
    hidden = Q(pk__in=[])
    for document_id in held if blind else ():
        hidden |= Q(dedupe_key__startswith=f"document-decided:{document_id}:") | Q(dedupe_key__startswith="kyc-level:")
    return hidden if blind else None


hide_entries(_of_the_decision)
