"""`kyc.uploads.handover`: a code that works once, for one phone, one document and one brand."""

import datetime as dt
import io

import pytest
from django.utils import timezone

from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent
from kyc import incoming
from kyc.models import IncomingFile, UploadHandover
from kyc.uploads import drafts, handover, pages, submission
from tests.kyc.factories import passport_jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(cast):
    return drafts.open_draft(client=cast.client, kind="passport", country="DE", actor=cast.client_user)


def handed_over(cast, draft):
    return handover.hand_over(draft_id=draft.pk, actor=cast.client_user)[1]


def refused(code, act):
    with pytest.raises(handover.HandoverProblem) as problem:
        act()
    assert problem.value.code == code


def test_a_code_opens_one_document_on_one_phone_once(cast, draft):
    secret = handed_over(cast, draft)
    assert handover.peek(secret, brand=cast.brand).draft == draft  # looking at it uses nothing up
    refused("broken", lambda: handover.peek(secret, brand=cast.other_brand))
    refused("broken", lambda: handover.peek(f"{secret}x", brand=cast.brand))
    row, device = handover.open_on_phone(secret, brand=cast.brand)
    refused("used", lambda: handover.open_on_phone(secret, brand=cast.brand))
    assert handover.of_device(row.pk, device, brand=cast.brand) == row
    refused("broken", lambda: handover.of_device(row.pk, secret, brand=cast.brand))
    refused("broken", lambda: handover.of_device(row.pk, device, brand=cast.other_brand))
    assert secret.encode() not in bytes(row.secret_hash) and device.encode() not in bytes(row.device_hash)
    assert AccessEvent.objects.filter(target=f"kyc.upload:{draft.pk}", user=cast.client_user).count() == 1
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "kyc.upload_started",
        "kyc.upload_handed_over",
        "kyc.upload_handover_opened",
    ]


def test_codes_and_phones_run_out(cast, draft):
    secret = handed_over(cast, draft)
    UploadHandover.objects.update(
        created_at=timezone.now() - dt.timedelta(hours=1), expires_at=timezone.now() - dt.timedelta(seconds=1)
    )
    refused("expired", lambda: handover.open_on_phone(secret, brand=cast.brand))
    row, device = handover.open_on_phone(handed_over(cast, draft), brand=cast.brand)
    UploadHandover.objects.filter(pk=row.pk).update(expires_at=row.created_at + dt.timedelta(microseconds=1))
    refused("expired", lambda: handover.of_device(row.pk, device, brand=cast.brand))


def test_a_new_code_or_the_owner_ends_the_phones(cast, draft):
    first = handed_over(cast, draft)
    row, device = handover.open_on_phone(handed_over(cast, draft), brand=cast.brand)
    refused("revoked", lambda: handover.open_on_phone(first, brand=cast.brand))
    with pytest.raises(NotAllowed):
        handover.revoke_handover(draft_id=draft.pk, actor=cast.other_client_user)
    handover.revoke_handover(draft_id=draft.pk, actor=cast.client_user)
    refused("revoked", lambda: handover.of_device(row.pk, device, brand=cast.brand))
    row, device = handover.open_on_phone(handed_over(cast, draft), brand=cast.brand)
    type(cast.client_user).objects.filter(pk=cast.client_user.pk).update(is_active=False)
    refused("revoked", lambda: handover.of_device(row.pk, device, brand=cast.brand))


def test_only_the_owner_hands_over_and_only_so_often(cast, draft, monkeypatch):
    with pytest.raises(NotAllowed):
        handover.hand_over(draft_id=draft.pk, actor=cast.other_client_user)
    monkeypatch.setattr(handover, "PER_HOUR_MAX", 2)
    for _time in range(2):
        handed_over(cast, draft)
    with pytest.raises(DomainError, match="too many codes"):
        handed_over(cast, draft)


def test_what_the_phone_sends_is_the_owners(cast, draft):
    row, device = handover.open_on_phone(handed_over(cast, draft), brand=cast.brand)
    pages.add_file(
        draft_id=draft.pk,
        side="front",
        file=io.BytesIO(passport_jpeg()),
        name="x.jpg",
        actor=row.created_by,
        is_from_phone=True,
    )
    submission.send_draft(draft_id=draft.pk, actor=row.created_by, phone=row)
    refused("finished", lambda: handover.of_device(row.pk, device, brand=cast.brand))
    assert IncomingFile.objects.get().uploaded_by == cast.client_user and incoming.take_in_due() == 1
