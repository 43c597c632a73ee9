"""An archived brand takes no new business, and no brand a currency it doesn't offer; its clients still withdraw."""

import datetime as dt

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients.books import move_client
from clients.models import Client
from crm.errors import DomainError, WrongState
from crm.models import Book, Brand
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from leads.imports import start_import
from leads.models import LandingPage, Lead
from leads.sources import create_source
from portal import registration
from tests.cast import PASSWORD, signed_in
from tests.trading.factories import make_server, make_type
from tests.wallet.factories import make_psp
from trading.policies import can_open_account
from wallet.deposits.method_offers import Direction, deposit_currencies, judge
from wallet.deposits.policies import can_deposit
from wallet.models import PaymentMethod
from wallet.withdrawals.policies import can_request_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(cast):
    cast.brand.archived_at = timezone.now()
    cast.brand.save()
    return cast.brand


def test_it_takes_no_registrations(archived):
    answer = Browser().get(f"/b/{archived.code}/register/")
    assert answer.status_code == 410 and "Registration closed" in answer.content.decode()
    assert Browser().post(f"/b/{archived.code}/register/", {"email": "greta@example.com"}).status_code == 410
    application = registration.Application(
        email="greta@example.com",
        password="a quiet long phrase",
        first_name="Greta",
        last_name="Hoffmann",
        phone="+4915198765432",
        country="DE",
        date_of_birth=dt.date(1990, 5, 17),
        language="en",
    )
    with pytest.raises(WrongState, match="no longer accepts registrations"):
        registration.register(brand=archived, application=application)
    assert not Client.objects.filter(email="greta@example.com").exists()


def test_it_takes_no_leads(cast):
    source, key = create_source(actor=cast.administrator, brand=cast.brand, name="Comparison site", code="site")
    page = LandingPage.objects.create(
        brand=cast.brand, slug="start", language="en", headline="Start", is_published=True
    )
    cast.brand.archived_at = timezone.now()
    cast.brand.save()
    with pytest.raises(WrongState, match="no longer accepts enquiries"):
        capture_lead(brand=cast.brand, capture=Capture(channel=Channel.MANUAL, email="greta@example.com"))
    assert Browser().get(f"/l/{cast.brand.code}/{page.slug}/").status_code == 404
    answer = Browser().post(
        "/api/leads/",
        {"first_name": "Greta", "email": "greta@example.com"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 409 and source.brand_id == cast.brand.pk
    with pytest.raises(DomainError, match="takes no new leads"):
        start_import(brand=cast.brand, actor=cast.marketing, file_name="a.csv", content=b"email\na@b.example\n")
    assert not Lead.objects.exists()


def test_it_takes_no_deposits_and_accounts_but_pays_out(cast, archived):
    client = Client.objects.get(pk=cast.client.pk)
    user = cast.client_user
    refused = can_deposit(user, client)
    assert not refused and "no longer accepts deposits" in refused.reason
    account_type = make_type(archived, make_server())
    refused = can_open_account(user, client, account_type)
    assert not refused and "no longer opens new accounts" in refused.reason
    assert "archived" not in can_request_withdrawal(user, client).reason


def test_its_clients_sign_in_and_strangers_are_not_led_to_it(cast, archived):
    page = Browser().get(f"/b/{archived.code}/login/").content.decode()
    assert 'name="password"' in page and "Open an account" not in page
    answer = Browser().post(f"/b/{archived.code}/login/", {"login": cast.client_user.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert signed_in(cast.client_user).get("/portal/").status_code == 200
    assert Browser().get("/b/")["Location"] == "/b/southern/"


def test_it_is_offered_in_no_form(cast, archived):
    for who, path in (
        ("marketing", "/leads/new/"),
        ("administrator", "/staff/invite/"),
        ("administrator", "/desks/new/"),
    ):
        page = signed_in(getattr(cast, who)).get(path).content.decode()
        assert f'<option value="{archived.pk}"' not in page, path


def test_an_archived_book_takes_no_clients(cast):
    Book.objects.filter(pk=cast.pool.pk).update(archived_at=timezone.now())
    with pytest.raises(DomainError, match="takes no more clients"):
        move_client(client_id=cast.client.pk, to_book_id=cast.pool.pk, actor=cast.desk_head)


def test_a_currency_that_the_brand_does_not_offer_is_refused_for_accounts_and_deposits_and_still_paid_out(cast):
    psp, account_type = make_psp(cast.brand), make_type(cast.brand, make_server())
    method = PaymentMethod.objects.get(psp=psp)
    currency = account_type.currency
    assert currency in method.currencies
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    assert judge(Client.objects.get(pk=cast.client.pk), currency)[0].is_offered
    Brand.objects.filter(pk=cast.brand.pk).update(currencies=["USD"])
    client = Client.objects.get(pk=cast.client.pk)
    refused = can_open_account(cast.client_user, client, account_type)
    assert not refused and f"doesn't offer accounts in {currency}" in refused.reason
    assert judge(client, currency)[0].refusal == f"The brand doesn't offer {currency}."
    assert deposit_currencies(client) == ["USD"]
    assert "offer" not in judge(client, currency, way=Direction.OUT)[0].refusal
