"""A PSP whose server was taken over, or whose address leads to somebody else's: each adapter, over real sockets."""

import datetime as dt
import tracemalloc
from decimal import Decimal

import pytest

from crm.money.amounts import to_minor
from tests.hostile import MEGABYTE, answer, endless, gzip_bomb, hostile, nested
from tests.wallet.factories import make_adyen, make_psp, make_stripe
from tests.wallet.providers import make_provider
from wallet.models import PspCall
from wallet.psp import adapter_of
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.http import PspHttp
from wallet.psp.paypal import webhooks
from wallet.psp.values import DepositIntent

pytestmark = pytest.mark.django_db

FAMILIES = {
    "plain": lambda brand, url: make_psp(brand, base_url=url),
    "stripe": make_stripe,
    "adyen": make_adyen,
    "paypal": lambda brand, url: make_provider(brand, "paypal", url),
    "btcpay": lambda brand, url: make_provider(brand, "btcpay", url),
    "praxis": lambda brand, url: make_provider(brand, "praxis", url),
    "bankwire": lambda brand, url: make_provider(brand, "bankwire", url),
}
INTENT = DepositIntent(
    reference="D-HOSTILE-1",
    amount_minor=50_000,
    currency="EUR",
    return_url="https://room.example/",
    merchant_name="Broker",
    payer_name="Clara Weber",
    payer_email="clara@client.example",
    country="DE",
)


def ask(psp) -> None:
    """What this PSP is asked first: to open a payment, or for a statement."""
    adapter = adapter_of(psp)
    if psp.adapter == "bank_wire":
        day = dt.date(2026, 11, 20)
        PspHttp(psp, psp.base_url, explain=str).call("GET", "/statement")
        adapter.fetch_settlement(day, day)
    else:
        adapter.start_deposit(INTENT)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("speak", [gzip_bomb, nested], ids=["bomb", "nested"])
def test_an_answer_beyond_all_bounds_leaves_the_outcome_unknown(cast, family, speak):
    with hostile(speak) as server:
        psp = FAMILIES[family](cast.brand, server.url)
        tracemalloc.start()
        try:
            # PayPal is asked for a token first: without one certainly nothing was sent.
            with pytest.raises(
                PspUnreachable if family == "paypal" else PspUnknown, match=r"larger|read|Invalid response"
            ):
                ask(psp)
            assert tracemalloc.get_traced_memory()[1] < 64 * MEGABYTE
        finally:
            tracemalloc.stop()
    assert PspCall.objects.filter(psp=psp).count() == 1, "it is noted, and not repeated"


def test_a_download_ends_at_its_limit(cast):
    for speak in (endless, gzip_bomb):
        with hostile(speak) as server:
            http = PspHttp(make_psp(cast.brand, f"p{server.port}"), server.url, explain=str)
            size = 0
            with pytest.raises(PspRefused, match="larger than 2 MB"):
                for piece in http.download(f"{server.url}/report", headers={}, bytes_max=2 * MEGABYTE):
                    size += len(piece)
            assert size <= 2 * MEGABYTE


def test_the_error_of_a_download_is_bounded_too(cast):
    with hostile(answer(b"x" * (9 * MEGABYTE), status=b"403 Forbidden")) as server:
        http = PspHttp(make_psp(cast.brand), server.url, explain=str)
        with pytest.raises(PspRefused):
            list(http.download(f"{server.url}/report", headers={}, bytes_max=MEGABYTE))


def test_a_certificate_is_bounded(cast, settings):
    settings.PSP_SANDBOX_CERTIFICATES = True
    webhooks.forget_certificates()
    for speak, error in ((gzip_bomb, webhooks.CertificateWrong), (answer(b"x" * 70_000), webhooks.CertificateWrong)):
        with hostile(speak) as server, pytest.raises(error):
            webhooks.public_key(f"{server.url}/v1/notifications/certs/CERT-1", sandbox_url=server.url)


def test_a_number_that_would_be_written_out_for_minutes_is_no_amount():
    for text in ("1E+99999999", "-1E+40"):
        with pytest.raises(ValueError, match="so many digits"):
            to_minor(Decimal(text), "EUR")
    assert to_minor(Decimal("0E+3"), "EUR") == 0
