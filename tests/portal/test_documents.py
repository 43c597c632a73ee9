"""Getting started: details, documents, what is missing, what we say about it."""

import datetime as dt

import pytest
from django.core.cache import cache

from crm import events, work
from crm.models import Notification, User
from kyc import incoming, pipeline
from kyc.choices import DocumentState
from kyc.models import Document
from kyc.reviews import approve, reject
from portal import onboarding, profile
from tests.cast import signed_in
from tests.kyc.factories import (
    bill_pdf,
    claimed,
    let_settle,
    officers_decide,
    passport_jpeg,
    registered,
    uploaded,
    waiting,
)
from tests.portal.uploads import sending

pytestmark = pytest.mark.django_db
DETAILS = {
    "first_name": "Clara",
    "last_name": "Weber",
    "date_of_birth": "1990-05-17",
    "nationality": "DE",
    "phone": "+49 151 12345678",
    "address_line": "Lindenstraße 12",
    "postal_code": "10969",
    "city": "Berlin",
}


@pytest.fixture
def browser(cast):
    return signed_in(cast.client_user)


def send(browser, content=None, kind="passport", **fields):
    """Send a file, and let the job open it."""
    sending.send(browser, content or passport_jpeg(), kind, **fields)
    incoming.take_in_due()


def states(client):
    client.refresh_from_db()
    return [step.state for step in onboarding.progress_of(client).steps]


# ── the stepper ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_being_checked_is_not_asked_for(cast, browser):
    browser.post("/portal/profile/details/", DETAILS)
    sending.send(browser, passport_jpeg())
    assert states(cast.client) == ["done", "waiting", "todo", "later"]
    assert "We&#x27;re checking your file." in browser.get("/portal/").content.decode()
    incoming.take_in_due()
    assert states(cast.client) == ["done", "waiting", "todo", "later"]
    assert "We&#x27;re checking your file." not in browser.get("/portal/").content.decode()


def test_the_page_asks_again_while_one_document_is_under_review_and_another_missing_or_enough(cast, browser):
    registered(cast.client)
    officers_decide(cast.brand)
    send(browser)
    assert states(cast.client) == ["done", "waiting", "todo", "later"]
    assert "every 2s" in browser.get("/portal/documents/").content.decode()
    send(browser, bill_pdf(), kind="proof_of_address", name="bill.pdf")
    for document in Document.objects.order_by("pk"):
        pipeline.check(document.pk)
    passport = Document.objects.get(kind="passport")
    work.claim(item_id=passport.work_id, actor=cast.kyc_officer)
    approve(document_id=passport.pk, actor=cast.kyc_officer, note="Read by eye")
    let_settle()
    events.drain()
    assert states(cast.client) == ["done", "done", "waiting", "done"]  # verified, and the address still gets its answer
    assert "every 5s" in browser.get("/portal/documents/").content.decode()


def test_the_way_from_nothing_to_verified(cast, browser):
    assert states(cast.client) == ["todo", "todo", "todo", "later"]
    page = browser.get("/portal/").content.decode()
    assert "Getting started" in page and "Continue: Your details" in page
    assert browser.post("/portal/profile/details/", DETAILS)["Location"] == "/portal/documents/"
    assert states(cast.client) == ["done", "todo", "todo", "later"]
    send(browser)
    assert states(cast.client) == ["done", "waiting", "todo", "later"]
    send(browser, bill_pdf(), kind="proof_of_address", name="bill.pdf")
    assert states(cast.client) == ["done", "waiting", "waiting", "later"]
    assert "reviewing your documents" in browser.get("/portal/").content.decode()
    for document in Document.objects.order_by("pk"):
        pipeline.check(document.pk)
        document.refresh_from_db()
        if document.state == DocumentState.PENDING_REVIEW:
            work.claim(item_id=document.work_id, actor=cast.kyc_officer)
            approve(document_id=document.pk, actor=cast.kyc_officer, note="Read by eye")
    let_settle()
    events.drain()
    assert states(cast.client) == ["done", "done", "done", "done"]
    assert "Getting started" not in browser.get("/portal/").content.decode()
    titles = set(Notification.objects.filter(user=cast.client_user).values_list("title", flat=True))
    assert {"Passport approved", "You are verified"} <= titles


def test_a_rejected_document_says_why_in_the_clients_words_and_can_be_sent_again(cast, browser):
    document = claimed(registered(cast.client), cast.kyc_officer)
    reject(
        document_id=document.pk,
        actor=cast.kyc_officer,
        reason_code="unreadable",
        reason="We could not read it. Please take a new picture in daylight.",
    )
    let_settle()
    events.drain()
    page = browser.get("/portal/documents/").content.decode()
    assert "Please take a new picture in daylight" in page and "Upload again" in page
    row = Notification.objects.get(user=cast.client_user, kind="portal.document")
    assert "daylight" in row.body and row.url == "/portal/documents/"


def test_the_expected_time_is_what_recent_reviews_took(cast):
    assert onboarding.expected_wait(cast.client) == "usually within 24 hours"
    cache.clear()
    now = dt.datetime.now(dt.UTC)
    for number in range(6):
        document = uploaded(cast.other_client, content=passport_jpeg(number=f"X{number:08d}"))
        Document.objects.filter(pk=document.pk).update(
            uploaded_at=now - dt.timedelta(minutes=30), reviewed_at=now, reviewed_by=cast.kyc_officer, state="approved"
        )
    assert onboarding.expected_wait(cast.client) == "usually within 30 minutes"
    # Another brand has its own pace.
    cast.client.brand_id = cast.other_brand.pk
    assert onboarding.expected_wait(cast.client) == "usually within 24 hours"


# ── details ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("phone", "123", "Enter a valid phone number"),
        ("date_of_birth", "2020-01-01", "at least 18 years old"),
        ("city", "", "This field is required"),
    ],
)
def test_a_wrong_answer_is_named_and_the_others_stay(cast, browser, field, value, words):
    answer = browser.post("/portal/profile/details/", {**DETAILS, field: value})
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page and 'value="Lindenstraße 12"' in page
    cast.client.refresh_from_db()
    assert cast.client.address_line == ""


def test_names_are_fixed_once_a_document_is_looked_at(cast, browser):
    registered(cast.client)
    waiting(cast.client)
    browser.post("/portal/profile/details/", {**DETAILS, "first_name": "Claudia", "city": "Potsdam"})
    cast.client.refresh_from_db()
    assert (cast.client.first_name, cast.client.city) == ("Clara", "Potsdam")
    with pytest.raises(Exception, match="confirmed by your identity document"):
        profile.change_own_details(client_id=cast.client.pk, actor=cast.client_user, changes={"first_name": "Claudia"})


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_wrong_phone_is_shown_at_its_field(cast, browser, language):
    """In every language: the place follows the refusal's code, not its words."""
    User.objects.filter(pk=cast.client_user.pk).update(language=language)
    answer = browser.post("/portal/profile/details/", {**DETAILS, "phone": "12"})
    assert answer.status_code == 422
    form = answer.context["form"]
    assert list(form.errors) == ["phone"] and form["last_name"].value() == "Weber"
    assert ("Landesvorwahl" in form.errors["phone"][0]) == (language == "de")


def test_nobody_changes_somebody_elses_details(cast):
    with pytest.raises(Exception, match="your account"):
        profile.change_own_details(client_id=cast.other_client.pk, actor=cast.client_user, changes={"city": "X"})


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_truncated_picture_is_refused_in_words(cast, browser):
    send(browser, passport_jpeg()[:20_000])
    page = browser.get("/portal/documents/").content.decode()
    assert "File not accepted" in page and "The picture is incomplete" in page
    assert not Document.objects.exists()


def test_one_side_of_a_card_can_be_sent_alone_later(cast, browser):
    registered(cast.client, nationality="DE")
    uploaded(cast.client, kind="id_card", side="front", content=passport_jpeg(number="F1"))
    page = browser.get("/portal/documents/").content.decode()
    assert "The back side is missing" in page and "Upload the missing side" in page
    send(browser, passport_jpeg(number="B1"), kind="id_card", side="back", name="back.jpg")
    assert states(cast.client)[1] == "waiting" and Document.objects.filter(state="uploaded").count() == 2
