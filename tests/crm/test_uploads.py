"""Nobody fills the disk: what is too large is refused before anything of it is parsed, whatever the page."""

import pytest
from django.urls import reverse

from tests.endless import send

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("who", "page", "megabytes"),
    [
        ("marketing", "lead_import_new", 200),
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
    assert "larger than" in answer and "Nothing was kept" in answer
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
    assert "Nichts wurde behalten" in answer
