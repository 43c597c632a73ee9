"""One movement's whole story: everything that happened in one timeline, and the way to the next in the queue."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, paid_in
from wallet.models import WebhookMessage, Withdrawal
from wallet.movements.history import story_of
from wallet.withdrawals.verbs import WithdrawalRequest, reject_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def psp(cast):
    load_rates()
    for client in (cast.client, cast.other_client):
        client.kyc_level = 2
        client.save()
    return make_psp(cast.brand)


def request(cast, psp, number: int, amount: int = 50) -> Withdrawal:
    return request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(amount), currency="EUR", destination=IBAN),
        request_key=f"w{number}",
        actor=cast.client.user,
    )


def webhook(psp, reference: str, event: str, verdict: str = "accepted", state: str = "done") -> WebhookMessage:
    return WebhookMessage.objects.create(
        psp=psp,
        received_at=timezone.now(),
        body=b"{}",
        verdict=verdict,
        event_id=event,
        event_type=f"payout.{event}",
        state=state,
        reference=reference,
        outcome="Looked at",
    )


def test_states_checks_webhooks_and_journals_stand_in_one_timeline(cast, psp):
    paid_in(cast.client, psp, 100_000)
    withdrawal = request(cast, psp, 1)
    webhook(psp, withdrawal.reference, "captured")
    webhook(psp, withdrawal.reference, "again", verdict="duplicate", state="ignored")
    reject_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance, reason="Not theirs")
    lines = story_of(Withdrawal.objects.get(pk=withdrawal.pk)).lines
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    kinds = {line.kind for line in lines}
    assert kinds == {"step", "check", "webhook", "journal"}
    by_words = {str(line.words): line for line in lines}
    reserved = by_words["Money reserved in the ledger"]
    assert any("€50.00" in text and "debit" in text for text in reserved.body)
    assert "Reservation released" in by_words
    assert by_words["Webhook payout.again"].body == ["Duplicate · No action needed", "Looked at"]
    assert by_words["Withdrawal rejected; funds back in the wallet"].actor
    check = next(line for line in lines if line.kind == "check")
    assert "checks passed" in str(check.words)


def test_a_story_takes_a_fixed_number_of_queries(cast, psp, browse):
    paid_in(cast.client, psp, 100_000)
    withdrawal = request(cast, psp, 1)

    def count() -> int:
        browser = browse(cast.finance)
        browser.get("/profile/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse("wallet:withdrawal", args=[withdrawal.pk])).status_code == 200
        return len(queries)

    few = count()
    for number in range(6):
        webhook(psp, withdrawal.reference, f"e{number}")
    assert count() <= few <= 40


def test_links_are_only_for_those_who_may_follow_them(cast, psp, browse):
    paid_in(cast.client, psp, 100_000)
    withdrawal = request(cast, psp, 1)
    message = webhook(psp, withdrawal.reference, "captured")
    address = reverse("wallet:withdrawal", args=[withdrawal.pk])
    link = reverse("wallet:webhook", args=[message.pk])
    assert link in browse(cast.finance).get(address).content.decode()
    page = browse(cast.agent).get(address).content.decode()
    assert "Webhook payout.captured" in page and link not in page


def test_the_next_of_the_queue_is_one_key_away(cast, psp, browse):
    paid_in(cast.client, psp, 100_000)
    first, second, third = (request(cast, psp, number) for number in range(3))
    reject_withdrawal(withdrawal_id=second.pk, actor=cast.finance, reason="No")
    browser = browse(cast.finance)

    def go(pk: int, **query: str) -> str:
        return browser.get(reverse("wallet:neighbour", args=["withdrawal", pk]), query).url

    assert go(first.pk) == reverse("wallet:withdrawal", args=[third.pk])
    assert go(third.pk, way="back") == reverse("wallet:withdrawal", args=[first.pk])
    assert go(third.pk) == reverse("wallet:withdrawal_queue")
    assert go(second.pk) == reverse("wallet:withdrawal", args=[third.pk])  # decided: the list, not the queue
    assert 'data-story-key="j"' in browser.get(reverse("wallet:withdrawal", args=[first.pk])).content.decode()
    assert browser.get(reverse("wallet:neighbour", args=["nothing", 1])).status_code == 404
    assert browse(cast.other_agent).get(reverse("wallet:neighbour", args=["withdrawal", first.pk])).status_code == 404
