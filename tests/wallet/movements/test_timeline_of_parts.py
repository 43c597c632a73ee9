"""The client's timeline tells of a withdrawal in several parts once for each way it ends, with the parts in it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from clients.models import TimelineEntry
from crm import approvals, events
from crm.events import WithdrawalSettled, publish
from tests.portal.test_parts_told_once import fail, parts
from tests.wallet.conftest import outside  # noqa: F401 — a fixture
from wallet.choices.withdrawals import FindingKind
from wallet.models import PayoutFinding
from wallet.withdrawals import sending
from wallet.withdrawals.investigations import propose_outcome

__all__ = ["parts"]
pytestmark = pytest.mark.django_db


def told(cast) -> list[tuple[str, str]]:
    """What the timeline says of the withdrawal after it was asked for, oldest first."""
    rows = TimelineEntry.objects.filter(client=cast.client, title__startswith="Withdrawal ").order_by("at", "id")
    return [(row.title, row.body) for row in rows.exclude(title__startswith="Withdrawal requested")]


def listed(parts) -> str:
    return " · ".join(f"{part.reference} €{part.amount_minor // 100}.00" for part in parts)


def pay(outside, part) -> None:
    sending.send_payout(part.pk)
    outside.deliver(wait_for=1)
    events.drain()


def test_parts_that_are_paid_one_after_the_other_are_one_entry_that_grows(parts, cast, outside):
    pay(outside, parts[1])
    assert told(cast) == [("Withdrawal paid: €200.00", listed(parts[1:2]))]
    entry = TimelineEntry.objects.get(title="Withdrawal paid: €200.00")
    for part in (parts[0], parts[2]):
        pay(outside, part)
    assert told(cast) == [("Withdrawal paid: €600.00", listed(parts))]
    again = TimelineEntry.objects.get(pk=entry.pk)
    assert again.title == "Withdrawal paid: €600.00" and again.at == entry.at and again.is_visible_to_client
    with translation.override("de"):
        assert again.for_client["title"] == "Auszahlung ausgeführt: 600,00\xa0€", "the client reads German"
    part = parts[0]
    publish(
        WithdrawalSettled(
            client_id=part.client_id, brand_id=part.brand_id, withdrawal_id=part.pk, amount=part.amount, currency="EUR"
        )
    )
    events.drain()
    assert told(cast) == [("Withdrawal paid: €600.00", listed(parts))]


def test_what_was_paid_what_failed_and_what_came_back_later_are_an_entry_each(parts, cast, outside):
    for part in parts[1:]:
        fail(part, "account closed")
        events.drain()
    pay(outside, parts[0])
    failed = (
        "Withdrawal failed, money returned: €300.00 returned to the wallet",
        f"The receiving account is closed · {listed(parts[1:])}",
    )
    assert told(cast) == [failed, ("Withdrawal paid: €300.00", listed(parts[:1]))]
    finding = propose_outcome(
        withdrawal_id=parts[0].pk,
        kind=FindingKind.CAME_BACK,
        reason="Returned",
        actor=cast.finance,
        psp_reference="R-1",
    )
    approvals.approve(PayoutFinding, finding.pk, actor=cast.second_finance)
    events.drain()
    titles = [title for title, _body in told(cast)]
    assert titles[:2] == [failed[0], "Withdrawal paid: €300.00"] and len(titles) == 3 and "€300.00" in titles[2]


def test_the_timeline_of_a_split_withdrawal_takes_as_many_queries_as_before_it_was_paid(parts, cast, outside, browse):
    browser, page = browse(cast.finance), f"/clients/{cast.client.pk}/tab/timeline/"

    def count() -> int:
        browser.get(page)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page).status_code == 200
        return len(queries)

    few = count()
    for part in parts:
        pay(outside, part)
    assert count() <= few
    assert "Withdrawal paid: €600.00" in browser.get(page).content.decode()
