"""The review queue, the review page, the files behind it, and uploads: who sees what, and what is logged."""

import datetime as dt
import io
from types import SimpleNamespace

import numpy as np
import pikepdf
import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from crm import events
from crm.models import AccessEvent, Book, User, WorkItem
from crm.privacy import erasures
from crm.web.uploads import DRAIN_BYTES_MAX
from kyc import incoming, reviews, store
from kyc.choices import DocumentState
from kyc.models import Document
from kyc.views.files import watermark_of
from tests.endless import send
from tests.kyc.factories import bill_pdf, claimed, file_of, passport_jpeg, registered, uploaded, waiting

pytestmark = pytest.mark.django_db
SALES = ["agent", "other_agent", "retention", "desk_head"]


@pytest.fixture
def document(cast):
    registered(cast.client, last_name="Schmidt")
    return waiting(cast.client)


def refused(answer):
    """403, 404, or sent away to sign in."""
    return answer.status_code in (403, 404) or (answer.status_code == 302 and "login" in answer["Location"])


LONG_AGO = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)


def url(name, *args):
    if name in ("claim", "release", "undo", "extend"):
        item_id = Document.objects.values_list("work_id", flat=True).get(pk=args[0])
        return reverse("work_extend", args=[item_id]) if name == "extend" else reverse("work_act", args=[item_id, name])
    return reverse(f"kyc:{name}", args=args)


# ── the queue ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_queue_shows_who_waits_with_issues_and_age(cast, browse, document):
    Document.objects.filter(pk=document.pk).update(uploaded_at=timezone.now() - dt.timedelta(hours=30))
    page = browse(cast.kyc_officer).get(url("queue")).content.decode()
    assert "Clara Schmidt" in page and "Name mismatch" in page
    assert document.get_absolute_url() in page


@pytest.mark.parametrize(
    "query", ["?issue=NAME_MISMATCH", "?kind=passport", "?state=pending_review", "?whose=free", "?q=schmidt"]
)
def test_filters_keep_what_fits(cast, browse, document, query):
    assert "Clara Schmidt" in browse(cast.kyc_officer).get(url("queue") + query).content.decode()


@pytest.mark.parametrize(
    "query", ["?issue=BLUR", "?kind=selfie", "?state=uploaded", "?whose=mine", "?waited=24", "?q=nobody"]
)
def test_filters_leave_out_what_does_not(cast, browse, document, query):
    assert "Clara Schmidt" not in browse(cast.kyc_officer).get(url("queue") + query).content.decode()


def test_the_queue_costs_the_same_for_ten_as_for_one(cast, browse, document, django_assert_max_num_queries):
    browser = browse(cast.kyc_officer)
    browser.get(url("queue"))
    for number in range(8):
        uploaded(cast.client, kind="other", content=passport_jpeg("Clara", f"Weber{number}", number=f"C{number}1X00T4"))
    with django_assert_max_num_queries(22):
        assert browser.get(url("queue")).status_code == 200


def test_take_the_next_one_claims_and_opens_it(cast, browse, document):
    browser = browse(cast.kyc_officer)
    answer = browser.post(url("next"))
    assert answer["Location"] == document.get_absolute_url()
    document.refresh_from_db()
    assert document.work.claimed_by == cast.kyc_officer
    assert browse(cast.mlro).post(url("next"))["Location"] == url("queue")


# ── who may ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", [*SALES, "finance", "support", "ib_manager", "marketing", "administrator"])
def test_no_other_role_opens_a_document(cast, browse, document, who):
    browser = browse(getattr(cast, who))
    for name, args in (("document", [document.pk]), ("page", [document.pk, 1]), ("file", [document.pk])):
        assert browser.get(url(name, *args)).status_code in (403, 404), name
    assert not AccessEvent.objects.filter(kind="download").exists()


def test_clients_and_strangers_get_nowhere(cast, browse, document):
    for person in (cast.client_user, cast.other_client_user):
        assert refused(browse(person).get(url("page", document.pk, 1)))
    assert refused(browse(None).get(url("page", document.pk, 1)))


def test_an_officer_of_another_brand_sees_nothing(cast, browse, document):
    from crm.choices import Role
    from tests.cast import make_staff

    other = make_staff("kate@southern.example", Role.KYC_OFFICER, brand=cast.other_brand)
    assert browse(other).get(url("document", document.pk)).status_code == 404
    assert browse(other).get(url("page", document.pk, 1)).status_code == 404
    assert "Clara" not in browse(other).get(url("queue")).content.decode()


def test_sales_see_the_state_but_not_the_document_on_the_clients_page(cast, browse, document):
    from kyc.panels import kyc_tab

    class Request:
        META: dict = {}
        GET: dict = {}
        user = cast.agent

    page = kyc_tab(Request(), cast.client).content.decode()
    assert "Pending review" in page and document.get_absolute_url() not in page


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def pixels_of(picture):
    image = Image.open(io.BytesIO(picture))
    return np.asarray(image.convert("L"), np.int16)


def test_the_picture_is_guarded_marked_and_the_view_is_logged(cast, browse, document):
    stored = store.read(client_id=cast.client.pk, key=document.store_key)
    answer = browse(cast.kyc_officer).get(url("page", document.pk, 1))
    assert answer["Content-Type"] == "image/jpeg" and answer["Cache-Control"] == "no-store, private"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"] and "default-src 'none'" in answer["Content-Security-Policy"]
    look = AccessEvent.objects.get(kind="download")
    assert (look.user, look.client_id, look.target) == (cast.kyc_officer, cast.client.pk, f"kyc.document:{document.pk}")
    # In every ninth of the picture something was drawn, and most of the page is as it was.
    before, after = pixels_of(stored), pixels_of(answer.content)
    assert before.shape == after.shape and store.read(client_id=cast.client.pk, key=document.store_key) == stored
    changed = abs(before - after) > 20
    assert 0.005 < changed.mean() < 0.25
    assert all(part.any() for row in np.array_split(changed, 3) for part in np.array_split(row, 3, axis=1))


def test_the_watermark_names_the_viewer_and_the_minute(cast):
    request = SimpleNamespace(user=User(pk=41, first_name="Jürgen", last_name="Łoś"))
    with time_machine.travel(dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC), tick=False):
        assert watermark_of(request) == ["Jurgen Los", "#41 2026-11-25 09:30 UTC"]


def test_a_pdf_is_shown_and_saved_as_marked_pictures(cast, browse):
    registered(cast.client)
    bill = waiting(cast.client, kind="proof_of_address")
    browser = browse(cast.auditor)
    answer = browser.get(url("page", bill.pk, 1))
    assert answer["Content-Type"] == "image/jpeg" and answer.content[:3] == b"\xff\xd8\xff"
    whole = browser.get(url("file", bill.pk))
    assert "attachment" in whole["Content-Disposition"] and whole.content[:5] == b"%PDF-"
    with pikepdf.open(io.BytesIO(whole.content)) as copy:
        assert len(copy.pages) == 1 and len(list(copy.pages[0].get_images())) == 1
        assert "/Font" not in copy.pages[0].resources
    assert browser.get(url("page", bill.pk, 2)).status_code == 404


def test_a_damaged_missing_or_erased_file_is_said_so(cast, browse, document):
    browser = browse(cast.kyc_officer)
    path = store.path_of(document.store_key)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    answer = browser.get(url("page", document.pk, 1))
    assert answer.status_code == 409 and b"damaged" in answer.content
    path.unlink()
    assert b"missing from storage" in browser.get(url("page", document.pk, 1)).content
    erasures.destroy_client_key(cast.client.pk)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    assert b"erased" in browser.get(url("page", document.pk, 1)).content


# ── the review ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_document_and_registration_stand_side_by_side(cast, browse, document, django_assert_max_num_queries):
    browser = browse(cast.kyc_officer)
    browser.get(url("document", document.pk))
    with django_assert_max_num_queries(26):
        page = browser.get(url("document", document.pk)).content.decode()
    assert "The name differs from the registration" in page and "WEBER" in page and "Schmidt" in page
    assert 'class="kyc-box blocking"' in page and 'href="#kyc-page-1"' in page
    assert AccessEvent.objects.filter(kind="view", target=f"kyc.review:{document.pk}").count() == 2


def test_claim_approve_and_on_to_the_next(cast, browse, document):
    browser = browse(cast.kyc_officer)
    assert "Approve" not in browser.get(url("document", document.pk)).content.decode()
    browser.post(url("claim", document.pk))
    assert "Approve" in browser.get(url("document", document.pk)).content.decode()
    refused = browser.post(url("approve", document.pk), {"note": "", "expires_on": "2033-04-15"})
    assert refused.status_code == 422 and "Add a note explaining why" in refused.content.decode()
    assert "2033-04-15" in refused.content.decode()
    done = browser.post(url("approve", document.pk), {"note": "Maiden name", "expires_on": "2033-04-15"})
    assert done["Location"] == url("queue")
    document.refresh_from_db()
    assert document.state == DocumentState.APPROVED
    after = browser.get(url("queue")).content.decode()
    assert url("undo", document.pk) in after
    browser.post(url("undo", document.pk))
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW


def test_after_a_decision_comes_the_clients_other_document(cast, browse):
    registered(cast.client)
    passport, bill = waiting(cast.client), waiting(cast.client, kind="proof_of_address")
    browser = browse(cast.kyc_officer)
    browser.post(url("claim", passport.pk))
    assert browser.post(url("approve", passport.pk), {})["Location"] == bill.get_absolute_url()


def test_reject_offers_the_reason_that_fits_and_keeps_what_was_typed(cast, browse, document):
    browser = browse(cast.kyc_officer)
    browser.post(url("claim", document.pk))
    assert "The name on the document differs" in browser.get(url("document", document.pk)).content.decode()
    refused = browser.post(url("reject", document.pk), {"reason_code": "other", "reason": "", "note": "looks odd"})
    assert refused.status_code == 422 and "looks odd" in refused.content.decode()
    browser.post(url("reject", document.pk), {"reason_code": "name_differs", "reason": "Please send your own."})
    document.refresh_from_db()
    assert (document.state, document.reason) == (DocumentState.REJECTED, "Please send your own.")


def test_the_officer_names_the_flaw_where_the_checks_found_none(cast, browse):
    registered(cast.client)
    document = waiting(cast.client)
    browser = browse(cast.kyc_officer)
    browser.post(url("claim", document.pk))
    page = browser.get(url("document", document.pk)).content.decode()
    assert '<option value="" selected>Reason for rejection</option>' in page
    refused = browser.post(url("reject", document.pk), {"reason_code": "", "reason": "No.", "note": ""})
    document.refresh_from_db()
    assert refused.status_code == 422 and document.state == DocumentState.PENDING_REVIEW


def test_a_decision_after_the_claim_was_lost_is_told_with_what_was_typed(cast, browse, document):
    browser = browse(cast.kyc_officer)
    for name, typed in (
        ("approve", {"note": "Maiden name, certificate seen"}),
        ("reject", {"reason_code": "other", "reason": "Please send the back, too.", "note": ""}),
    ):
        browser.post(url("claim", document.pk))
        WorkItem.objects.update(claimed_at=LONG_AGO, claimed_until=LONG_AGO + dt.timedelta(minutes=1))
        answer = browser.post(url(name, document.pk), typed)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Decision not saved" in page and "Claim this first" in page
        assert (typed.get("reason") or typed["note"]) in page


def test_an_expired_date_is_told_at_the_date_as_people_write_it(cast, browse, document):
    browser = browse(cast.kyc_officer)
    browser.post(url("claim", document.pk))
    page = browser.post(url("approve", document.pk), {"note": "x", "expires_on": "2020-03-04"}).content.decode()
    assert "The document expired on Mar 4, 2020" in page
    field = page.partition('name="expires_on"')[2].partition('name="note"')[0]
    assert "The document expired on" in field


def test_a_german_officer_sees_the_date_that_was_read(cast, browse, document):
    browser = browse(cast.kyc_officer)
    browser.cookies["django_language"] = "de"
    browser.post(url("claim", document.pk))
    assert document.expires_on is not None
    page = browser.get(url("document", document.pk)).content.decode()
    assert f'name="expires_on" value="{document.expires_on.isoformat()}"' in page


def test_a_colleagues_claim_is_shown_and_holds(cast, browse, document):
    browse(cast.mlro).post(url("claim", document.pk))
    browser = browse(cast.kyc_officer)
    page = browser.get(url("document", document.pk)).content.decode()
    assert "is working on this" in page and 'data-key="a"' not in page
    browser.post(url("claim", document.pk))
    document.refresh_from_db()
    assert document.work.claimed_by == cast.mlro
    assert browser.post(url("approve", document.pk), {"note": "x"}).status_code == 422


def test_the_heartbeat_extends_and_tells_when_the_claim_is_lost(cast, browse, document):
    browser = browse(cast.kyc_officer)
    browser.post(url("claim", document.pk))
    assert browser.post(url("extend", document.pk)).status_code == 204
    WorkItem.objects.update(claimed_at=LONG_AGO, claimed_until=LONG_AGO + dt.timedelta(minutes=1))
    assert browser.post(url("extend", document.pk))["HX-Refresh"] == "true"


@pytest.mark.parametrize("name", ["claim", "release", "extend", "approve", "reject", "undo"])
def test_verbs_take_post_only_and_officers_only(cast, browse, document, name):
    assert browse(cast.kyc_officer).get(url(name, document.pk)).status_code == 405
    # Agents and heads work on items of other queues.
    for who in (cast.agent, cast.desk_head, cast.support, cast.auditor, cast.client_user):
        assert refused(browse(who).post(url(name, document.pk)))
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW and document.work.claimed_by is None


def test_a_document_is_found_by_its_whole_number_only(cast, browse, document):
    from kyc.panels import find_by_number

    assert [found.url for found in find_by_number(cast.kyc_officer, "C01X00T47", 5)] == [document.get_absolute_url()]
    assert not list(find_by_number(cast.kyc_officer, "C01X00", 5))
    assert not list(find_by_number(cast.agent, "C01X00T47", 5))
    assert "Clara" in browse(cast.mlro).get(url("documents") + "?q=%23c01x00t47").content.decode()


def test_the_tile_counts(cast, document):
    from kyc.views import officer_cards

    assert officer_cards.waiting(cast.kyc_officer).value == "1"
    assert officer_cards.waiting(cast.marketing).value == "0"


# ── uploads ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_staff_upload_for_a_client(cast, browse):
    browser = browse(cast.kyc_officer)
    assert browser.get(url("upload", cast.client.pk)).status_code == 200
    answer = browser.post(url("upload", cast.client.pk), {"kind": "passport", "file": file_of(passport_jpeg())})
    assert answer.status_code == 302 and incoming.take_in_due() == 1
    assert Document.objects.get().uploaded_by == cast.kyc_officer
    events.drain()
    assert browse(cast.agent).get(url("upload", cast.client.pk)).status_code == 403


def test_what_is_no_picture_is_told_at_the_form(cast, browse):
    program = file_of(b"MZ this is a program")
    answer = browse(cast.kyc_officer).post(url("upload", cast.client.pk), {"kind": "passport", "file": program})
    assert answer.status_code == 422 and "This file type isn&#x27;t supported" in answer.content.decode()
    assert not Document.objects.exists()


def test_200_megabytes_are_refused_before_they_are_read(cast, browse):
    browser = browse(cast.kyc_officer)
    browser.get(url("upload", cast.client.pk))
    status, answer, read, peak = send(browser, url("upload", cast.client.pk), 200 * 1024 * 1024)
    assert status == 413 and "larger than" in answer
    assert read == 0 and peak < 20 * 1024 * 1024
    assert not Document.objects.exists()


def test_a_little_too_much_is_read_away_in_pieces_so_that_the_browser_hears_the_answer(cast, browse):
    browser = browse(cast.kyc_officer)
    browser.get(url("upload", cast.client.pk))
    length = 40 * 1024 * 1024
    assert length < DRAIN_BYTES_MAX
    status, answer, read, peak = send(browser, url("upload", cast.client.pk), length)
    assert status == 413 and "larger than" in answer
    assert read == length and peak < 20 * 1024 * 1024


def test_an_upload_without_the_forms_token_is_refused(cast):
    from django.test import Client as Browser

    from tests.cast import signed_in

    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = signed_in(cast.kyc_officer).cookies
    answer = strict.post(url("upload", cast.client.pk), {"kind": "passport", "file": file_of(passport_jpeg())})
    assert answer.status_code == 403 and not Document.objects.exists()


def test_what_a_client_sends_as_html_never_runs(cast, browse):
    """A page that calls itself a picture is refused; a bill is drawn, never handed to the browser as it is."""
    answer = browse(cast.kyc_officer).post(
        url("upload", cast.client.pk), {"kind": "passport", "file": file_of(b"<script>alert(1)</script>", "a.jpg")}
    )
    assert answer.status_code == 422
    bill = uploaded(cast.client, kind="proof_of_address", content=bill_pdf())
    assert browse(cast.kyc_officer).get(url("page", bill.pk, 1))["Content-Type"] == "image/jpeg"


def test_an_auditor_reads_the_decision(cast, browse, document):
    reviewed = claimed(cast.other_client, cast.kyc_officer, content=passport_jpeg("Óscar", "Núñez", number="X1X1X1X1X"))
    reviews.reject(document_id=reviewed.pk, actor=cast.kyc_officer, reason_code="unreadable", note="glare on the photo")
    page = browse(cast.auditor).get(url("document", reviewed.pk)).content.decode()
    assert "glare on the photo" in page and 'data-key="a"' not in page


def test_what_was_seen_before_is_named_to_those_who_see_both(cast, browse, document):
    theirs = waiting(cast.other_client)
    browser = browse(cast.kyc_officer)
    page = browser.get(url("document", document.pk)).content.decode()
    assert "Seen before" in page and theirs.get_absolute_url() in page and "Document number, File" in page
    cast.other_client.brand = cast.other_brand
    cast.other_client.book = Book.objects.create(brand=cast.other_brand, name="Elsewhere")
    cast.other_client.save()
    page = browser.get(url("document", document.pk)).content.decode()
    assert "Seen before" not in page and theirs.get_absolute_url() not in page
