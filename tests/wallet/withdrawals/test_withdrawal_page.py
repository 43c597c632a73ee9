"""The withdrawal's page: checks that need a person first, the client's facts beside the decision."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.hits import MATCH
from compliance.models import Hit, ListEntry
from crm.models import AccessEvent
from crm.work import open_item
from tests.cast import make_client
from tests.compliance.factories import load
from tests.days import now
from tests.wallet.withdrawals.test_withdrawal import IBAN, ask, paid_in, rich
from wallet.models import Withdrawal, WithdrawalCheck
from wallet.withdrawals.client_summary import checks_of, summary_of
from wallet.withdrawals.verbs import reject_withdrawal

__all__ = ["rich"]
pytestmark = pytest.mark.django_db


def shown(browser, withdrawal):
    answer = browser.get(f"/money/withdrawals/{withdrawal.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_passed_checks_are_folded_and_counted(rich, outside, browse):
    page = shown(browse(rich.finance), ask(rich, outside))
    assert "17 of 17 passed" in page and '<details class="w-passed">' in page and "w-raised" not in page


def test_what_was_raised_stands_first_and_open(rich, outside, browse):
    withdrawal = ask(rich, outside)
    WithdrawalCheck.objects.filter(withdrawal=withdrawal, name="churn").update(outcome="review", reason="Paid in today")
    WithdrawalCheck.objects.filter(withdrawal=withdrawal, name="funds").update(outcome="stop", reason="Not enough")
    checks = checks_of(withdrawal.checks.all())
    assert [check.name for check in checks.raised] == ["funds", "churn"]
    assert (len(checks.passed), checks.total) == (15, 17)
    page = shown(browse(rich.finance), withdrawal)
    assert page.index("Paid in today") < page.index("15 of 17 passed")
    assert page.index("Not enough") < page.index('<details class="w-passed">')


def test_the_clients_money_is_beside_the_decision(rich, outside, browse):
    withdrawal = ask(rich, outside)
    rich.client.net_deposits = 1000
    rich.client.save()
    page = shown(browse(rich.finance), withdrawal)
    facts = page.split('class="card w-client"')[1].split("</section>")[0]
    for text in ("Deposited", "€1,000.00", "Net deposits", "Lifetime P/L", "KYC level 2", "Proof of identity"):
        assert text in facts
    assert "Never paid before" in facts and "No other open withdrawals" in facts
    assert "D-" in facts and withdrawal.reference not in facts
    assert AccessEvent.objects.filter(kind="view", client_id=rich.client.pk).count() == 1


def test_a_shared_payout_account_is_a_warning(rich, outside, browse):
    stranger = make_client(brand=rich.brand, book=rich.book, email="s@example.com", kyc_level=2)
    withdrawal = ask(rich, outside)
    Withdrawal.objects.filter(pk=withdrawal.pk).update(client=stranger)
    again = ask(rich, outside, "50", key="k2", destination=IBAN)
    again.client.refresh_from_db()
    summary = summary_of(rich.finance, again)
    assert (summary.payout.other_clients, summary.payout.times_paid, summary.payout.is_new) == (1, 0, True)
    assert "Also used by 1 other client" in shown(browse(rich.finance), again)


def test_other_open_withdrawals_are_listed_until_they_end(rich, outside):
    first, second = ask(rich, outside, "20"), ask(rich, outside, "30", key="k2")
    assert [row.pk for row in summary_of(rich.finance, second).others] == [first.pk]
    reject_withdrawal(withdrawal_id=first.pk, actor=rich.finance, reason="Twice")
    assert summary_of(rich.finance, second).others == []


def test_open_matches_are_for_those_who_may_know(rich, outside, tmp_path):
    withdrawal = ask(rich, outside)
    load(tmp_path, {"first": "Clara", "second": "WEBER"})
    screening = rich.client.screenings.create(
        at=now(), trigger="manual", matcher_version="1", threshold=Decimal("0.9"), client_hash="x"
    )
    hit = Hit.objects.create(
        screening=screening,
        client=rich.client,
        entry=ListEntry.objects.get(),
        client_hash="x",
        entry_hash="y",
        score=Decimal("0.95"),
        found_at=now(),
        work=open_item(MATCH, client_id=rich.client.pk, brand=rich.client.brand, opened_at=now()),
    )
    assert [match.pk for match in summary_of(rich.mlro, withdrawal).matches] == [hit.pk]
    assert summary_of(rich.support, withdrawal).matches == []


def test_the_facts_take_a_bounded_number_of_queries(rich, outside):
    withdrawal = ask(rich, outside)
    for number in range(6):
        paid_in(rich.client, outside.psp, 1_000 + number)
        ask(rich, outside, "10", key=f"more{number}")
    withdrawal = Withdrawal.objects.select_related("client__brand").get(pk=withdrawal.pk)
    summary_of(rich.finance, withdrawal)
    with CaptureQueriesContext(connection) as queries:
        summary = summary_of(rich.finance, withdrawal)
    assert len(queries) <= 9
    assert len(summary.movements) == 5 and len(summary.others) == 5
