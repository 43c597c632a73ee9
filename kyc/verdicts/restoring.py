"""Bringing back the approved document that another one replaced, when that other one turns out not to count."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from clients import timeline
from clients.choices import RiskRating, TimelineKind
from clients.models import Client
from crm.db.locking import lock
from crm.i18n.localized_text import phrase
from crm.security import audit
from kyc.audit_codes import KycAction
from kyc.choices import DocumentState
from kyc.expiry.validity import note_renewed, schedule_expiry
from kyc.models import Document
from kyc.providers.choices import ProviderCheckState


def restore_replaced(document: Document) -> Document | None:
    """Have the newest approved document that this one replaced count again; None where there is none that is still valid.

    What the policy had approved stays replaced while the client is rated high, and where the KYC provider behind the approval has
    revised its result: a person decides about a new one then. So does a file that the client has sent again since.
    The caller holds the client, and computes the level afterwards.
    """
    client_id, today = document.client_id, timezone.now().date()
    # Of replaced documents only those that had been approved were settled.
    rows = Document.objects.filter(
        Q(expires_on__isnull=True) | Q(expires_on__gte=today),
        client_id=client_id,
        kind=document.kind,
        side=document.side,
        state=DocumentState.REPLACED,
        settled_at__isnull=False,
        pk__lt=document.pk,
    )
    earlier = rows.order_by("-pk").first()
    if earlier is None or _is_held_back(earlier):
        return None
    earlier = lock(Document, earlier.pk)
    earlier.client = document.client
    earlier.move_to(DocumentState.APPROVED)
    earlier.save(update_fields=["state"])
    audit.record(
        actor=None,
        action=KycAction.DOCUMENT_RESTORED,
        target=earlier,
        client_id=client_id,
        brand_id=document.client.brand_id,
        before={"state": DocumentState.REPLACED.value},
        after={"state": earlier.state, "instead_of": document.pk},
    )
    timeline.add_entry(
        client_id=client_id,
        kind=TimelineKind.DOCUMENT,
        title=phrase("%(title)s: the earlier document is valid again") % {"title": earlier.title_words},
        url=earlier.get_absolute_url(),
        dedupe_key=f"document-restored:{earlier.pk}:{document.pk}",
    )
    schedule_expiry([earlier])
    note_renewed(document.client)
    return earlier


def _is_held_back(earlier: Document) -> bool:
    sent_again = Document.objects.filter(client_id=earlier.client_id, sha256=earlier.sha256)
    if sent_again.exclude(state=DocumentState.REPLACED).exists():
        return True
    if earlier.decided_by_policy_id is None:
        return False
    check = earlier.machine_decision.check_at_provider
    if check is not None and check.state != ProviderCheckState.PASSED:
        return True
    risk = Client.objects.values_list("risk_rating", flat=True).get(pk=earlier.client_id)
    return bool(risk == RiskRating.HIGH)
