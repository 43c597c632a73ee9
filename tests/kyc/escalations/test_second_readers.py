"""A second reader who doesn't know the first opinion, what two who disagree lead to, and escalation to a head."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm import work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification
from kyc import reviews
from kyc.escalations.escalating import escalate
from kyc.escalations.second_readers import ask_second_reader
from kyc.models import SecondLook
from kyc.reviews import REVIEW
from kyc.verdicts.second_looks import decide_second_look
from tests.crm.work.factories import second_officer
from tests.kyc.factories import registered, waiting, with_policy
from tests.kyc.test_limits import a_document

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(cast):
    return second_officer(cast)


@pytest.fixture
def look(cast):
    document = a_document(cast.client, kind="passport")
    work.claim(item_id=document.work_id, actor=cast.kyc_officer)
    return ask_second_reader(
        document_id=document.pk, opinion="approve", note="The photo looks younger", actor=cast.kyc_officer
    )


def read(look, actor, **fields):
    work.claim(item_id=look.work_id, actor=actor)
    return decide_second_look(look_id=look.pk, actor=actor, **fields)


def test_the_reader_sees_no_opinion_and_agreement_comes_back(cast, olga, look, browse):
    with pytest.raises(NotAllowed, match="You asked"):
        work.claim(item_id=look.work_id, actor=cast.kyc_officer)
    assert work.claim_next(REVIEW, actor=cast.kyc_officer) is None
    browser = browse(olga)
    work.claim(item_id=look.work_id, actor=olga)
    page = browser.get(look.get_absolute_url()).content.decode()
    assert "looks younger" not in page and "I would approve it: " not in page
    assert browser.get(look.document.get_absolute_url())["Location"] == look.get_absolute_url()
    assert read(look, olga, is_approved=True).state == "agreed"
    assert work.claim_next(REVIEW, actor=cast.kyc_officer) == look.document.work
    page = browse(cast.kyc_officer).get(look.document.get_absolute_url()).content.decode()
    assert "looks younger" in page and "Second opinion" in page
    assert reviews.approve(document_id=look.document_id, actor=cast.kyc_officer, note="Both agree").state == "approved"


def test_disagreement_goes_to_the_head(cast, olga, look):
    with pytest.raises(DomainError):
        read(look, olga, is_approved=False)
    assert read(look, olga, is_approved=False, reason_code="not_a_photo", note="A copy").state == "disagreed"
    item = look.document.work
    item.refresh_from_db()
    assert (item.assigned_to, item.priority) == (cast.mlro, 3)
    assert Notification.objects.filter(user=cast.mlro, kind="kyc.document_escalated").count() == 1
    for reader in (cast.kyc_officer, olga):
        work.claim(item_id=item.pk, actor=reader)
        with pytest.raises(NotAllowed, match="a head decides"):
            reviews.approve(document_id=look.document_id, actor=reader, note="Still")
        work.release(item_id=item.pk, actor=reader)
    work.claim(item_id=item.pk, actor=cast.mlro)
    assert reviews.approve(document_id=look.document_id, actor=cast.mlro, note="Genuine").state == "approved"


def test_nobody_reads_twice(cast, olga, look):
    with pytest.raises(IntegrityError), transaction.atomic():
        SecondLook.objects.filter(pk=look.pk).update(
            decided_by=cast.kyc_officer, decided_at=look.opened_at, state="agreed", opinion="approve"
        )
    read(look, olga, is_approved=True)
    work.claim(item_id=look.document.work_id, actor=cast.kyc_officer)
    with pytest.raises(WrongState):
        ask_second_reader(document_id=look.document_id, opinion="reject", note="Again", actor=cast.kyc_officer)


def test_escalated_it_is_the_heads(cast, browse):
    document = a_document(cast.client, kind="other")
    work.claim(item_id=document.work_id, actor=cast.kyc_officer)
    with pytest.raises(DomainError):
        escalate(document_id=document.pk, reason=" ", actor=cast.kyc_officer)
    browse(cast.kyc_officer).post(reverse("kyc:escalate", args=[document.pk]), {"reason": "Unknown paper"})
    document.work.refresh_from_db()
    assert (document.work.assigned_to, document.work.claimed_by) == (cast.mlro, None)
    assert Notification.objects.filter(user=cast.mlro, kind="kyc.document_escalated", body="Unknown paper").exists()


def test_the_holder_of_a_second_look_is_blind_elsewhere(cast, olga, browse):
    registered(cast.client)
    with_policy(cast.brand, sample_percent=100)
    look = waiting(cast.client, is_automatic=True).second_look
    tab, table = reverse("client_tab", args=[cast.client.pk, "kyc"]), reverse("kyc:documents")
    timeline = reverse("client_tab", args=[cast.client.pk, "timeline"])
    browser = browse(olga)
    assert "Second look pending" not in browser.get(tab).content.decode()
    work.claim(item_id=look.work_id, actor=olga)
    for address in (tab, table):
        page = browser.get(address).content.decode()
        assert "Second look pending" in page and "Automatic · policy" not in page, address
    assert "approved automatically" not in browser.get(timeline).content.decode()
    assert "approved automatically" in browse(cast.mlro).get(timeline).content.decode()
    assert "Automatic · policy" in browse(cast.mlro).get(table).content.decode()
