"""The page of remembered mappings: who sees them, renaming and deleting."""

import pytest
from django.urls import reverse

from crm.errors import DomainError, NotAllowed
from crm.imports import importing, saved_mappings
from crm.models import AuditEvent, ImportMapping
from tests.cast import signed_in
from tests.crm.imports.files import uploaded

pytestmark = pytest.mark.django_db


@pytest.fixture
def saved(cast):
    for name in ("Old CRM", "Excel of sales"):
        batch = uploaded(cast, "email,Land\na@example.com,Germania\n")
        definition = {"fields": {"email": "email", "country": {"column": "Land", "values": {"Germania": "DE"}}}}
        importing.map_columns(
            import_id=batch.pk, actor=cast.administrator, definition=definition, remember_as=name, is_queued=False
        )
    return ImportMapping.objects.get(name="Old CRM")


def test_they_are_listed_with_their_columns(cast, saved):
    browser = signed_in(cast.administrator)
    assert reverse("import_mappings") in browser.get(reverse("data_imports")).content.decode()
    listed = browser.get(reverse("import_mappings")).content.decode()
    assert "Old CRM" in listed and "Excel of sales" in listed
    page = browser.get(reverse("import_mapping", args=[saved.pk])).content.decode()
    assert "Land" in page and "Germania = DE" in page and "Country" in page


def test_one_is_renamed_and_stays_as_old_as_it_was(cast, saved):
    browser, address = signed_in(cast.administrator), reverse("import_mapping", args=[saved.pk])
    assert browser.post(address, {"name": "UpTrader 2026"}).status_code == 302
    renamed = ImportMapping.objects.get(pk=saved.pk)
    assert (renamed.name, renamed.saved_at) == ("UpTrader 2026", saved.saved_at)
    assert AuditEvent.objects.filter(action="crm.data_import_mapping_renamed", actor=cast.administrator).count() == 1
    taken = browser.post(address, {"name": "Excel of sales"})
    assert taken.status_code == 422 and "has this name" in taken.content.decode()
    with pytest.raises(DomainError, match="Enter a name"):
        saved_mappings.rename_mapping(mapping_id=saved.pk, actor=cast.administrator, name=" ")


def test_a_deleted_one_is_used_no_more(cast, saved):
    ImportMapping.objects.exclude(pk=saved.pk).delete()
    signed_in(cast.administrator).post(reverse("import_mapping_delete", args=[saved.pk]))
    assert not ImportMapping.objects.exists()
    assert AuditEvent.objects.filter(action="crm.data_import_mapping_deleted").count() == 1
    assert "values" not in uploaded(cast, "email,Land\na@example.com,DE\n").mapping["fields"]["country"]


@pytest.mark.parametrize("who", ["agent", "finance", "support", "auditor"])
def test_nobody_else_sees_or_changes_them(cast, saved, who):
    browser = signed_in(getattr(cast, who))
    for name, args in (("import_mappings", []), ("import_mapping", [saved.pk])):
        assert browser.get(reverse(name, args=args)).status_code in (403, 404)
    with pytest.raises(NotAllowed):
        saved_mappings.delete_mapping(mapping_id=saved.pk, actor=getattr(cast, who))
