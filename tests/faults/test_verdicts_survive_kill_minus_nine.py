"""A worker is killed between any two statements of a verdict: afterwards there is none, or the whole one, and never two."""

import datetime as dt

import pytest
from django.utils import timezone

from crm import events
from crm.models import AuditEvent, OutboxEvent
from kyc import pipeline
from kyc.choices import DocumentState
from kyc.models import Document, MachineDecision
from tests.faults.killing import killed_at
from tests.kyc.factories import files_read_once, passport_jpeg, registered, uploaded, with_policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
# Every third step: a run has some forty.
STEPS = range(2, 80, 3)


@pytest.mark.parametrize(
    ("content", "state", "action"),
    [
        (passport_jpeg(), DocumentState.APPROVED, "kyc.document_approved_automatically"),
        (passport_jpeg(expires_on=dt.date(2024, 1, 1)), DocumentState.REJECTED, "kyc.document_rejected_automatically"),
    ],
    ids=["approved", "sent back"],
)
def test_a_killed_worker_leaves_no_half_verdict(cast, content, state, action):
    registered(cast.client)
    with_policy(cast.brand, sample_percent=100)
    document = uploaded(cast.client, content=content, is_automatic=True)
    with files_read_once():
        pipeline.examine(Document.objects.select_related("client__brand").get(pk=document.pk))  # read once for all
        for step in STEPS:
            Document.objects.filter(pk=document.pk, state="checking").update(
                check_lease_until=timezone.now(), check_attempts=0
            )
            was_killed = killed_at(step, lambda: pipeline.check(document.pk))
            document.refresh_from_db()
            decided = document.state == state
            assert decided or document.state in (DocumentState.UPLOADED, DocumentState.CHECKING)
            assert MachineDecision.objects.count() == decided
            assert AuditEvent.objects.filter(action=action).count() == decided
            assert OutboxEvent.objects.filter(name="kyc.document_reviewed").count() == decided
            if decided or not was_killed:
                break
    assert document.state == state and document.decided_by_policy_id
    events.drain()
