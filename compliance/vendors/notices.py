"""Acting on what vendors send us: what a notice points at is looked up at the vendor, and whoever it is about is asked about again.

How notices are stored and judged: `crm.connections.webhooks`.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit_codes import ComplianceAction
from compliance.choices import ScreeningTrigger
from compliance.models import ListEntry, ScreeningVendor, VendorCheck, VendorNotice
from compliance.vendors import answers, policies
from compliance.vendors.choices import CheckState
from crm.connections import webhooks
from crm.connections.choices import WebhookState
from crm.db.locking import lock, lock_or_none
from crm.errors import OutsideWorldError
from crm.models import User
from crm.security.policies import require

TASK: Final = "compliance.process_vendor_notices"
BACK_OFF_SECONDS: Final = (30, 120, 600, 1_800, 7_200)
CLAIMED: Final = dt.timedelta(seconds=120)


def process_due(*, limit: int = 100) -> int:
    """Act on notices that wait, the oldest first; returns how many were processed."""
    due = VendorNotice.objects.filter(state=WebhookState.WAITING, due_at__lte=timezone.now())
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(process(pk) for pk in ids if _claim(pk))


@transaction.atomic
def _claim(notice_id: int) -> bool:
    now = timezone.now()
    due = VendorNotice.objects.filter(state=WebhookState.WAITING, due_at__lte=now).defer("body_sealed")
    notice = lock_or_none(due, notice_id)
    if notice is None:
        return False
    notice.due_at = now + CLAIMED  # it isn't handed over again meanwhile, and is due again if this process dies
    notice.save(update_fields=["due_at"])
    return True


def process(notice_id: int) -> bool:
    """Look up what a notice points at, and have whoever it is about asked about again; False where the vendor gave no answer."""
    rows = VendorNotice.objects.select_related("connection__source", "connection__brand").defer("body_sealed")
    notice = rows.get(pk=notice_id)
    vendor = notice.connection
    knows = bool(notice.subject_id) and _knows(vendor, notice.subject_id)
    try:
        version = answers.look_up(vendor, [notice.subject_id]) if knows else None
    except OutsideWorldError as error:
        _try_later(notice_id, error.message)
        return False
    if version is not None:
        answers.follow(vendor, version)
    checks = VendorCheck.objects.filter(vendor=vendor, reference=notice.reference).exclude(state=CheckState.ENDED)
    check = checks.select_related("client", "party", "vendor").first() if notice.reference else None
    if check is not None:
        answers.ask_about(check, ScreeningTrigger.VENDOR)
    is_known = knows or check is not None
    outcome = _("The vendor was asked again") if check or version else _("Nothing had changed at the vendor")
    _finish(
        notice_id, is_known=is_known, outcome=outcome if is_known else _("None of our matches is about this entity")
    )
    return True


def _knows(vendor: ScreeningVendor, subject_id: str) -> bool:
    return ListEntry.objects.filter(source=vendor.source_id, external_id=subject_id).exists()


@transaction.atomic
def _finish(notice_id: int, *, is_known: bool, outcome: str) -> None:
    notice = lock(VendorNotice.objects.defer("body_sealed"), notice_id)
    webhooks.finish(notice, is_matched=is_known, outcome=outcome)


@transaction.atomic
def _try_later(notice_id: int, problem: str) -> None:
    notice = lock(VendorNotice.objects.defer("body_sealed"), notice_id)
    wait = BACK_OFF_SECONDS[min(notice.attempts, len(BACK_OFF_SECONDS) - 1)]
    notice.attempts = min(notice.attempts + 1, 1000)
    notice.due_at, notice.outcome = timezone.now() + dt.timedelta(seconds=wait), problem[:300]
    notice.save(update_fields=["attempts", "due_at", "outcome"])


@transaction.atomic
def retry_notice(*, notice_id: int, actor: User) -> VendorNotice:
    """Process a notice about an unknown entity once more: a match may be about it by now.

    Who: `compliance.screen_client`, with the brand in reach as a whole. Raises: NotAllowed, WrongState.
    """
    notice = lock(VendorNotice.objects.defer("body_sealed"), notice_id, "connection")
    brand_id = notice.connection.brand_id
    require(policies.can_read_notices(actor, brand_id))
    webhooks.retry(notice, brand_id=brand_id, actor=actor, action=ComplianceAction.VENDOR_MESSAGE_RETRIED, task=TASK)
    return notice
