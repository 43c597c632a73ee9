"""A provider revises a result that had passed: what was approved on its word goes back to officers, and the level falls."""

from __future__ import annotations

from django.utils import timezone

from clients import timeline
from clients.choices import TimelineKind
from clients.mail import send_mail_to
from crm import work
from crm.db.locking import lock_all
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify
from crm.security import audit
from kyc.audit_codes import KycAction
from kyc.choices import OPEN_STATES, DocumentState, KycNotice, LevelLoss, Outcome, QueueReason
from kyc.expiry.validity import UPLOAD_URL, cancel_expiry
from kyc.levels.reaching import note_level
from kyc.models import Document, MachineDecision, ProviderCheck
from kyc.reviews import REVIEW
from kyc.urgency.order import refresh_order

LETTER = "kyc.documents_reviewed_again"


def withdraw_approvals(check: ProviderCheck) -> list[Document]:
    """Withdraw the automatic approvals that rest on a check whose result is no longer passed; officers decide about the documents.

    What an officer approved stays theirs to overturn. The caller holds the locks of client and check.
    """
    decisions = MachineDecision.objects.filter(check_at_provider=check, outcome=Outcome.APPROVE)
    rows = Document.objects.filter(
        pk__in=decisions.values("document"), state=DocumentState.APPROVED, decided_by_policy__isnull=False
    )
    withdrawn = lock_all(rows)
    if not withdrawn:
        return []
    for document in withdrawn:
        document.client = check.client
        _withdraw(document, check)
    decisions.filter(document__in=withdrawn).update(withdrawn_at=timezone.now())
    cancel_expiry(withdrawn)
    refresh_order([document.pk for document in withdrawn])
    note_level(client=check.client, loss=LevelLoss.PROVIDER_REVISED)
    _tell_the_client(check)
    return withdrawn


def _withdraw(document: Document, check: ProviderCheck) -> None:
    policy_id = document.decided_by_policy_id
    newer = Document.objects.filter(
        client_id=document.client_id, kind=document.kind, side=document.side, state__in=OPEN_STATES
    )
    if newer.exists():
        # One document of a kind is reviewed at a time: the one that the client has sent since.
        document.move_to(DocumentState.REPLACED)
        document.save(update_fields=["state"])
    else:
        document.move_to(DocumentState.PENDING_REVIEW)
        document.decided_by_policy = document.reviewed_at = document.settled_at = None
        document.flaw, document.doubt = QueueReason.PROVIDER_REVISED, ""
        document.work = work.open_item(
            REVIEW, client_id=document.client_id, brand=document.client.brand, opened_at=timezone.now()
        )
        document.save()
    audit.record(
        actor=None,
        action=KycAction.APPROVAL_WITHDRAWN,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        before={"state": DocumentState.APPROVED.value, "policy": policy_id},
        after={"state": document.state, "provider_check": check.pk, "provider_state": check.state},
        evidence={"provider_result_sha256": check.result_sha256},
    )
    timeline.add_entry(
        client_id=document.client_id,
        kind=TimelineKind.DOCUMENT,
        title=phrase("%(title)s is reviewed again") % {"title": document.title_words},
        url=document.get_absolute_url(),
        dedupe_key=f"approval-withdrawn:{document.pk}:{check.attempt}",
        is_visible_to_client=True,
    )


def _tell_the_client(check: ProviderCheck) -> None:
    """Inform the client that we review again, not why: a suspicion of the provider's isn't theirs to read."""
    client, key = check.client, f"reviewed-again:{check.pk}:{check.attempt}"
    if client.user_id:
        notify(
            [client.user_id],
            kind=KycNotice.REVIEWED_AGAIN,
            title=phrase("We're reviewing your documents again"),
            body=phrase("You don't need to do anything now. We'll let you know as soon as we've finished."),
            url=UPLOAD_URL,
            dedupe_key=key,
        )
    send_mail_to(client_id=client.pk, template=LETTER, context={}, dedupe_key=key)
