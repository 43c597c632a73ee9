"""Erasing a client reaches the provider: whoever's key was destroyed is deleted there too, until the provider has confirmed it."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.connections.http import watched
from crm.db.locking import lock
from crm.errors import OutsideWorldError
from crm.models import SubjectKey
from crm.security import audit
from kyc.audit_codes import KycAction
from kyc.models import ProviderCheck, ProviderMessage
from kyc.providers.adapters import adapter_of

logger = logging.getLogger(__name__)
AGAIN_AFTER: Final = dt.timedelta(hours=6)


def delete_erased(*, limit: int = 50) -> int:
    """Delete erased clients at their providers; returns how many. A refusal or silence is tried again in some hours."""
    erased = SubjectKey.objects.filter(destroyed_at__isnull=False).values("client_id")
    rows = ProviderCheck.objects.filter(client_id__in=erased, deleted_at=None).select_related("provider__brand")
    due = rows.filter(Q(delete_due_at=None) | Q(delete_due_at__lte=timezone.now()))
    return sum(_delete(check) for check in due.order_by("pk")[:limit])


def _delete(check: ProviderCheck) -> bool:
    adapter = adapter_of(check.provider)
    try:
        with watched(check.provider):
            applicant_id = check.applicant_id
            if not applicant_id:  # its creation had no answer: it may be there
                view = adapter.look_up(external_id=check.external_id)
                applicant_id = view.applicant_id if view is not None else ""
            if applicant_id:
                adapter.delete(applicant_id)
    except OutsideWorldError as error:
        logger.warning("an erased client of check %s is not deleted at the provider yet: %s", check.pk, error)
        ProviderCheck.objects.filter(pk=check.pk).update(
            delete_due_at=timezone.now() + AGAIN_AFTER, problem=error.message[:300]
        )
        return False
    _note_deleted(check)
    return True


@transaction.atomic
def _note_deleted(check: ProviderCheck) -> None:
    check = lock(ProviderCheck, check.pk, "provider")
    check.deleted_at, check.delete_due_at, check.look_due_at, check.problem = timezone.now(), None, None, ""
    check.message, check.labels, check.results = "", [], []
    if check.state == "retry":
        check.move_to("cancelled")
    check.save()
    check.messages.update(body_sealed=ProviderMessage.sealed(b""))
    audit.record(
        actor=None,
        action=KycAction.PROVIDER_DELETED,
        target=check,
        brand_id=check.provider.brand_id,
        evidence={"applicant": check.applicant_id, "external_id": check.external_id},
    )
