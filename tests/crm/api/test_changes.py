"""`updated_since`: each change once it is complete, none lost to transactions that overlap, small pages however much there is."""

import threading

import pytest
from django.db import connection, connections, transaction

from clients.models import Client
from crm.api.changes import Stretch
from crm.db import change_numbers
from crm.db.change_numbers import ChangedIn, continue_numbering, read_limit
from tests.cast import make_client
from tests.crm.api.test_reading import get, secret_of

LISTS = {
    "leads": "leads:read",
    "clients": "clients:read",
    "deals": "trading:read",
    "trading-accounts": "trading:read",
    "deposits": "payments:read",
    "withdrawals": "payments:read",
}


def changes(secret: str, since: str, more: str = "") -> tuple[list[int], str]:
    """Read all changes since a mark, two a page. Returns ids in order and the next mark."""
    ids, cursor = [], ""
    while True:
        answer = get(f"clients?updated_since={since}&limit=2&fields=id{more}{cursor}", secret)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        ids += [row["id"] for row in page["data"]]
        if page["next_cursor"] is None:
            return ids, page["updated_until"]
        cursor = f"&cursor={page['next_cursor']}"


SHIPPED = change_numbers.LIMIT
# The same limit by the transactions of this database: others of the cluster are tests too, some of which last minutes.
LIMIT_HERE = SHIPPED.replace(
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
    "coalesce((SELECT min(backend_xid::text::bigint) FROM pg_stat_activity WHERE datname = current_database()),"
    " pg_snapshot_xmax(pg_current_snapshot())::text::bigint)",
)


def change_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT crm_change_number()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_no_change_is_missed_when_a_lower_number_commits_last(cast, monkeypatch):
    """The slow transaction has the lower number and commits after the quick one was read: the classic loss."""
    assert LIMIT_HERE != SHIPPED
    monkeypatch.setattr(change_numbers, "LIMIT", LIMIT_HERE)
    secret = secret_of(cast.desk_head, "clients:read")
    slow, quick, later = (
        make_client(brand=cast.brand, book=cast.book, email=f"c{n}@example.com", login=False) for n in range(3)
    )
    first, mark = changes(secret, "beginning")
    assert {slow.pk, quick.pk, later.pk} <= set(first)
    assert sorted(first) == sorted(row["id"] for row in get("clients?limit=200", secret).json()["data"])
    assert changes(secret, mark)[0] == []
    written, may_commit = threading.Event(), threading.Event()

    lower: list[int] = []

    def write_slowly() -> None:
        with transaction.atomic():
            Client.objects.filter(pk=slow.pk).update(score=1)
            lower.append(change_number())
            written.set()
            may_commit.wait(20)
        connections.close_all()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert written.wait(20)
    Client.objects.filter(pk=quick.pk).update(score=2)
    held_back, mark = changes(secret, mark)
    assert held_back == []  # the quick one is newer than what is still open
    with monkeypatch.context() as as_shipped:
        as_shipped.setattr(change_numbers, "LIMIT", SHIPPED)
        assert read_limit().complete_until <= lower[0]
    may_commit.set()
    writer.join()
    Client.objects.filter(pk=later.pk).update(score=3)
    got, mark = changes(secret, mark)
    assert got == [slow.pk, quick.pk, later.pk]
    Client.objects.filter(pk=slow.pk).update(score=4)
    assert changes(secret, mark)[0] == [slow.pk]


@pytest.mark.django_db
def test_every_tracked_list_takes_marks_and_no_other_does(cast, django_assert_max_num_queries):
    secret = secret_of(cast.administrator, *LISTS.values(), "clients:read")
    for name in LISTS:
        answer = get(f"{name}?updated_since=beginning&limit=1", secret)
        assert answer.status_code in (200, 403), (name, answer.content)
        if answer.status_code == 200:
            with django_assert_max_num_queries(8):
                assert get(f"{name}?updated_since={answer.json()['updated_until']}", secret).status_code == 200
    assert get("notes?updated_since=beginning", secret).json()["code"] == "invalid_request"
    for wrong in ("2026-11-26T00:00:00Z", "x", "W10"):
        assert get(f"clients?updated_since={wrong}", secret).json()["code"] == "invalid_cursor", wrong
    assert get("clients?updated_since=beginning&order=oldest", secret).status_code == 400


@pytest.mark.django_db
def test_numbers_go_on_after_those_that_a_restored_database_brought(cast):
    """In another cluster transactions are numbered from the start again: old rows would be ahead of all new ones."""
    brought = read_limit().complete_until + 1_000_000
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clients_client DISABLE TRIGGER change_is_numbered")
        cursor.execute("UPDATE clients_client SET changed_in = %s WHERE id = %s", [brought, cast.client.pk])
        cursor.execute("ALTER TABLE clients_client ENABLE TRIGGER change_is_numbered")
    continue_numbering()
    Client.objects.filter(pk=cast.client.pk).update(score=5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT changed_in > %s FROM clients_client WHERE id = %s", [brought, cast.client.pk])
        assert cursor.fetchone()[0]
        cursor.execute("SELECT crm_change_offset()")
        offset = cursor.fetchone()[0]
        continue_numbering()
        cursor.execute("SELECT crm_change_offset()")
        assert cursor.fetchone()[0] == offset


def test_the_records_of_one_import_are_read_on_as_one_range_of_the_index():
    """Spelled out with OR, each page would read all records of the import once more from its first one on."""
    rows = Client.objects.annotate(changed_in=ChangedIn()).filter(Stretch("", 10, 3, 7).condition)
    assert '("clients_client"."changed_in", "clients_client"."id") > (3, 7)' in str(rows.query)
