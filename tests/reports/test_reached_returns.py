"""What an e-mail to many and an automation brought, on their pages: by hand counts, for who may see it."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Message
from leads.models import AutomationRun, BulkChange
from reports.models import ClientDay
from tests.cast import make_client
from tests.leads.automations.test_runs import live, task
from tests.reports.test_reports import text_of
from tests.trading.factories import make_account, make_server
from trading.models import AccountResult

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(cast):
    """Four people: what they paid in ten days ago, three days ago and, one of them, forty days after the first."""
    rows = [cast.client] + [
        make_client(brand=cast.brand, book=cast.book, email=f"p{n}@web.de", login=False) for n in range(3)
    ]
    today = timezone.now().date()
    for client, back, ftds, deposits in (
        (rows[0], 10, 1, 900),
        (rows[0], 3, 0, 500),
        (rows[1], 3, 1, 70),
        (rows[2], 3, 1, 8_000),
    ):
        ClientDay.objects.create(
            client_id=client.pk,
            day=today - dt.timedelta(days=back),
            brand_id=cast.brand.pk,
            desk_id=cast.desk.pk,
            book_id=client.book_id,
            country="DE",
            campaign="",
            source="",
            first_deposits=ftds,
            deposits=deposits,
            withdrawals=20,
        )
    account = make_account(rows[0], make_server())
    for back, net in ((10, -5_000), (2, -33)):
        day = today - dt.timedelta(days=back)
        AccountResult.objects.create(
            account=account, period="d", start=day, trades=1, wins=0, lots=1, net=net, net_base=net
        )
    return rows


def cells(text: str, *parts: str) -> bool:
    return " ".join(parts) in " ".join(text.split())


def test_an_automation_shows_what_each_group_brought(cast, people, browse, django_assert_max_num_queries):
    """Only what came after each of them entered, and of its 30 days; who is watched only hasn't entered."""
    row = live(cast, task())
    now = timezone.now()
    for client, back, variant, is_watching in (
        (people[0], 5, "a", False),
        (people[0], 2, "b", False),
        (people[1], 40, "b", False),
        (people[2], 5, "b", True),
        (people[3], 5, "b", False),
    ):
        at = now - dt.timedelta(days=back)
        AutomationRun.objects.create(
            automation=row,
            version=row.version,
            client=client,
            variant=variant,
            is_watching=is_watching,
            trigger_key=str(back),
            entered_at=at,
            state="active" if is_watching else "finished",
            finished_at=None if is_watching else at,
        )
    browser, address = browse(cast.marketing), row.get_absolute_url() + "?cards=1"
    assert address in browser.get(row.get_absolute_url()).content.decode()
    with django_assert_max_num_queries(12):
        text = text_of(browser.get(address))
    assert "Returns within 30 days" in text
    assert cells(text, "Group A 1 0 €500 €480 €33"), text
    assert cells(text, "Group B 2 0 €0 €0 €0"), text
    assert "Revenue" not in text_of(browse(cast.desk_head).get(address))


def test_an_email_to_many_shows_what_its_readers_brought(cast, people, browse):
    sent = timezone.now() - dt.timedelta(days=5)
    messages = [
        Message.objects.create(
            client=client,
            language="en",
            to_address=client.email,
            subject="News",
            body="Hello",
            state=state,
            sent_at=sent if state == "sent" else None,
        )
        for client, state in ((people[0], "sent"), (people[1], "sent"), (people[2], "undone"))
    ]
    change = BulkChange.objects.create(
        kind="mail",
        options={"subject": "News", "message": "Hello"},
        changes=[[message.client_id, message.pk] for message in messages],
        made_by=cast.desk_head,
    )
    address = reverse("leads_bulk_result", args=[change.pk])
    assert f"{address}?cards=1" in browse(cast.desk_head).get(address).content.decode()
    text = text_of(browse(cast.desk_head).get(address, {"cards": 1}))
    assert cells(text, "People FTDs Deposits Net 2 1 €570 €530"), text
    row = BulkChange.objects.create(
        kind="status", options={"status": "contacted"}, changes=[[people[0].pk, "new"]], made_by=cast.desk_head
    )
    other = reverse("leads_bulk_result", args=[row.pk])
    assert "?cards=1" not in browse(cast.desk_head).get(other).content.decode()
