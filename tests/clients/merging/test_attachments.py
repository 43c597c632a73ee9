"""Every column that names a client says whether its rows follow when two records are merged."""

from django.apps import apps
from django.db import connection, models

from clients.merging.attachments import ATTACHMENTS, moved_ones
from clients.models import Client


def columns_with_clients() -> set[str]:
    found = set()
    for model in apps.get_models():
        if model.__name__.startswith("Historical"):
            continue
        for field in model._meta.concrete_fields:
            is_number = field.name == "client_id" and isinstance(field, models.BigIntegerField)
            if field.related_model is Client or is_number:
                found.add(f"{model._meta.label}.{field.name}")
    return found


def test_every_column_that_names_a_client_has_an_answer():
    answered = {entry.path for entry in ATTACHMENTS.values()}
    assert columns_with_clients() - answered == set(), "say `follows` or `stays` in the app's attachments.py"
    assert answered - columns_with_clients() == set()


def test_nothing_of_money_follows():
    assert {entry.model._meta.app_label for entry in moved_ones()} == {"clients", "crm", "leads", "support"}


def test_what_follows_may_be_changed(db):
    """An append-only table would refuse it in the middle of a merge."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE '%%no_change%%'"
        )
        append_only = {name for (name,) in cursor.fetchall()}
    assert append_only
    assert not append_only & {entry.model._meta.db_table for entry in moved_ones()}
