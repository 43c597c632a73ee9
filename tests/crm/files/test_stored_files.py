"""Rows and the files that they name: what is missing is named, and nothing that may be somebody's only copy is deleted."""

import os
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

from crm.audit_codes import CrmAction
from crm.file_columns import COLUMNS
from crm.files.file_check import verify_files
from crm.files.file_sweep import ORPHANS_MAX, is_older_than_files, note_newest_seal, sweep_orphans
from crm.models import AuditEvent, AuditSeal, Notification
from crm.privacy import erasures
from crm.security import audit
from crm.tasks import seal_audit
from kyc import store
from kyc.models import Document
from tests.kyc.factories import uploaded
from tests.wallet.factories import without_triggers
from wallet.choices.documents import DocumentKind
from wallet.documents.store import Draft, keep
from wallet.documents.store import path_of as issued_path
from wallet.models import IssuedDocument

pytestmark = pytest.mark.django_db
NAMES_OF_FILES = {"store_key", "stored_name", "file_path", "evidence_key", "result_path"}


@pytest.fixture(autouse=True)
def private(settings, tmp_path: Path) -> Path:
    settings.PRIVATE_DIR = tmp_path / "private"
    return settings.PRIVATE_DIR


def issued(cast, subject: str = "1", content: bytes = b"%PDF a statement") -> IssuedDocument:
    draft = Draft(
        kind=DocumentKind.STATEMENT,
        brand=cast.brand,
        client=cast.client,
        subject=subject,
        title="Statement",
        file_name="statement.pdf",
        language="en",
        content_hash=subject.rjust(64, "0"),
    )
    return keep(draft, content, made_by=cast.finance)


def orphan(number: int = 0) -> Path:
    path = settings.PRIVATE_DIR / "documents" / "ab" / f"ab{number:030x}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"KEELSON1 somebody's passport")
    return path


def grow_old() -> None:
    for path in settings.PRIVATE_DIR.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))


def sealed_act(cast) -> AuditSeal:
    audit.record(actor=None, action=CrmAction.STAFF_CHANGED, target=cast.client)
    seal_audit()
    return AuditSeal.objects.latest("id")


def without_seal(seal: AuditSeal) -> None:
    """The database as it was before this seal."""
    without_triggers("DELETE FROM crm_auditleaf WHERE seal_id = %s", seal.pk)
    without_triggers("DELETE FROM crm_auditseal WHERE id = %s", seal.pk)


def verified(*arguments: str) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_files", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue() + err.getvalue()
    return 0, out.getvalue() + err.getvalue()


def test_a_file_named_by_either_of_two_tables_is_no_orphan(cast):
    """Clients' documents and issued ones share a folder: the sweep of one must not delete the other's files."""
    document, statement, lost = uploaded(cast.client), issued(cast), orphan()
    grow_old()
    assert sweep_orphans().removed == {"documents": 1}
    assert store.path_of(document.store_key).exists()
    assert issued_path(statement.stored_name).exists()
    assert not lost.exists()
    assert AuditEvent.objects.filter(action="crm.orphans_deleted").count() == 1


def test_every_column_that_names_a_file_is_declared():
    declared = {(column.model, column.column) for column in COLUMNS}
    present = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name in NAMES_OF_FILES and not field.is_relation
    }
    assert len(present) >= 8
    assert present <= declared


def test_all_files_there_is_proved_and_exits_0(cast):
    uploaded(cast.client)
    issued(cast)
    for arguments in ([], ["--deep"]):
        code, text = verified(*arguments)
        assert code == 0, text
        assert "Every row has its file" in text
    verdict = verify_files(lambda _name: None)
    assert verdict.files == 2
    assert verdict.holds


def test_lost_cut_and_foreign_files_are_named_and_exit_1(cast):
    lost, cut = uploaded(cast.client), issued(cast, "2")
    foreign, longer = issued(cast, "3", b"%PDF one"), issued(cast, "4", b"%PDF another")
    store.path_of(lost.store_key).unlink()
    with issued_path(cut.stored_name).open("r+b") as file:
        file.truncate(90)
    issued_path(foreign.stored_name).write_bytes(store.path_of(uploaded(cast.other_client).store_key).read_bytes())
    without_triggers("UPDATE wallet_issueddocument SET size_bytes = 7 WHERE id = %s", longer.pk)
    code, text = verified()
    assert code == 1
    assert f"kyc.Document {lost.pk}, client {cast.client.pk}: documents/{lost.store_key} is missing" in text
    assert f"wallet.IssuedDocument {cut.pk}" in text
    assert "the file was cut" in text
    assert f"wallet.IssuedDocument {foreign.pk}" in text
    assert "our keys don't open it" in text
    assert "12 bytes instead of 7" in text
    assert "5 files, 1 missing, 3 damaged" in text


def test_deep_compares_the_digest_of_the_content(cast):
    statement = issued(cast)
    without_triggers("UPDATE wallet_issueddocument SET sha256 = repeat('0', 64) WHERE id = %s", statement.pk)
    assert verified()[0] == 0
    code, text = verified("--deep")
    assert code == 1
    assert "another digest" in text


def test_files_of_an_erased_client_are_no_fault(cast):
    lost, kept = uploaded(cast.client), issued(cast)
    erasures.destroy_client_key(cast.client.pk)
    store.path_of(lost.store_key).unlink()
    verdict = verify_files(lambda _name: None, deep=True)
    assert verdict.holds
    assert verdict.erased == 2
    assert issued_path(kept.stored_name).exists()


def test_after_an_older_database_nothing_is_deleted_until_a_person_says_so(cast):
    first = sealed_act(cast)
    newer = orphan()
    last = sealed_act(cast)
    assert last.pk > first.pk
    without_seal(last)
    assert is_older_than_files()
    seal_audit()  # the restored database goes on, and seals again
    assert is_older_than_files(), "the note of what was lost is not overwritten"
    grow_old()
    sweep = sweep_orphans()
    assert sweep.total == 0
    assert "older backup" in sweep.refused
    assert newer.exists()
    assert Notification.objects.filter(kind="crm.orphans_kept").exists()
    assert "newer than this database" in verified()[1]
    out = StringIO()
    call_command("sweep_orphans", stdout=out)
    assert f"documents/ab/{newer.name}" in out.getvalue()
    assert newer.exists()
    call_command("sweep_orphans", "--delete", stdout=out)
    assert not newer.exists()
    assert not is_older_than_files()


def test_more_orphans_than_crashes_leave_are_kept(cast):
    lost = [orphan(number) for number in range(ORPHANS_MAX + 1)]
    grow_old()
    sweep = sweep_orphans()
    assert sweep.total == 0
    assert "rows were lost" in sweep.refused
    assert all(path.exists() for path in lost)
    lost[0].unlink()
    assert sweep_orphans().total == ORPHANS_MAX


def test_young_and_half_written_files(cast):
    young, partial = orphan(), orphan(1)
    partial = partial.rename(partial.with_suffix(".0011.partial"))
    assert sweep_orphans().total == 0
    assert partial.exists()
    os.utime(partial, (1, 1))
    assert sweep_orphans().total == 0
    assert young.exists()
    assert not partial.exists()


def test_a_fresh_instance_has_nothing_noted(cast):
    assert not is_older_than_files()
    assert note_newest_seal()
    assert Document.objects.count() == 0
