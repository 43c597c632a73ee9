"""The list of leads by last contact: a walk that begins at the filter's own range finds what reading everybody finds."""

from __future__ import annotations

import datetime as dt

import pytest
from django.http import QueryDict
from django.utils import timezone

from clients.models import Client
from crm.models import Book
from crm.security.scope import reach_of
from crm.ui import nearest
from leads.tables import LeadTable

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads(cast):
    """Leads in two books: every third never contacted, the others on one of ten days; three languages, two campaigns."""
    books, now = list(Book.objects.filter(pk__in=reach_of(cast.mlro).books).order_by("pk")[:2]), timezone.now()
    assert len(books) == 2
    rows = [
        Client(
            brand=books[n % 2].brand,
            book=books[n % 2],
            first_name=f"Lead {n}",
            language=["de", "pt-br", "pt"][n % 3],
            campaign=["spring", ""][n % 2],
            created_at=now,
            last_contact_at=now - dt.timedelta(days=n % 10) if n % 3 else None,
        )
        for n in range(30)
    ]
    Client.objects.bulk_create(rows)
    return Client.objects.filter(stage="lead")


@pytest.mark.parametrize("sort", ["last_contact_at", "-last_contact_at"])
def test_a_filtered_list_by_last_contact_is_whole(cast, leads, monkeypatch, sort):
    monkeypatch.setattr(nearest, "PROBE_ROWS", 4)
    since = timezone.localdate() - dt.timedelta(days=4)
    for query, kept in {
        "language=pt": lambda row: row.language in ("pt", "pt-br"),
        "language=DE": lambda row: row.language == "de",
        "language=xx": lambda row: False,
        "campaign=spring": lambda row: row.campaign == "spring",
        f"not_contacted_since={since}": lambda row: (
            row.last_contact_at is None or timezone.localdate(row.last_contact_at) < since
        ),
    }.items():
        table = LeadTable(cast.mlro, QueryDict(f"{query}&sort={sort}"), "/leads/")
        reach = table.queryset().values_list("pk", flat=True)
        wanted = [row for row in leads.filter(pk__in=list(reach)) if kept(row)]
        down = sort.startswith("-")
        dated = sorted((row for row in wanted if row.last_contact_at), key=lambda row: (row.last_contact_at, row.pk))
        never = sorted((row for row in wanted if not row.last_contact_at), key=lambda row: row.pk)
        expected = [*(reversed(dated) if down else dated), *(reversed(never) if down else never)]
        assert [row.pk for row in table.page.rows] == [row.pk for row in expected][:50], query
