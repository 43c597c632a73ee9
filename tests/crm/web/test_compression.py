"""Pages are sent compressed; files and answers that show a secret are not."""

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client as Browser
from django.test import RequestFactory

from crm.security.compression import PageCompressionMiddleware, keep_plain
from tests.cast import PASSWORD
from tests.crm.factors import code

PAGE = "<p>Kontostand</p>" * 500


def through(response: HttpResponse | StreamingHttpResponse, encoding: str = "gzip"):
    request = RequestFactory().get("/", headers={"accept-encoding": encoding})
    return PageCompressionMiddleware(lambda _request: response)(request)


def test_a_page_is_compressed_and_says_on_what_it_depends():
    answer = through(HttpResponse(PAGE))
    assert answer["Content-Encoding"] == "gzip" and "Accept-Encoding" in answer["Vary"]
    assert len(answer.content) * 10 < len(PAGE) and gzip.decompress(answer.content).decode() == PAGE


def test_the_length_of_a_page_is_padded_at_random():
    """Against guessing a secret by the lengths of answers (BREACH)."""
    assert len({len(through(HttpResponse(PAGE)).content) for _time in range(40)}) > 5


@pytest.mark.parametrize(
    "response",
    [
        lambda: HttpResponse(
            PAGE, headers={"Content-Disposition": "attachment; filename=a.csv"}, content_type="text/plain"
        ),
        lambda: HttpResponse(b"\x89PNG" * 500, content_type="image/png"),
        lambda: StreamingHttpResponse(iter([PAGE]), content_type="text/event-stream"),
        lambda: keep_plain(HttpResponse(PAGE)),
        lambda: HttpResponse("short"),
    ],
    ids=["download", "picture", "stream", "shows a secret", "small"],
)
def test_what_is_sent_as_it_is(response):
    assert "Content-Encoding" not in through(response())


def test_who_takes_no_gzip_gets_none():
    assert "Content-Encoding" not in through(HttpResponse(PAGE), encoding="identity")


@pytest.mark.django_db
def test_staff_pages_come_compressed(cast, browse):
    answer = browse(cast.agent).get("/clients/", headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert {"Accept-Encoding", "HX-Request", "Cookie"} <= {part.strip() for part in answer["Vary"].split(",")}


GZIP = {"accept-encoding": "gzip"}


@pytest.mark.django_db(transaction=True)
def test_pages_that_show_secrets_of_a_second_factor_are_not_compressed(cast):
    """A code's length in a compressed page, beside words of a stranger's choice, would tell it piece by piece."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.agent.email, "password": PASSWORD})
    app = browser.get("/accounts/2fa/totp/activate/", headers=GZIP)
    secret = app.context["form"].secret
    assert secret in app.content.decode() and "Content-Encoding" not in app
    browser.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    shown = browser.get("/accounts/2fa/recovery-codes/", headers=GZIP)
    assert shown.context["unused_codes"][0] in shown.content.decode() and "Content-Encoding" not in shown
    assert browser.get("/home/", headers=GZIP)["Content-Encoding"] == "gzip"


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/lead-sources/", "/clients/"])
def test_a_page_with_a_new_key_of_a_lead_source_is_not_compressed(cast, browse, page):
    """Whichever page is looked at next: that is where the message comes out."""
    browser = browse(cast.administrator)
    browser.post("/lead-sources/new/", {"brand": cast.brand.pk, "name": "Affiliate", "code": "aff"})
    shown = browser.get(page, headers=GZIP)
    assert "ksl_" in shown.content.decode() and "Content-Encoding" not in shown
    assert browser.get(page, headers=GZIP)["Content-Encoding"] == "gzip"
