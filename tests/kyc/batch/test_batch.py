"""Files with one doubt in a batch: who qualifies, that the picture was sent, and that each is decided by itself."""

import pytest
from django.urls import reverse

from crm import work
from crm.models import AccessEvent, AuditEvent
from kyc.batch.reading import claimed_by, qualifying
from kyc.choices import DocumentState, IssueCode
from kyc.models import Document, MachineDecision
from kyc.urgency.doubts import HARMLESS, only_doubt
from kyc.verdicts.reaching import stored_results
from tests.brand_policies import set_policies
from tests.kyc.factories import let_settle, registered, waiting, with_policy

pytestmark = pytest.mark.django_db
URL = "/kyc/queue/batch/"


@pytest.fixture
def document(cast):
    """A passport of Weber, registered as Webber: one letter, which a person compares."""
    registered(cast.client, last_name="Webber")
    with_policy(cast.brand)
    set_policies(cast.brand, kyc_batch_doubts=["NAME_NEAR"])
    return waiting(cast.client, is_automatic=True)


def confirm(browser, document, step="confirm"):
    return browser.post(f"{URL}confirm/", {"step": step, "items": [document.work_id], "note": ""}, follow=True)


def test_one_harmless_doubt_qualifies(cast, document):
    assert (document.state, document.doubt, document.flaw) == ("pending_review", "NAME_NEAR", "NAME_NEAR")
    assert list(qualifying(cast.kyc_officer)) == [document]


def test_what_never_qualifies(cast, document):
    set_policies(cast.brand, kyc_batch_doubts=["GLARE"])
    assert not qualifying(cast.kyc_officer).exists()
    set_policies(cast.brand, kyc_batch_doubts=["NAME_NEAR"])
    cast.client.risk_rating = "high"
    cast.client.save()
    assert not qualifying(cast.kyc_officer).exists() and not qualifying(cast.agent).exists()
    never = {
        IssueCode.EDITED,
        IssueCode.PDF_CHANGED,
        IssueCode.PARTS_DIFFER,
        IssueCode.FONTS_DIFFER,
        IssueCode.SCREEN_PHOTO,
    }
    never |= {IssueCode.IMAGE_DUPLICATE, IssueCode.DOC_NO_DUPLICATE, IssueCode.PRINT_MISMATCH, IssueCode.NAME_MISMATCH}
    assert not never & set(HARMLESS)
    decision, run = MachineDecision.objects.get(document=document), document.runs.get()
    results = stored_results(run)
    assert only_doubt(decision, results) == "NAME_NEAR"
    tampered = [{**run.results[0], "check": "tampering", "verdict": "unsure", "code": "EDITED"}]
    run.results = [*run.results, *tampered]
    assert only_doubt(decision, stored_results(run)) == ""
    decision.reasons = ["ASKED_ENOUGH", "NAME_NEAR"]
    assert only_doubt(decision, results) == ""


def test_it_takes_the_picture_a_preview_and_can_be_undone(cast, browse, document, django_assert_max_num_queries):
    browser = browse(cast.kyc_officer)
    assert f"{URL}" in browser.get(reverse("kyc:queue")).content.decode()
    with django_assert_max_num_queries(40):
        page = browser.post(URL, follow=True).content.decode()
    assert "Clara Webber" in page and "Similar name" in page and 'class="kyc-differs"' in page
    assert [row.pk for row in claimed_by(cast.kyc_officer)] == [document.pk]
    assert AccessEvent.objects.filter(kind="view", target=f"kyc.review:{document.pk}").exists()
    assert "hasn&#x27;t been shown" in confirm(browser, document).content.decode()
    assert Document.objects.get(pk=document.pk).state == DocumentState.PENDING_REVIEW

    assert browser.get(reverse("kyc:page", args=[document.pk, 1])).content
    preview = confirm(browser, document, "preview").content.decode()
    assert "Will be decided" in preview and Document.objects.get(pk=document.pk).state == "pending_review"
    page = confirm(browser, document).content.decode()
    document.refresh_from_db()
    assert (document.state, document.reviewed_by) == (DocumentState.APPROVED, cast.kyc_officer)
    assert "Similar name" in document.review_note and 'data-key="u"' in page
    assert AuditEvent.objects.filter(action="kyc.document_approved", client_id=cast.client.pk).count() == 1
    work.undo(item_id=document.work_id, actor=cast.kyc_officer)
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW
    assert "hasn&#x27;t been shown" in confirm(browser, document).content.decode()  # undone, it is looked at again
    assert browser.get(reverse("kyc:page", args=[document.pk, 1])).content
    confirm(browser, document)
    assert let_settle() == 1


def test_a_colleagues_and_a_foreign_file_are_left_out(cast, browse, document):
    browser = browse(cast.kyc_officer)
    work.claim(item_id=document.work_id, actor=cast.mlro)
    assert "No file qualifies" in browser.post(URL, follow=True).content.decode()
    confirm(browser, document)
    assert Document.objects.get(pk=document.pk).state == DocumentState.PENDING_REVIEW
    assert browse(cast.agent).get(URL).status_code in (302, 403, 404)
