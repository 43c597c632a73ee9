"""Retention and erasure: periods, what stands against it, two people, and that nothing of the person is left to read."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from clients.models import Client, Note
from compliance.aml.running import run_pending
from compliance.models import ClosedRelation, ErasureProposal
from compliance.retention import erasing, holds
from compliance.retention.obstacles import obstacles_of
from crm import approvals
from crm.choices import Role
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, SubjectKey, User
from crm.privacy import erasures
from crm.security import audit
from crm.security.audit.seal import seal_pending
from crm.security.audit.verify import verify
from ib.models import Partner
from kyc.questionnaires.models import Submission, WarningAcknowledgement
from portal import consents
from portal.models import Consent, PortalLogin
from support.models import Ticket
from tests.app_role import app_role
from tests.cast import make_staff
from tests.compliance.aml.factories import live, moved
from tests.compliance.retention.factories import ended
from tests.compliance.test_restrictions import place
from tests.wallet.factories import fund

pytestmark = pytest.mark.django_db
TEXT_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
  AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'inet', 'ARRAY')
"""
IP = "2001:db8:7:7::231"
# Sealed evidence that only grows: who signed in and from where, and under which name they acted; and what was published.
KEPT = {"crm_auditevent", "crm_accessevent", "crm_outboxevent", "crm_notification", "crm_eventdelivery"}


def tables_with(*words: str) -> set[str]:
    """The tables in which one of the words is anywhere."""
    with connection.cursor() as cursor:
        cursor.execute(TEXT_COLUMNS)
        columns: dict[str, list[str]] = {}
        for table, column in cursor.fetchall():
            columns.setdefault(table, []).append(column)
        found = set()
        for table, names in columns.items():
            hits = " OR ".join(f'"{name}"::text ILIKE ANY(%(words)s)' for name in names)
            cursor.execute(f'SELECT 1 FROM "{table}" WHERE {hits} LIMIT 1', {"words": [f"%{word}%" for word in words]})
            found |= {table} if cursor.fetchone() else set()
    return found


def leave_traces(client: Client) -> None:
    """Give a client what they may lack: addresses they came from, a note, a ticket and a partner's record with their name."""
    Note.objects.create(client=client, author=User.objects.filter(kind="staff")[0], body=f"{client.full_name} called")
    texts = consents.current_texts(client.brand, "en").values()
    consents.record_consents(client=client, actor=client.user, given=texts)
    now, text = timezone.now(), Consent.objects.filter(client=client).first().text
    Consent.objects.create(client=client, text=text, is_given=True, at=now, ip=IP)
    given = Submission.objects.filter(acknowledgement=None).first()
    given.pk, given.client, given.ip, given._state.adding = None, client, IP, True
    given.save()
    WarningAcknowledgement.objects.create(
        submission=given, acknowledged_by=client.user, acknowledged_at=now, language="en", sha256="0" * 64, ip=IP
    )
    PortalLogin.objects.update_or_create(user=client.user, defaults={"registered_ip": IP})
    Ticket.objects.filter(pk=Ticket.objects.first().pk).update(client=client, subject=f"Refund for {client.full_name}")
    partner = (
        Partner.objects.filter(client=client).first() or Partner.objects.filter(client=None, brand=client.brand).first()
    )
    partner.client, partner.name = client, str(client.full_name)
    partner.save()


def test_nothing_of_a_demo_client_is_left_to_read(demo_world):
    """The client with the most in the demo: without the key only tables that only grow have their name, contact or IP."""
    client = (
        Client.objects.filter(deposits__isnull=False, documents__isnull=False)
        .exclude(email="")
        .exclude(phone="")
        .order_by("pk")
        .first()
    )
    assert client is not None
    leave_traces(client)
    words = [client.email, client.phone, f"{client.first_name} {client.last_name}", IP]
    traces = {
        "portal_consent",
        "portal_portallogin",
        "kyc_submission",
        "kyc_warningacknowledgement",
        "support_ticket",
        "ib_partner",
        "ib_historicalpartner",
    }
    assert {"clients_client", "wallet_deposit"} | traces <= tables_with(*words)
    with app_role():  # in production it runs as a role that may not update what only grows: the functions may
        erasures.destroy_client_key(client.pk)
    client.refresh_from_db()
    assert str(client.full_name).strip() == "Erased" and client.user is not None and not client.user.is_active
    assert tables_with(*words) <= KEPT
    with app_role(), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Consent.objects.filter(client=client).update(ip=None)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Consent.objects.filter(client=client).update(is_given=False)


def test_an_erasure_says_what_stands_against_it(cast):
    client = cast.client
    erase = lambda: erasing.propose_erasure(client_id=client.pk, actor=cast.mlro, reason="Five years are over")  # noqa: E731
    with pytest.raises(WrongState, match="hasn't ended"):
        erase()
    relation = ended(client, years=4)
    with pytest.raises(WrongState, match="kept until"):
        erase()
    ended(client)
    holds.place_hold(client_id=client.pk, actor=cast.mlro, reason="Court order 12/2026")
    live(cast, "velocity_count", 1, repeat=1)
    moved(client, "deposit", 100, timezone.now())
    run_pending()
    place(cast)
    fund(client, 100)
    relation.refresh_from_db()
    against = " ".join(obstacles_of(client, relation))
    for text in ("legal hold", "AML case", "restriction", "wallet"):
        assert text in against, against
    with pytest.raises(WrongState, match="legal hold"):
        erase()
    holds.lift_hold(client_id=client.pk, actor=cast.mlro, reason="Withdrawn")
    with pytest.raises(WrongState):
        holds.lift_hold(client_id=client.pk, actor=cast.mlro, reason="Again")
    with pytest.raises(NotAllowed):
        holds.place_hold(client_id=client.pk, actor=cast.kyc_officer, reason="Not mine")
    assert not SubjectKey.objects.filter(client_id=client.pk, destroyed_at__isnull=False).exists()


def test_two_people_erase_and_the_log_stays_provable(cast, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.ERASURE_REGISTER = tmp_path / "erasures.jsonl"
    client, second = cast.client, make_staff("deputy@keelson.example", Role.MLRO, brand=cast.brand)
    name = client.full_name
    ended(client)
    with app_role():
        proposal = erasing.propose_erasure(client_id=client.pk, actor=cast.mlro, reason="Five years are over")
        seal_pending()
    with pytest.raises(NotAllowed):
        approvals.approve(ErasureProposal, proposal.pk, actor=cast.mlro)
    with django_capture_on_commit_callbacks(execute=True), app_role():
        approvals.approve(ErasureProposal, proposal.pk, actor=second)
    client.refresh_from_db()
    assert client.email == client.phone == client.first_name == "" and client.date_of_birth is None
    assert {row.last_name for row in client.history.all()} == {"Erased"}
    assert not Client.objects.filter(search_text__icontains=name.split()[-1].lower(), pk=client.pk).exists()
    certificate = AuditEvent.objects.get(action="compliance.client_erased")
    assert audit.body_of(certificate)["after"]["client"] == client.pk, (
        "its own words can be read without the client's key"
    )
    before = AuditEvent.objects.get(action="compliance.erasure_proposed")
    assert audit.body_of(before) == {"erased": True}
    seal_pending()
    assert verify(client_id=client.pk).problems == [] and verify().problems == []
    assert [row.client_id for row in erasures.read_register(settings.ERASURE_REGISTER)] == [client.pk]
    assert obstacles_of(client, ClosedRelation.objects.get(client=client)) == ["This client was erased."]


def test_the_list_shows_what_is_due_in_as_many_queries(cast, browse, django_assert_num_queries):
    page = browse(cast.mlro)
    ended(cast.client)
    shown = page.get("/compliance/retention/?state=due").content.decode()
    assert cast.client.full_name in shown and "Due" in shown
    with connection.execute_wrapper(counted := Counter()):
        page.get("/compliance/retention/")
    few = counted.count
    ended(cast.other_client, years=1)
    counted.count = 0
    with connection.execute_wrapper(counted):
        assert cast.other_client.full_name in page.get("/compliance/retention/").content.decode()
    assert counted.count == few
    assert cast.other_client.full_name not in page.get("/compliance/retention/?state=due").content.decode()
    address = f"/compliance/retention/{cast.client.pk}/"
    page.post(f"{address}hold/", {"reason": "Court order"})
    assert "There is a legal hold." in page.get(address).content.decode()
    shown = {
        state: page.get(f"/compliance/retention/?state={state}").content.decode() for state in ("due", "held", "kept")
    }
    assert [state for state, content in shown.items() if cast.client.full_name in content] == ["held"]
    assert [state for state, content in shown.items() if cast.other_client.full_name in content] == ["kept"]
    page.post(f"/compliance/retention/{cast.other_client.pk}/hold/", {"reason": "Court order"})
    assert cast.other_client.full_name in page.get("/compliance/retention/?state=held").content.decode()
    assert cast.other_client.full_name not in page.get("/compliance/retention/?state=kept").content.decode()
    page.post(f"{address}lift/", {"reason": "Withdrawn"})
    page.post(f"{address}erase/", {"reason": "Time is over"})
    shown = page.get(address).content.decode()
    assert "Awaiting second approval" in shown and "Propose erasure" not in shown
    second = make_staff("deputy@keelson.example", Role.MLRO, brand=cast.brand)
    approvals.approve(ErasureProposal, ErasureProposal.objects.get().pk, actor=second)
    shown = page.get(address).content.decode()
    assert "Approved by" in shown and str(second) in shown and "destroyed" in shown
    assert browse(cast.kyc_officer).get(address).status_code == 403


class Counter:
    count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)
