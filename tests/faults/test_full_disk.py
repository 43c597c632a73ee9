"""A full disk: nothing is half-written, the person reads what happened, administrators heard of it before."""

import errno
import io

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import RequestFactory

from crm.files import storage
from crm.models import Job, Notification
from crm.pages.errors import server_error
from leads.models import LeadImport
from wallet.models import SettlementImport

pytestmark = pytest.mark.django_db
FULL = OSError(errno.ENOSPC, "No space left on device")
# (Uploads of clients: tests/kyc. Results of jobs: tests/crm/files/test_jobs.py.)


@pytest.fixture
def full_disk(monkeypatch, settings, tmp_path):
    """The store is on a disk whose last byte is gone when a file is brought to it."""
    settings.PRIVATE_DIR = tmp_path

    def full(_handle):
        raise FULL

    monkeypatch.setattr("crm.security.sealed_files.os.fsync", full)
    yield tmp_path
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "nothing is left half-written"


def test_a_file_of_leads_is_refused_at_the_form_and_nothing_of_it_stays(cast, browse, full_disk):
    file = SimpleUploadedFile("leads.csv", b"email,first_name\nanna@web.de,Anna\n", "text/csv")
    answer = browse(cast.marketing).post("/leads/imports/new/", {"brand": cast.brand.pk, "file": file})
    assert answer.status_code == 422
    assert "our storage is full" in answer.content.decode()
    assert not LeadImport.objects.exists()
    assert not Job.objects.exists()


def test_a_browsers_upload_that_finds_no_room_is_answered_in_words(cast, browse, monkeypatch, settings):
    """Django spools a large file to disk while it reads the form: before any view of ours."""

    class Full(io.BytesIO):
        def write(self, _data):
            raise FULL

    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile", lambda *_a, **_n: _Spool(Full()))
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    browser = browse(cast.finance)
    browser.raise_request_exception = False
    file = SimpleUploadedFile("report.csv", b"x" * 1000, "text/csv")
    answer = browser.post("/money/reconciliation/upload/", {"file": file})
    assert answer.status_code == 507
    assert "Our storage is full" in answer.content.decode()
    assert not SettlementImport.objects.exists()


class _Spool:
    def __init__(self, file):
        self.file = file

    def write(self, data):
        self.file.write(data)

    def close(self):
        self.file.close()


@pytest.mark.parametrize("cause", [FULL, psycopg.errors.DiskFull("could not extend file")])
def test_an_error_caused_by_a_full_disk_is_no_riddle(cause):
    try:
        try:
            raise cause
        except Exception as error:
            raise OperationalError("could not write") from error
    except OperationalError:
        answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 507
    assert "Our storage is full" in answer.content.decode()


def test_administrators_are_told_once_a_day_before_it_is_full(cast, monkeypatch, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path / "not" / "made" / "yet"
    assert not storage.notify_when_short()
    monkeypatch.setattr(storage, "FREE_BYTES_MIN", 2**62)
    monkeypatch.setattr(storage, "FREE_PART_MIN", 2)
    assert storage.notify_when_short() and storage.notify_when_short()
    told = Notification.objects.get(kind="crm.storage_short")
    assert told.user == cast.administrator
    assert "left for documents" in told.title
