"""Approving a document despite a blocking problem, where the brand wants two people for it: claim, proposal, approval, undo."""

import pytest
from django.urls import reverse

from crm import approvals, work
from crm.errors import DomainError, NotAllowed
from crm.models import WorkItem, WorkProposal
from kyc import reviews
from kyc.choices import DocumentState
from kyc.models import CheckRun, Issue
from tests.brand_policies import set_policies
from tests.crm.work.factories import NOW, second_officer
from tests.kyc.test_limits import a_document

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(cast):
    return second_officer(cast)


@pytest.fixture
def document(cast):
    """A document whose check found a blocking problem, at a brand that wants two people then; claimed by an officer."""
    set_policies(cast.brand, kyc_blocking_second_person=True)
    row = a_document(cast.client, kind="other")
    run = CheckRun.objects.create(document=row, state="done", started_at=NOW, finished_at=NOW)
    Issue.objects.create(run=run, document=row, code="NAME_MISMATCH", severity="blocking", score=1)
    work.claim(item_id=row.work_id, actor=cast.kyc_officer)
    return row


def approve(document, actor, note="Married name, certificate seen"):
    return reviews.approve(document_id=document.pk, actor=actor, note=note)


def test_it_is_proposed_and_takes_effect_with_a_colleague(cast, olga, document):
    assert approve(document, cast.kyc_officer).state == DocumentState.PENDING_REVIEW
    with pytest.raises(NotAllowed, match="someone else must decide"):
        approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=cast.kyc_officer)
    approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=olga)
    document.refresh_from_db()
    assert (document.state, document.reviewed_by) == (DocumentState.APPROVED, olga)
    assert document.review_note == "Married name, certificate seen"


def test_undone_it_needs_two_people_again(cast, olga, document):
    approve(document, cast.kyc_officer)
    approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=olga)
    work.undo(item_id=document.work_id, actor=olga)
    item = WorkItem.objects.get(pk=document.work_id)
    assert (item.proposed_by, item.claimed_by) == (None, olga)
    assert approve(document, olga).state == DocumentState.PENDING_REVIEW


def test_nobody_rejects_it_while_the_proposal_waits(cast, olga, document):
    approve(document, cast.kyc_officer)
    work.claim(item_id=document.work_id, actor=olga)
    with pytest.raises(DomainError, match="awaiting second approval"):
        reviews.reject(document_id=document.pk, actor=olga, reason_code="unreadable", reason="Send it again")


@pytest.mark.parametrize(("severity", "is_on"), [("warning", True), ("blocking", False)])
def test_warnings_and_other_brands_take_one_person(cast, document, severity, is_on):
    Issue.objects.update(severity=severity)
    set_policies(cast.brand, kyc_blocking_second_person=is_on)
    assert approve(document, cast.kyc_officer).state == DocumentState.APPROVED


def test_the_page_proposes_goes_on_and_shows_what_waits(cast, olga, document, browse):
    answer = browse(cast.kyc_officer).post(reverse("kyc:approve", args=[document.pk]), {"note": "Married"}, follow=True)
    assert "a colleague has to approve it" in answer.content.decode()
    page = browse(olga).get(document.get_absolute_url()).content.decode()
    assert "Awaiting second approval" in page and "Married" in page
