"""The queue's order: when a document is due, brought forward by priority, value, risk and suspicion."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from crm import work
from kyc.choices import IssueCode
from kyc.models import Document
from kyc.reviews import REVIEW
from kyc.tables import DocumentQueueTable
from kyc.urgency.order import refresh_order
from tests.kyc.test_limits import a_document
from trading.models import TradingFacts

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def doc(client, **fields):
    return a_document(client, **{"kind": "other", "uploaded_at": NOW, **fields})


def placed(document):
    """By how many hours a document is brought forward."""
    document.refresh_from_db()
    return (document.work.due_at - document.urgent_at) / HOUR


@pytest.mark.parametrize(
    ("equity", "net", "risk", "flaw", "hours"),
    [
        (0, 0, "low", "", 0),
        (999, 0, "low", "GLARE", 0),
        (1_000, 0, "low", "", 2),
        (0, 10_000, "unrated", "", 8),
        (49_999, 20, "medium", "", 10),
        (50_000, 0, "high", IssueCode.IMAGE_DUPLICATE, 28),
        (-5, 0, "low", IssueCode.EDITED, 4),
    ],
)
def test_hours_add_up(cast, equity, net, risk, flaw, hours):
    TradingFacts.objects.update_or_create(client=cast.client, defaults={"equity": Decimal(equity)})
    cast.client.net_deposits, cast.client.risk_rating = Decimal(net), risk
    cast.client.save()
    document = doc(cast.client, flaw=flaw)
    assert refresh_order() == 1 and placed(document) == hours
    assert document.client_value == max(equity, net, 0)
    assert refresh_order() == 0  # nothing has moved: nothing is written


def test_next_and_the_list_take_the_most_urgent_first(cast, browse, django_assert_max_num_queries):
    early = doc(cast.client, uploaded_at=NOW - 6 * HOUR, flaw="GLARE")
    rich = doc(cast.other_client, uploaded_at=NOW, flaw="EXPIRED")
    TradingFacts.objects.update_or_create(client=cast.other_client, defaults={"equity": Decimal(60_000)})
    refresh_order()
    table = DocumentQueueTable(cast.mlro)
    assert [row.pk for row in table.page.rows] == [rich.pk, early.pk]
    work.set_priority(item_ids=[early.work_id], priority=3, actor=cast.mlro)
    assert [row.pk for row in DocumentQueueTable(cast.mlro).page.rows] == [early.pk, rich.pk]
    browser = browse(cast.kyc_officer)
    browser.get(reverse("kyc:queue"))
    with django_assert_max_num_queries(22):
        page = browser.get(reverse("kyc:queue") + "?flaw=EXPIRED&value=3&risk=unrated").content.decode()
    assert rich.get_absolute_url() in page and early.get_absolute_url() not in page
    assert "How the queue is ordered" in page and "?flaw=GLARE" in page
    for other in ("value=0", "flaw=GLARE", "country=JP", "asked=client"):
        assert rich.get_absolute_url() not in browser.get(f"{reverse('kyc:queue')}?{other}").content.decode(), other
    assert work.claim_next(REVIEW, actor=cast.kyc_officer) == early.work


def test_risk_moves_what_waits(cast):
    from crm import events
    from crm.events import RiskRated, publish

    document = doc(cast.client)
    refresh_order()
    cast.client.risk_rating = "high"
    cast.client.save()
    publish(RiskRated(rating="high", client_id=cast.client.pk, brand_id=cast.brand.pk))
    events.drain()
    assert placed(document) == 8
    assert Document.objects.filter(urgent_at__isnull=True, state="pending_review").count() == 0
