"""COPY from objects writes what `save` would have written."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from clients.choices import Stage
from clients.models import Client
from crm.audit_codes import CrmAction
from crm.db.bulk import analyze_new_tables, copy_models, update_models
from crm.models import AuditEvent, Notification, SavedView
from crm.security import audit

pytestmark = pytest.mark.django_db


def someone(cast, n, **fields):
    now = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    return Client(
        brand=cast.brand,
        book=cast.book,
        owner=cast.agent,
        stage=Stage.REGISTERED,
        first_name=f"Ä\t'{n}\n\\",
        created_at=now,
        email=f"e{n}+x@gmail.com",
        registered_at=now,
        restrictions=["no_trading", 'a "b"'],
        net_deposits=Decimal("12.50"),
        date_of_birth=dt.date(1980, 1, 2),
        **fields,
    )


def test_objects_get_ids_and_read_back_equal(cast):
    people = [someone(cast, n) for n in range(3)]
    copy_models(people)
    for one in people:
        back = Client.objects.get(pk=one.pk)
        for name in ("stage", "first_name", "email", "restrictions", "net_deposits", "date_of_birth", "created_at"):
            assert getattr(back, name) == getattr(one, name), name
        assert back.email_canonical.endswith("@gmail.com") and "+" not in back.email_canonical
    saved = someone(cast, 9)
    saved.save()
    assert saved.pk > people[-1].pk


def test_constraints_hold(cast):
    with pytest.raises(IntegrityError, match="one_client_per_email"), transaction.atomic():
        copy_models([someone(cast, 1), someone(cast, 1)])


def test_json_nulls_and_automatic_times_are_written(cast):
    copy_models([SavedView(owner=cast.agent, table="x", name="X", columns=["a", None])])
    back = SavedView.objects.get(name="X")
    assert back.columns == ["a", None] and back.created_at is not None
    copy_models([Notification(user=cast.agent, kind="k", title="t")])
    assert Notification.objects.get().read_at is None


def test_nothing_is_nothing():
    copy_models([])


def test_many_audit_rows_verify_like_few(cast):
    audit.record_many(
        {
            "actor": cast.agent,
            "action": CrmAction.STAFF_CHANGED,
            "target": cast.client,
            "client_id": cast.client.pk,
            "reason": f"row {n}",
        }
        for n in range(60)
    )
    while audit.seal_pending():
        pass
    assert AuditEvent.objects.filter(action=CrmAction.STAFF_CHANGED).count() == 60
    assert audit.body_of(AuditEvent.objects.filter(action=CrmAction.STAFF_CHANGED).last())["reason"] == "row 59"


def test_rows_are_updated_as_save_would(cast):
    people = [someone(cast, n) for n in range(3)]
    copy_models(people)
    for number, one in enumerate(people[:2]):
        one.net_deposits, one.owner, one.stage = Decimal(number) / 4, None, Stage.VERIFIED
        one.restrictions, one.date_of_birth = ["frozen"], None
    update_models(people[:2], ["net_deposits", "owner", "stage", "date_of_birth"])
    read = list(Client.objects.filter(pk__in=[one.pk for one in people]).order_by("pk"))
    assert [(one.net_deposits, one.owner_id, one.stage, one.date_of_birth) for one in read] == [
        (Decimal(0), None, "verified", None),
        (Decimal("0.25"), None, "verified", None),
        (Decimal("12.50"), cast.agent.pk, "registered", dt.date(1980, 1, 2)),
    ]
    assert read[0].restrictions == ["no_trading", 'a "b"']  # only what was named
    update_models([], ["stage"])


def test_a_new_table_is_counted_once_a_batch_filled_it(cast):
    sizes = "SELECT relname, reltuples FROM pg_class WHERE relname IN ('clients_client', 'crm_notification')"
    with connection.cursor() as cursor:
        cursor.execute("SELECT keelson_analyze('clients_client'), keelson_analyze('crm_notification')")
        cursor.execute(sizes)
        before = dict(cursor.fetchall())
        copy_models([someone(cast, n) for n in range(200)])
        copy_models([Notification(user=cast.agent, title=str(n), dedupe_key=str(n)) for n in range(9)])
        analyze_new_tables(100)
        cursor.execute(sizes)
        after = dict(cursor.fetchall())
    assert after["clients_client"] >= before["clients_client"] + 200
    assert after["crm_notification"] == before["crm_notification"], "a few rows change no plan"
