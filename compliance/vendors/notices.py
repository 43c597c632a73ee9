"""What vendors send us: stored as it came, judged by its signature and age on the raw bytes, and answered quickly.

A notice is a reason to ask, never the result: what it points at is looked up at the vendor, and whoever it is about is asked about
again. So notices that are lost, doubled, replayed or out of order change nothing that asking would not. Its id is processed once.
Refused ones are all counted and few of them kept.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit_codes import ComplianceAction
from compliance.choices import ScreeningTrigger
from compliance.models import ListEntry, ScreeningVendor, VendorCheck, VendorNotice
from compliance.models.vendors import NOTICE_PURPOSE
from compliance.vendors import answers, policies
from compliance.vendors.adapters import adapter_of
from compliance.vendors.choices import CheckState, NoticeState, NoticeVerdict
from compliance.vendors.protocol import Judgement
from crm.db.locking import lock, lock_or_none
from crm.errors import OutsideWorldError, WrongState
from crm.models import User
from crm.queue.enqueue import enqueue_on_commit, enqueue_soon_on_commit
from crm.security import audit, crypto
from crm.security.policies import require

TASK: Final = "compliance.process_vendor_notices"
BODY_BYTES_MAX: Final = 256 * 1024
REFUSED_KEPT_A_DAY: Final = 20
REFUSED_BYTES_KEPT: Final = 4 * 1024
BACK_OFF_SECONDS: Final = (30, 120, 600, 1_800, 7_200)
CLAIMED: Final = dt.timedelta(seconds=120)
COUNT_REFUSED: Final = """
UPDATE compliance_screeningvendor SET refused_count = CASE WHEN refused_on = %(day)s THEN refused_count + 1 ELSE 1 END,
  refused_on = %(day)s WHERE id = %(vendor)s RETURNING refused_count
"""


def receive_notice(
    *, vendor: ScreeningVendor, body: bytes, headers: Mapping[str, str], ip: str | None
) -> NoticeVerdict:
    """Store a webhook's raw bytes, then judge it; a worker acts on an accepted one. Header names are lower case.

    The same message again is counted on the row of the first.
    """
    now = timezone.now()
    notice = VendorNotice.objects.create(
        vendor=vendor,
        received_at=now,
        body_sealed=crypto.encrypt(body, purpose=NOTICE_PURPOSE),
        body_sha256=hashlib.sha256(body).hexdigest(),
        ip=ip,
    )
    judgement = adapter_of(vendor).judge(body, headers, now=now)
    if judgement.verdict == NoticeVerdict.ACCEPTED:
        _accept(notice, judgement)
    else:
        _refuse(notice, judgement, body)
    return judgement.verdict


@transaction.atomic
def _refuse(notice: VendorNotice, judgement: Judgement, body: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_REFUSED, {"day": notice.received_at.date(), "vendor": notice.vendor_id})
        (count,) = cursor.fetchone()  # the row is locked: two at once don't share a place
    if count > REFUSED_KEPT_A_DAY:
        notice.delete()
        return
    notice.move_to(NoticeState.REFUSED)
    notice.verdict, notice.outcome = judgement.verdict, str(judgement.verdict.label)
    notice.message_id, notice.signed_at, notice.processed_at = judgement.message_id, judgement.signed_at, timezone.now()
    if len(body) > REFUSED_BYTES_KEPT:
        notice.body_sealed = crypto.encrypt(body[:REFUSED_BYTES_KEPT], purpose=NOTICE_PURPOSE)
    notice.save()


@transaction.atomic
def _accept(notice: VendorNotice, judgement: Judgement) -> None:
    assert judgement.notice is not None
    notice.move_to(NoticeState.WAITING)
    notice.verdict, notice.message_id, notice.signed_at = judgement.verdict, judgement.message_id, judgement.signed_at
    notice.event_type, notice.entity_id = judgement.notice.event_type, judgement.notice.entity_id
    notice.reference, notice.due_at = judgement.notice.reference, notice.received_at
    try:
        with transaction.atomic():
            notice.save()
    except IntegrityError:
        first = VendorNotice.objects.filter(
            vendor=notice.vendor_id, message_id=notice.message_id, verdict=NoticeVerdict.ACCEPTED
        )
        first.update(repeats=F("repeats") + 1)
        VendorNotice.objects.filter(pk=notice.pk).delete()
        return
    ScreeningVendor.objects.filter(pk=notice.vendor_id).update(last_notice_at=notice.received_at)
    enqueue_soon_on_commit(TASK)


def process_due(*, limit: int = 100) -> int:
    """Act on notices that wait, the oldest first; returns how many were processed."""
    due = VendorNotice.objects.filter(state=NoticeState.WAITING, due_at__lte=timezone.now())
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(process(pk) for pk in ids if _claim(pk))


@transaction.atomic
def _claim(notice_id: int) -> bool:
    now = timezone.now()
    due = VendorNotice.objects.filter(state=NoticeState.WAITING, due_at__lte=now).defer("body_sealed")
    notice = lock_or_none(due, notice_id)
    if notice is None:
        return False
    notice.due_at = now + CLAIMED  # it isn't handed over again meanwhile, and is due again if this process dies
    notice.save(update_fields=["due_at"])
    return True


def process(notice_id: int) -> bool:
    """Look up what a notice points at, and have whoever it is about asked about again; False where the vendor gave no answer."""
    rows = VendorNotice.objects.select_related("vendor__source", "vendor__brand").defer("body_sealed")
    notice = rows.get(pk=notice_id)
    vendor = notice.vendor
    knows = bool(notice.entity_id) and _knows(vendor, notice.entity_id)
    try:
        version = answers.look_up(vendor, [notice.entity_id]) if knows else None
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


def _knows(vendor: ScreeningVendor, entity_id: str) -> bool:
    return ListEntry.objects.filter(source=vendor.source_id, external_id=entity_id).exists()


@transaction.atomic
def _finish(notice_id: int, *, is_known: bool, outcome: str) -> None:
    notice = lock(VendorNotice.objects.defer("body_sealed"), notice_id)
    notice.move_to(NoticeState.DONE if is_known else NoticeState.UNMATCHED)
    notice.outcome, notice.due_at, notice.processed_at = outcome[:300], None, timezone.now()
    notice.save(update_fields=["state", "outcome", "due_at", "processed_at"])


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
    notice = lock(VendorNotice.objects.defer("body_sealed"), notice_id, "vendor")
    require(policies.can_read_notices(actor, notice.vendor.brand_id))
    if notice.state != NoticeState.UNMATCHED:
        raise WrongState(_("Only a message about an unknown entity can be retried."))
    notice.move_to(NoticeState.WAITING)
    notice.due_at, notice.processed_at = timezone.now(), None
    notice.save(update_fields=["state", "due_at", "processed_at"])
    audit.record(
        actor=actor,
        action=ComplianceAction.VENDOR_MESSAGE_RETRIED,
        target=notice,
        brand_id=notice.vendor.brand_id,
        after={"entity": notice.entity_id},
    )
    enqueue_on_commit(TASK)
    return notice
