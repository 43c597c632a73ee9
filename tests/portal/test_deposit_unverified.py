"""Before they are verified clients read at once what comes first; no form is filled in only to be refused."""

import re

import pytest

from clients.models import Client
from crm.conditions import always
from tests.cast import signed_in
from tests.portal.conftest import verify
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from wallet.deposits.unverified import C721, write_rule

pytestmark = pytest.mark.django_db
PAGE = "/portal/wallet/deposit/"


def primary(page: str) -> list[str]:
    """What the main buttons say, dialogs of every page left out."""
    page = page.partition("<main")[2].partition("</main>")[0]
    found = re.findall(r'<(?:a|button)[^>]*class="btn btn-primary[^"]*"[^>]*>(.*?)</(?:a|button)>', page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


@pytest.fixture
def browser(cast):
    load_rates()
    make_psp(cast.brand, "northpay").methods.update(condition=always())
    make_psp(cast.brand, "rhinebank", kind="bank", position=2).methods.update(condition=always())
    write_rule(brand=cast.brand, actor=cast.mlro, **C721)
    return signed_in(cast.client_user)


def test_who_would_be_refused_reads_so_first_and_finds_the_form_disabled(cast, browser):
    page = browser.get(PAGE).content.decode()
    assert re.search(r"Get verified \(\d+ steps? left\)", page)
    assert '<fieldset class="card-body" disabled>' in page or 'name="amount"' not in page
    assert [one for one in primary(page) if "Get verified" in one] == primary(page), "the next step, and nothing else"
    answer = browser.post(PAGE, {"amount": "100", "currency": "EUR", "method": "1", "request_key": "k"})
    assert answer.status_code == 422 and "Get verified" in answer.content.decode()


def test_methods_that_would_be_refused_are_not_offered(cast, browser):
    Client.objects.filter(pk=cast.client.pk).update(
        risk_rating="low", date_of_birth="1990-01-01", address_line="Hauptstraße 1", city="Berlin", country="DE"
    )
    page = browser.get(PAGE).content.decode()
    assert "<strong>Bank transfer<" in page and "<strong>Card<" not in page and "disabled>" not in page
    assert "You can deposit up to <span" in page and "€2,000.00" in page and "Get verified (" in page
    assert "Continue to payment" in primary(page)


@pytest.mark.parametrize("address", ["/portal/", "/portal/wallet/"])
def test_deposit_is_the_main_button_only_where_it_is_the_next_step(cast, browser, address):
    assert "Deposit" not in primary(browser.get(address).content.decode())
    verify(cast.client)
    assert "Deposit" in primary(browser.get(address).content.decode())


def test_a_verified_client_sees_the_form_alone(cast, browser):
    verify(cast.client)
    page = browser.get(PAGE).content.decode()
    assert (
        "Get verified" not in page
        and "<strong>Card<" in page
        and "You can deposit up to" not in page
        and "disabled>" not in page
    )
