"""What the importer keeps of a client who is erased: no row that wasn't imported still names them."""

import pytest

from clients.audit_codes import ClientsAction
from crm.models import SubjectKey
from crm.privacy import erasures
from crm.security import audit
from tests.crm.imports.files import checked, imported

pytestmark = pytest.mark.django_db


def erase(client):
    audit.record(
        actor=None,
        action=ClientsAction.NOTE_ADDED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"body": "x"},
    )
    assert SubjectKey.objects.filter(client_id=client.pk).exists()
    erasures.destroy_client_key(client.pk)


def lines_left(batch):
    return list(batch.rows.filter(is_applied=False).order_by("line").values_list("line", flat=True))


def test_rows_that_name_an_erased_client_are_deleted(cast):
    email = cast.client.email
    imported(cast, f"id,email\n900,{email}\n")
    clients = checked(
        cast, f"id,email,country\n1,{email.upper()},\n2,other@example.com,\n3,{email},Atlantis\n900,x@example.com,\n"
    )
    notes = checked(
        cast, f"client,body\n900,By number\n{email},By address\n{cast.other_client.email},Somebody else\n", kind="notes"
    )
    erase(cast.client)
    assert lines_left(clients) == [3]
    assert lines_left(notes) == [4]


def test_refused_rows_of_a_finished_import_go_and_the_number_stays(cast):
    """The number is what keeps an erased person from coming in again with the same system's next file."""
    text = f"id,email,country\n1,{cast.client.email},\n2,{cast.client.email},Atlantis\n3,bad,\n"
    batch = imported(cast, text)
    erase(cast.client)
    assert lines_left(batch) == [4] and batch.references.get().external_id == "1"
