"""Statements of banks as they came: encrypted on disk, read from there, gone when refused; large ones by a worker."""

import io
import os
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.choices import JobState
from crm.errors import DomainError, NotAllowed
from crm.files.file_sweep import sweep_orphans
from crm.files.jobs import run_job
from crm.models import Job
from crm.security.sealed_files import FileDamaged
from sandbox.psp.dialects.bankwire import IBAN
from tests.wallet.factories import make_psp
from wallet.bank import statements as bank
from wallet.core import source_files
from wallet.models import BankEntry, BankFile
from wallet.statement_formats import BadStatement

pytestmark = pytest.mark.django_db
HEAD = "date;amount;currency;name;iban;text;own account"
LINES = [
    f"2026-10-{day:02d};{day}.50;EUR;Payer {day};DE75512108001245126199;payment {day};{IBAN}" for day in range(1, 8)
]
CONTENT = "\n".join([HEAD, *LINES]).encode()


@pytest.fixture
def psp(cast):
    psp = make_psp(cast.brand, "bank", kind="bank", adapter="bank_wire")
    psp.seal_credentials({"iban": IBAN, "holder": "Us"})
    psp.save()
    return psp


@pytest.fixture
def folder(settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path / "private"
    return bank.ORIGINALS.root


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def take_in(psp, content=CONTENT, **more):
    more = {"actor": None, "is_complete": True, **more}
    return bank.import_statement(psp_id=psp.pk, file_name="october.csv", content=content, **more)


@pytest.mark.parametrize("kind", ["bytes", "file", "path", "upload"])
def test_the_original_is_kept_encrypted_however_it_came(psp, folder, tmp_path, kind):
    path = tmp_path / "statement.csv"
    path.write_bytes(CONTENT)
    content = {
        "bytes": CONTENT,
        "file": io.BytesIO(CONTENT),
        "path": path,
        "upload": SimpleUploadedFile("s.csv", CONTENT),
    }[kind]
    file = take_in(psp, content)
    (kept,) = files(folder)
    assert (kept.name, file.size_bytes, file.entries_new) == (file.stored_name, len(CONTENT), len(LINES))
    assert b"payment 1" not in kept.read_bytes() and oct(kept.stat().st_mode)[-3:] == "600"
    assert b"".join(bank.original_of(file)) == CONTENT


def test_an_original_that_was_touched_does_not_open(psp, folder):
    file = take_in(psp)
    (kept,) = files(folder)
    sealed = bytearray(kept.read_bytes())
    sealed[-1] ^= 1
    kept.write_bytes(sealed)
    with pytest.raises(FileDamaged):
        list(bank.original_of(file))


def test_a_large_one_is_read_from_a_temporary_file_as_a_small_one_is(psp, folder, monkeypatch):
    monkeypatch.setattr(source_files, "IN_MEMORY_BYTES_MAX", 10)
    monkeypatch.setattr(bank, "ENTRIES_AT_ONCE", 2)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.csv", "\n".join([HEAD, *LINES[:4]]))
        packed.writestr("b.csv", "\n".join([HEAD, *LINES[2:]]))
    file = take_in(psp, archive.getvalue())
    assert (file.format, file.entries_new, file.entries_known, len(file.statements)) == ("zip", 7, 2, 2)
    assert BankEntry.objects.count() == 7


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing of a bank", CONTENT.replace(b"3.50;EUR", b"3.x0;EUR"), CONTENT.replace(IBAN.encode(), b"FR76")],
)
def test_what_is_refused_leaves_neither_row_nor_file(psp, folder, content):
    with pytest.raises(DomainError):
        take_in(psp, content)
    assert not files(folder)
    assert not BankFile.objects.exists() and not BankEntry.objects.exists()


def test_the_same_file_again_is_the_same_row_with_one_original(psp, folder):
    first = take_in(psp)
    assert take_in(psp) == first
    assert [path.name for path in files(folder)] == [first.stored_name]


def test_a_file_beyond_the_limit_is_refused_in_words(psp, folder, monkeypatch):
    monkeypatch.setattr("wallet.statement_formats.BYTES_MAX", 100)
    with pytest.raises(BadStatement, match="larger than"):
        take_in(psp)
    assert not files(folder)


def test_a_large_upload_is_taken_in_by_a_worker_that_looks_at_rights_again(cast, psp, folder, browse, monkeypatch):
    monkeypatch.setattr(bank, "AT_ONCE_BYTES_MAX", 100)
    browser = browse(cast.finance)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("large.csv", CONTENT)
    answer = browser.post(
        reverse("wallet:bank_upload"), {"psp": psp.pk, "file": SimpleUploadedFile("large.zip", packed.getvalue())}
    )
    job = Job.objects.get(kind="wallet.import_statement")
    assert (answer.status_code, answer["Location"]) == (302, reverse("job", args=[job.pk]))
    assert not BankFile.objects.exists() and len(files(folder)) == 1
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, BankFile.objects.get().entries_new) == (JobState.DONE, len(LINES))
    with pytest.raises(NotAllowed):
        bank.order_statement(psp_id=psp.pk, file_name="x.csv", content=io.BytesIO(CONTENT), actor=cast.auditor)


def test_a_large_table_that_nobody_has_explained_waits_at_once(cast, psp, folder, browse, monkeypatch):
    monkeypatch.setattr(bank, "AT_ONCE_BYTES_MAX", 10)
    content = b"a;b;c\n03/04/2026;x;1,50\n05/04/2026;y;2,50\n"
    answer = browse(cast.finance).post(
        reverse("wallet:bank_upload"), {"psp": psp.pk, "file": SimpleUploadedFile("odd.csv", content)}
    )
    assert answer.status_code == 302 and "/tables/" in answer["Location"]
    assert not Job.objects.exists() and not files(folder)


def test_originals_of_no_statement_are_dropped_after_a_day(psp, folder):
    file = take_in(psp)
    orphan, fresh = bank.ORIGINALS.keep(b"orphan"), bank.ORIGINALS.keep(b"fresh")
    for path in (bank.ORIGINALS.path_of(file.stored_name), orphan.path):
        os.utime(path, (1, 1))
    assert sweep_orphans().removed == {"statements": 1}
    assert {path.name for path in files(folder)} == {file.stored_name, fresh.name}
