"""Nobody fills the disk: what is too large is refused before anything of it is parsed, whatever the page."""

import pytest
from django.urls import reverse

from crm.web.uploads import STRANGER_BYTES_MAX
from tests.endless import send
from tests.walker.urls import ours

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("who", "page", "megabytes"),
    [
        ("marketing", "lead_import_new", 2_000),  # lists of a million leads come in there
        ("agent", "lead_import_new", 200),
        ("finance", "wallet:bank_upload", 2_000),  # so is a year of a busy account
        ("agent", "wallet:bank_upload", 200),
        ("finance", "wallet:report_upload", 2_000),  # a month of a large PSP is hundreds of megabytes
        ("agent", "wallet:report_upload", 200),
        ("mlro", "compliance:watchlists", 200),
    ],
)
def test_what_is_far_too_large_is_refused_early_wherever_a_file_is_taken(cast, browse, who, page, megabytes):
    status, answer, read, peak = send(browse(getattr(cast, who)), reverse(page), megabytes * MEGABYTE)
    assert status == 413
    assert "larger than" in answer and "Nothing was saved" in answer
    assert read == 0 and peak < 20 * MEGABYTE


@pytest.mark.parametrize("address", ["/accounts/login/", "/b/meridian/register/", "/", "/api/leads/", "/no/such/page/"])
def test_a_stranger_sends_nothing_large_to_a_page_without_files(cast, browse, address, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    status, _answer, read, peak = send(browse(None), address, 200 * MEGABYTE)
    assert status in (404, 413)
    assert read == 0 and peak < 20 * MEGABYTE
    assert not list(tmp_path.iterdir())


def test_a_form_of_ordinary_size_passes(cast, browse):
    answer = browse(None).post("/accounts/login/", {"login": "x" * 1000, "password": "y"})
    assert answer.status_code == 200


def test_the_api_answers_in_its_own_form(cast, browse):
    status, answer, _read, _peak = send(browse(None), "/api/leads/", 4 * MEGABYTE)
    assert status == 413
    assert '"code": "too_large"' in answer


def test_the_refusal_speaks_german(cast, browse):
    browser = browse(None)
    browser.cookies["django_language"] = "de"
    _status, answer, _read, _peak = send(browser, "/b/meridian/register/", 4 * MEGABYTE)
    assert "Es wurde nichts gespeichert" in answer


def upload_pages() -> list[str]:
    return [name for name, pattern in ours().items() if getattr(pattern.callback, "upload_limit", None)]


@pytest.mark.parametrize("name", upload_pages())
def test_a_strangers_file_is_answered_unread_before_the_csrf_check(cast, browse, name):
    """Their session may have ended meanwhile: they are sent to sign in, as if they had sent nothing."""
    address = reverse(name, kwargs=dict.fromkeys(ours()[name].pattern.converters, 1))
    status, _answer, read, _peak = send(browse(None), address, MEGABYTE)
    assert status in ((401, 405) if name.startswith("api:") else (302, 404, 405))
    assert read == 0


def test_what_a_stranger_sends_is_small_and_nothing_more_is_read(cast, browse):
    browser = browse(None)
    browser.cookies["csrftoken"] = "a" * 32
    status, _answer, read, _peak = send(browser, "/accounts/login/", STRANGER_BYTES_MAX + 1)
    assert (status, read) == (413, 0)
    browser = browse(cast.agent)
    browser.cookies["csrftoken"] = "a" * 32
    status, _answer, read, _peak = send(browser, "/profile/", STRANGER_BYTES_MAX + 1)
    assert status != 413
    assert read > 0
