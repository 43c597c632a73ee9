"""Many withdrawals with one confirmation: shown first, then exactly that, each on its own, once."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.errors import NotAllowed
from tests.brand_policies import set_policies
from tests.wallet.conftest import load_rates
from tests.wallet.factories import at_once, fund, make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, paid_in
from wallet.ledger.verification import verify
from wallet.models import ApprovalBatch, Withdrawal
from wallet.withdrawals import batches
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, cancel_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db
QUEUE = "/money/withdrawals/"


@pytest.fixture
def psp(cast):
    load_rates()
    return make_psp(cast.brand)


@pytest.fixture
def rich(cast, psp):
    cast.client.kyc_level = 2
    cast.client.save()
    paid_in(cast.client, psp, 100_000)
    return cast


def ask(cast, psp, amount: str, *, actor=None) -> Withdrawal:
    return request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(amount), currency="EUR", destination=IBAN),
        request_key=f"{amount}",
        actor=actor or cast.client_user,
    )


def confirmed(lines, actor, key="k") -> dict[str, str]:
    marks = {line.withdrawal.pk: line.mark for line in lines if line.plan}
    batch = batches.confirm(key=key, marks=marks, actor=actor)
    return {line["reference"]: line["result"] for line in batch.lines}


def test_the_preview_says_what_would_happen_and_why_not(rich, psp):
    small, large, own = ask(rich, psp, "50"), ask(rich, psp, "200"), ask(rich, psp, "60", actor=rich.finance)
    lines = {line.withdrawal.pk: line for line in batches.preview([small, large, own], actor=rich.finance)}
    assert (lines[small.pk].plan, lines[large.pk].plan, lines[own.pk].plan) == ("release", "first", "")
    assert "someone else" in lines[own.pk].refusals[0]
    assert [str(money) for money in batches.currency_totals(list(lines.values()))] == ["250.00 EUR"]
    (total,) = batches.totals(list(lines.values()))
    assert (str(total.leaves), total.is_covered) == ("50.00 EUR", False), "the test's PSP holds nothing by our books"
    rich.client.restrictions = ["frozen"]
    rich.client.save()
    stopped = batches.preview([small], actor=rich.finance)[0]
    assert not stopped.plan and "contact support" in stopped.refusals[0]
    with pytest.raises(NotAllowed):
        batches.preview([small], actor=rich.agent)


def test_one_confirmation_approves_each_as_it_was_shown(rich, psp):
    small, large = ask(rich, psp, "50"), ask(rich, psp, "200")
    lines = batches.preview([small, large], actor=rich.finance)
    assert confirmed(lines, rich.finance) == {small.reference: "release", large.reference: "first"}
    small.refresh_from_db()
    large.refresh_from_db()
    assert (small.state, large.state, large.reviewed_by) == ("approved", "awaiting_second_approval", rich.finance)
    assert verify().holds


def test_what_changed_since_the_preview_is_left_alone(rich, psp):
    first, second, third = (ask(rich, psp, amount) for amount in ("200", "60", "70"))
    lines = batches.preview([first, second, third], actor=rich.finance)
    approve_withdrawal(withdrawal_id=first.pk, actor=rich.second_finance)
    cancel_withdrawal(withdrawal_id=second.pk, actor=rich.client_user)
    rich.client.restrictions = ["no_withdrawal"]
    rich.client.save()
    assert confirmed(lines, rich.finance) == {
        first.reference: "changed",
        second.reference: "changed",
        third.reference: "refused",
    }
    assert {row.state for row in Withdrawal.objects.all()} == {"awaiting_second_approval", "cancelled", "requested"}


def test_the_same_confirmation_twice_is_one_batch(rich, psp):
    large = ask(rich, psp, "200")
    lines = batches.preview([large], actor=rich.finance)
    assert confirmed(lines, rich.finance) == confirmed(lines, rich.finance) == {large.reference: "first"}
    assert ApprovalBatch.objects.count() == 1
    large.refresh_from_db()
    assert large.state == "awaiting_second_approval"


@pytest.mark.django_db(transaction=True)
def test_a_double_click_at_the_same_moment_approves_once(rich, psp):
    wanted = [ask(rich, psp, amount) for amount in ("40", "50", "60")]
    lines = batches.preview(wanted, actor=rich.finance)
    at_once(lambda _number: confirmed(lines, rich.finance), 4)
    batch = ApprovalBatch.objects.get()
    assert {line["result"] for line in batch.lines} == {"release"} and batch.finished_at
    assert set(Withdrawal.objects.values_list("state", flat=True)) == {"approved"}


def test_finance_goes_through_the_pages(rich, psp, browse):
    small, large = ask(rich, psp, "50"), ask(rich, psp, "200")
    browser = browse(rich.finance)
    assert "Approve…" in browser.get(QUEUE).content.decode()
    shown = browser.post(reverse("wallet:withdrawal_batch"), {"ids": [small.pk, large.pk]}).content.decode()
    assert "2 requests can be approved" in shown and "Will be released" in shown and "second approval required" in shown
    assert "Exceeds PSP balance" in shown
    form = {
        "key": re.search(r'name="key" value="([^"]+)"', shown)[1],
        "lines": re.findall(r'name="lines" value="([^"]+)"', shown),
    }
    answer = browser.post(reverse("wallet:withdrawal_batch_confirm"), form)
    assert browser.post(reverse("wallet:withdrawal_batch_confirm"), form)["Location"] == answer["Location"]
    page = browser.get(answer["Location"]).content.decode()
    assert "2 of 2 approved" in page and "Released to the PSP." in page
    assert browse(rich.second_finance).get(answer["Location"]).status_code == 404
    assert browse(rich.agent).post(reverse("wallet:withdrawal_batch"), {"ids": [small.pk]}).status_code == 403


def test_the_preview_takes_the_same_number_of_queries_however_many_are_chosen(rich, psp, browse):
    rows = [ask(rich, psp, f"{40 + number}") for number in range(6)]
    browser = browse(rich.finance)
    browser.get("/profile/")

    def count(chosen) -> int:
        with CaptureQueriesContext(connection) as queries:
            browser.post(reverse("wallet:withdrawal_batch"), {"ids": [row.pk for row in chosen]})
        return len(queries)

    few = count(rows[:2])
    assert count(rows) <= few <= 25


def test_the_queue_has_a_line_per_request_and_then_one_per_part(rich, psp, browse):
    bank = make_psp(rich.brand, "sepalink", kind="bank")
    fund(rich.client, 50_000, key="profit")
    Withdrawal.objects.all().delete()
    withdrawal = request_withdrawal(
        client_id=rich.client.pk,
        request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal("1200"), currency="EUR", destination=IBAN),
        request_key="q",
        actor=rich.client_user,
    )
    other = Withdrawal.objects.get()
    other.pk, other.reference, other.part = None, f"{withdrawal.reference}-2", 2
    other.amount_minor, other.return_minor, other.psp = 20_000, 0, bank
    other.reservation_id = _another_reservation(rich, psp)
    Withdrawal.objects.update(amount_minor=100_000, return_minor=100_000)
    other.save(force_insert=True)
    shown = browse(rich.finance).get(QUEUE).content.decode()
    assert "€1,200.00" in shown and "and others" in shown and other.reference not in shown
    brand = rich.brand
    set_policies(brand, withdrawal_sla_hours=2)
    Withdrawal.objects.update(requested_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=3))
    assert "tone-danger" in browse(rich.finance).get(QUEUE).content.decode()
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    approve_withdrawal(withdrawal_id=other.pk, actor=rich.second_finance)
    shown = browse(rich.finance).get(QUEUE).content.decode()
    assert "€1,000.00" in shown and "€200.00" in shown and other.reference in shown


def _another_reservation(cast, psp) -> int:
    from wallet.choices.ledger import JournalKind
    from wallet.ledger import posting

    line = posting.Line(posting.wallet_of(cast.client, "EUR"), -20_000)
    entry = posting.Entry(
        key="test:second",
        kind=JournalKind.WITHDRAWAL,
        brand_id=cast.brand.pk,
        lines=(line, posting.Line(posting.psp_clearing(psp, "EUR"), 20_000)),
    )
    return posting.reserve(entry).journal_id
