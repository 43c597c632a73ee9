"""A new version of a required text is put to clients at their next visit; what they agreed to before stays provable."""

import datetime as dt
import hashlib

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, Brand, TextWording
from crm.security import audit
from portal import consents
from portal.choices import ConsentKind
from portal.models import Consent
from tests.texts import set_text

pytestmark = pytest.mark.django_db
PAGE = "/portal/consents/"


@pytest.fixture
def agreed(cast):
    """The client agreed to everything when they registered."""
    consents.record_consents(
        client=cast.client,
        actor=cast.client.user,
        given=consents.current_texts(cast.brand, cast.client.user.language).values(),
    )
    return cast


def new_terms(cast, **more):
    for language in ("en", "de"):
        set_text(
            cast.brand, "portal.terms", "I agree.", "New terms of {{ legal_name }}", language, must_accept=True, **more
        )


def outstanding(cast, language="de"):
    brand = Brand.objects.get(pk=cast.brand.pk)
    return consents.outstanding(cast.client, consents.must_accept(brand, language))


def test_a_new_version_is_asked_for_at_the_next_visit_and_once(agreed, browse):
    browser = browse(agreed.client.user)
    assert browser.get("/portal/").status_code == 200
    new_terms(agreed)
    assert browser.get("/portal/")["Location"] == PAGE
    page = browser.get(PAGE).content.decode()
    text = consents.current_texts(Brand.objects.get(pk=agreed.brand.pk), agreed.client.user.language)[ConsentKind.TERMS]
    assert "New terms of Meridian Markets (Cyprus) Ltd" in page and text.sha256 in page
    assert browser.post(PAGE, {"accepted": text.sha256})["Location"] == "/portal/"
    assert browser.get("/portal/").status_code == 200 and browser.get(PAGE)["Location"] == "/portal/"
    assert outstanding(agreed) == []
    newest = Consent.objects.order_by("-pk").first()
    assert newest.text.version.number == 1 and newest.text.sha256 == text.sha256


def test_a_version_that_needs_no_acceptance_asks_nobody(agreed, browse):
    set_text(agreed.brand, "portal.terms", "I agree.", "A typing error is gone", "de")
    assert browse(agreed.client.user).get("/portal/").status_code == 200


def test_marketing_is_never_required(agreed):
    set_text(agreed.brand, "portal.marketing", "News?", "", "de", must_accept=True)
    assert outstanding(agreed) == []


def test_a_later_day_asks_from_that_day_on(agreed, browse):
    new_terms(agreed, effective_at=timezone.now() + dt.timedelta(days=3))
    assert outstanding(agreed) == [] and browse(agreed.client.user).get("/portal/").status_code == 200


def test_whoever_never_agreed_is_asked_too(cast):
    new_terms(cast)
    assert outstanding(cast) == [ConsentKind.TERMS]


def test_the_way_to_ones_money_stays_open(agreed, browse):
    new_terms(agreed)
    browser = browse(agreed.client.user)
    for path in ("/portal/wallet/", "/portal/wallet/withdraw/", "/portal/wallet/history/"):
        assert browser.get(path).status_code == 200, path
    for path in ("/portal/wallet/deposit/", "/portal/accounts/", "/portal/documents/"):
        assert browser.get(path)["Location"] == PAGE, path


@pytest.mark.parametrize("hashes", [[], ["0" * 64], ["<script>"]])
def test_without_the_hash_of_the_words_nothing_is_accepted(agreed, browse, hashes):
    new_terms(agreed)
    before = Consent.objects.count()
    answer = browse(agreed.client.user).post(PAGE, {"accepted": hashes})
    assert answer.status_code == 422 and Consent.objects.count() == before


def test_words_that_changed_while_they_were_read_are_not_accepted(agreed):
    new_terms(agreed)
    brand = Brand.objects.get(pk=agreed.brand.pk)
    read = consents.current_texts(brand, "de")[ConsentKind.TERMS].sha256
    set_text(brand, "portal.terms", "I agree.", "Newer terms", "de", must_accept=True)
    with pytest.raises(DomainError, match="read it again"):
        consents.accept_again(client=agreed.client, actor=agreed.client.user, language="de", hashes=[read])


@pytest.mark.parametrize("who", ["agent", "administrator", "mlro"])
def test_nobody_accepts_for_a_client(agreed, who):
    new_terms(agreed)
    with pytest.raises(NotAllowed):
        consents.accept_again(client=agreed.client, actor=getattr(agreed, who), language="de", hashes=[])


def test_an_earlier_yes_is_shown_in_its_very_words(agreed, browse):
    old = Consent.objects.get(text__key="portal.terms")
    set_text(agreed.brand, "portal.terms", "I agree.", "Other terms", "de")
    page = browse(agreed.client.user).get(f"/portal/profile/consents/{old.pk}/").content.decode()
    assert old.text.sha256 in page and old.text.body.split("\n")[0] in page and "Other terms" not in page
    assert old.text.sha256 == hashlib.sha256(f"{old.text.heading}\n\n{old.text.body}".encode()).hexdigest()
    assert browse(agreed.other_client_user).get(f"/portal/profile/consents/{old.pk}/").status_code == 404


@pytest.mark.parametrize("who", ["mlro", "auditor", "administrator"])
def test_compliance_reads_the_very_words_on_the_clients_page(agreed, browse, who):
    new_terms(agreed)
    row = Consent.objects.get(text__key="portal.terms")
    page = browse(getattr(agreed, who)).get(f"/clients/{agreed.client.pk}/tab/consents/").content.decode()
    assert row.text.sha256 in page and row.text.body.split("\n")[0] in page
    assert "awaits the client&#x27;s consent" in page or "awaits the client's consent" in page
    assert browse(agreed.agent).get(f"/clients/{agreed.client.pk}/tab/consents/").status_code == 404


def test_the_wording_follows_the_brands_details_and_old_rows_stay(agreed):
    """The legal entity changes its name: the words are others, though the text is the same."""
    before = consents.current_texts(agreed.brand, "en")[ConsentKind.TERMS]
    agreed.brand.legal_name = "Renamed Ltd"
    after = consents.current_texts(agreed.brand, "en")[ConsentKind.TERMS]
    assert before.sha256 != after.sha256 and "Renamed Ltd" in after.body


def test_a_wording_can_be_neither_changed_nor_forged(agreed):
    row = TextWording.objects.first()
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        TextWording.objects.filter(pk=row.pk).update(body="Forged")
    with pytest.raises(IntegrityError, match="hash_is_of_this_wording"), transaction.atomic():
        TextWording.objects.create(
            brand=agreed.brand,
            key="portal.terms",
            language="en",
            body="x",
            sha256="0" * 64,
            first_read_at=timezone.now(),
        )


def test_the_audit_row_names_the_hash_of_each_text(agreed):
    row = AuditEvent.objects.filter(action="portal.consents_recorded", client_id=agreed.client.pk).latest("pk")
    kept = audit.body_of(row)["after"]
    assert {entry["sha256"] for entry in kept.values()} == set(TextWording.objects.values_list("sha256", flat=True))


def test_a_notice_of_the_brand_is_on_the_first_page(cast, browse):
    browser = browse(cast.client.user)
    assert "Maintenance" not in browser.get("/portal/").content.decode()
    set_text(cast.brand, "portal.home_notice", "Maintenance", "{{ brand }} is <b>away</b> on Saturday.", "en")
    page = browser.get("/portal/").content.decode()
    assert "Maintenance" in page and "Meridian Markets is &lt;b&gt;away&lt;/b&gt;" in page
