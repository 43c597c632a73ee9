"""The deposit page: payment methods with fee, limits and time; addresses and references with what to copy."""

import datetime as dt
import re
from decimal import Decimal
from urllib.parse import unquote

import pytest
from django.utils import timezone

from portal import paying
from tests.cast import signed_in
from tests.portal.conftest import verify
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from wallet.choices.psp import method_name
from wallet.ledger import posting
from wallet.models import Deposit

pytestmark = pytest.mark.django_db
PAGE = "/portal/wallet/deposit/"


@pytest.fixture
def browser(cast):
    load_rates()
    verify(cast.client)
    return signed_in(cast.client_user)


def make_deposit(cast, pay_by, instructions, **fields) -> Deposit:
    psp = make_psp(cast.brand, "coinharbor", kind="crypto")
    now = timezone.now()
    return Deposit.objects.create(
        client=cast.client,
        brand=cast.brand,
        psp=psp,
        payment_method=psp.methods.get(),
        wallet=posting.wallet_of(cast.client, "EUR"),
        reference="D-HERE00000001",
        request_key="h1",
        amount_minor=25_000,
        currency="EUR",
        created_at=now,
        expires_at=now + dt.timedelta(hours=1),
        **{"pay_by": pay_by, "instructions": instructions, **fields},
    )


def test_each_method_says_what_it_costs_its_limits_and_how_long_it_takes(cast, browser):
    make_psp(cast.brand, "northpay", deposit_fee_basis_points=150, deposit_fee_fixed_minor=25, minutes=2)
    make_psp(cast.brand, "rhinebank", kind="bank", minutes=1440, deposit_minimum_minor=5_000, position=2)
    page = browser.get(PAGE).content.decode()
    assert "1.50 %" in page and "€0.25" in page and "Free" in page
    assert "About 1 working day" in page and "€50.00" in page and "Instant" in page
    assert page.count('name="method"') == 2 and page.index("<strong>Card<") < page.index("<strong>Bank transfer<")
    assert "#card" in page and "#bank" in page, "each has its drawing"
    assert 'data-amount="250"' in page


def test_a_method_of_a_provider_is_called_by_its_german_name_and_a_brands_own_name_stays(cast, browser):
    psp = make_psp(cast.brand, "northpay")
    psp.methods.update(label="SEPA direct debit")
    make_psp(cast.brand, "rhinebank", kind="bank", position=2).methods.update(label="Hausbank am Rhein")
    type(cast.client_user).objects.filter(pk=cast.client_user.pk).update(language="de")
    page = browser.get(PAGE).content.decode()
    assert "SEPA-Lastschrift" in page and "SEPA direct debit" not in page and "Hausbank am Rhein" in page


def test_clients_never_read_the_name_of_a_provider(cast, browser):
    reference = make_deposit(cast, "redirect", {}, redirect_url="https://pay.example/1").reference
    for address in (
        PAGE,
        f"/portal/wallet/{reference}/",
        f"/portal/wallet/{reference}/pay/",
        "/portal/wallet/",
        "/portal/",
    ):
        page = browser.get(address).content.decode()
        assert "Cryptocurrency" in page and "coinharbor" not in page.lower(), address


@pytest.mark.parametrize(
    ("kind", "label", "currency", "name"),
    [
        ("bank", "Sepalink", "EUR", "SEPA transfer"),
        ("bank", "SEPALINK", "USD", "Bank transfer"),
        ("bank", "Wire to our house bank", "EUR", "Wire to our house bank"),
        ("crypto", "", "USD", "Cryptocurrency"),
        ("cashier", "100% local", "BRL", "100% local"),
    ],
)
def test_a_method_is_named_by_its_label_or_else_by_its_kind(kind, label, currency, name):
    assert str(method_name(kind, label=label, psp_name="Sepalink", currency=currency)) == name


def test_another_currency_shows_its_own_methods_limits_and_amounts(cast, browser):
    make_psp(cast.brand, "northpay")
    make_psp(cast.brand, "tokyopay", currencies=["JPY"])
    page = browser.get(PAGE, {"currency": "JPY"}).content.decode()
    assert page.count('name="method"') == 1 and "¥" in page
    assert 'data-amount="25000"' in page and 'data-places="0"' in page


def test_an_amount_typed_before_another_currency_was_chosen_stays(cast, browser):
    make_psp(cast.brand, "northpay")
    page = browser.get(PAGE, {"currency": "USD", "amount": '250,50"><i>'}).content.decode()
    assert 'value="250,50&quot;&gt;&lt;i&gt;"' in page


def test_a_crypto_deposit_shows_address_amount_network_and_a_code_to_scan(cast, browser):
    uri = "bitcoin:bc1qexample?amount=0.00412"
    told = {"address": "bc1qexample", "amount": "0.00412 BTC", "network": "Bitcoin", "uri": uri}
    deposit = make_deposit(cast, "crypto_address", told)
    page = browser.get(f"/portal/wallet/{deposit.reference}/").content.decode()
    assert all(
        text in page for text in ("bc1qexample", "0.00412 BTC", "Bitcoin", '<svg class="k-qr"', "data-countdown")
    )
    assert 'data-copy="bc1qexample"' in page and 'hx-trigger="k:live:room' in page
    assert "style=" not in page[page.index("k-how-to-pay") : page.index("k-how-to-pay") + 2_000]


def test_the_code_reads_back_as_the_payment(cast):
    import cv2
    import numpy

    svg = paying.qr_svg("bitcoin:bc1qexample?amount=0.00412")
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    picture = numpy.full((size, size), 255, dtype=numpy.uint8)
    for column, row in re.findall(r"M(\d+) (\d+)h1", svg):
        picture[int(row), int(column)] = 0
    large = cv2.resize(picture, (size * 8, size * 8), interpolation=cv2.INTER_NEAREST)
    text, _points, _straight = cv2.QRCodeDetector().detectAndDecode(large)
    assert unquote(text) == "bitcoin:bc1qexample?amount=0.00412"


def test_a_wire_shows_the_account_and_the_reference(cast, browser):
    told = {"holder": "Meridian Markets", "iban": "DE89370400440532013000", "bic": "COBADEFF", "reference": "MM7K2Q"}
    deposit = make_deposit(cast, "bank_reference", told)
    page = browser.get(f"/portal/wallet/{deposit.reference}/").content.decode()
    assert all(value in page for value in told.values()) and 'data-copy="MM7K2Q"' in page
    assert "€250.00" in page and "k-qr" not in page


def test_after_its_time_the_address_is_no_longer_offered_as_good(cast, browser):
    deposit = make_deposit(
        cast, "crypto_address", {"address": "bc1q", "expires": str(int(timezone.now().timestamp()) - 60)}
    )
    assert "This payment has expired" in browser.get(f"/portal/wallet/{deposit.reference}/").content.decode()


def test_an_instruction_with_markup_is_text(cast, browser):
    deposit = make_deposit(cast, "bank_reference", {"holder": "<script>alert(1)</script>", "iban": "DE1"})
    assert "<script>alert" not in browser.get(f"/portal/wallet/{deposit.reference}/").content.decode()


@pytest.mark.parametrize(("text", "is_known"), [("1790000000", True), ("2026-11-21T12:00:00Z", True), ("soon", False)])
def test_times_are_read_as_psps_write_them(text, is_known):
    assert (paying._time(text) is not None) is is_known


@pytest.mark.parametrize(("currency", "first"), [("EUR", Decimal(100)), ("JPY", Decimal(10_000)), ("BTC", None)])
def test_round_amounts_fit_the_currency(currency, first):
    assert next(iter(paying.quick_amounts(currency)), None) == first


def test_the_page_asks_the_database_no_more_for_more_methods(cast, browser, django_assert_max_num_queries):
    for number in range(8):
        make_psp(cast.brand, f"pay{number}", position=number, currencies=["EUR", "USD", "GBP", "CHF"])
    browser.get(PAGE)
    with django_assert_max_num_queries(30):
        browser.get(PAGE)
