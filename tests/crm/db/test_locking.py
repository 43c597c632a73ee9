"""`lock` holds one row, reads it again, and says kindly that it is gone."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from psycopg.errors import LockNotAvailable

from clients.models import Client
from crm.db.locking import lock, lock_all, lock_first, lock_or_none
from crm.errors import DomainError, NotFound
from crm.models import User
from crm.web.middleware import DomainErrorMiddleware

pytestmark = pytest.mark.django_db
NOBODY = 2**40


@pytest.fixture
def other():
    """A second connection to the same database, as another worker has one."""
    second = connection.copy()
    yield second
    second.close()


def is_free(other, table, pk, strength="UPDATE"):
    with other.cursor() as cursor:
        try:
            cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR {strength} NOWAIT", [pk])
        except Exception as error:
            assert isinstance(error.__cause__, LockNotAvailable)
            return False
        return True


def test_lock_holds_only_the_row_it_names(cast, other):
    locked = lock(Client, cast.client.pk, "brand")
    assert locked == cast.client and locked is not cast.client
    assert not is_free(other, "clients_client", cast.client.pk)
    assert is_free(other, "clients_client", cast.other_client.pk)
    assert is_free(other, "crm_brand", cast.brand.pk)


def test_a_statement_that_was_written_before_locks_and_reads_the_same(cast):
    for user in (cast.agent, cast.finance):
        with CaptureQueriesContext(connection) as queries:
            locked, asked = lock(User, user.pk, "brand"), lock(User.objects.all(), user.pk, "brand")
        first, second = (query["sql"].removesuffix(";") for query in queries)
        assert first == second.replace(" LIMIT 21", "") and " FOR UPDATE OF " in first
        assert vars(locked).keys() == vars(asked).keys() and locked.brand == asked.brand
        assert all(
            getattr(locked, field.attname) == getattr(asked, field.attname) for field in User._meta.concrete_fields
        )


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_taken_where_nothing_ends_it(cast):
    for _again in range(2):
        with pytest.raises(TransactionManagementError):
            lock(Client, cast.client.pk)
        with transaction.atomic():
            lock(Client, cast.client.pk)


def test_row_is_read_again_with_what_is_read_along(cast):
    Client.objects.filter(pk=cast.client.pk).update(first_name="Renamed")
    with CaptureQueriesContext(connection) as queries:
        locked = lock(Client, cast.client.pk, "brand")
        assert (locked.first_name, locked.brand) == ("Renamed", cast.brand)
    assert len(queries) == 1


def test_no_key_lets_others_point_at_the_row(cast, other):
    lock(Client, cast.client.pk, no_key=True)
    assert is_free(other, "clients_client", cast.client.pk, "KEY SHARE")
    assert not is_free(other, "clients_client", cast.client.pk, "NO KEY UPDATE")


def test_missing_row_is_a_refusal_that_says_what_to_do():
    with pytest.raises(NotFound, match=r"Reload the page\.$") as raised:
        lock(Client, NOBODY)
    assert isinstance(raised.value, DomainError) and raised.value.code == "not_found"
    assert lock_or_none(Client, NOBODY) is None
    assert lock_first(Client.objects.none()) is None


def test_row_out_of_reach_is_missing(cast):
    with pytest.raises(NotFound):
        lock(Client.objects.exclude(pk=cast.client.pk), cast.client.pk)


def test_many_rows_are_locked_in_the_order_of_their_keys(cast, other):
    pks = sorted([cast.client.pk, cast.other_client.pk])
    with CaptureQueriesContext(connection) as queries:
        assert [row.pk for row in lock_all(Client, pks=[*reversed(pks), NOBODY])] == pks
    assert 'ORDER BY "clients_client"."id" ASC FOR UPDATE OF "clients_client"' in queries[0]["sql"]
    assert not any(is_free(other, "clients_client", pk) for pk in pks)


def test_at_most_takes_the_first_rows(cast):
    pks = sorted([cast.client.pk, cast.other_client.pk])
    assert [row.pk for row in lock_all(Client.objects.filter(pk__in=pks), at_most=1)] == pks[:1]


def test_record_that_is_gone_is_a_404_page(rf):
    request = rf.post("/", headers={"hx-request": "true"})
    request.user, request.htmx = AnonymousUser(), True
    answer = DomainErrorMiddleware(lambda request: None).process_exception(request, NotFound("It is gone."))
    assert answer.status_code == 404
    assert "It is gone." in answer.content.decode()
