"""An account whose starting balance the platform keeps refusing says so to its trader and to staff, who send it again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crm import events, work
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from prop.challenges.phases import FUNDINGS_MAX, fund_phase
from prop.funding.deciding import decide_funding, fund_again
from prop.models import FundingFailure, PhaseAccount
from tests.cast import Cast, signed_in
from tests.prop.factories import make_version
from tests.prop.test_buy_challenge import buy, size_of
from tests.wallet.factories import fund
from trading.accounts.balance_operations import settle
from trading.choices import AccountState
from trading.models import BalanceOperation
from trading.platforms.errors import FinalError

pytestmark = pytest.mark.django_db


@pytest.fixture
def stuck(cast: Cast) -> PhaseAccount:
    """Bought, opened on the platform, and refused its balance as often as it is sent without a person."""
    fund(cast.client, 20_000)
    row = buy(cast, size_of(make_version(cast))).accounts.get()
    account = row.account
    account.state, account.login, account.opened_at = AccountState.OPEN, 7, timezone.now()
    account.save()
    fund_phase(account_id=account.pk)
    for _time in range(FUNDINGS_MAX):
        settle(BalanceOperation.objects.latest("pk").pk, problem=FinalError("market closed"))
        events.drain()
    return row


def test_everybody_reads_what_is_happening_and_staff_send_it_again(cast: Cast, stuck: PhaseAccount) -> None:
    assert BalanceOperation.objects.count() == FUNDINGS_MAX
    address = f"/portal/challenges/{stuck.challenge_id}/"
    assert "refused its starting balance" in signed_in(cast.client.user).get(address).content.decode()
    assert Notification.objects.filter(kind="prop.funding_failed", user=cast.finance).count() == 1
    assert AuditEvent.objects.filter(action="prop.funding_failed").count() == 1
    with pytest.raises(NotAllowed):
        fund_again(phase_account_id=stuck.pk, actor=cast.desk_head)
    staff, page = signed_in(cast.finance), f"/prop/challenges/{stuck.challenge_id}/"
    assert "Send balance again" in staff.get(page).content.decode()
    assert staff.post(page, {"fund_again": "1"}).status_code == 302
    assert fund_again(phase_account_id=stuck.pk, actor=cast.finance) == BalanceOperation.objects.latest("pk")
    assert BalanceOperation.objects.count() == FUNDINGS_MAX + 1


def test_a_refused_balance_is_work_with_a_clock_and_an_outcome(cast: Cast, stuck: PhaseAccount) -> None:
    fund_phase(account_id=stuck.account_id)  # reported a second time
    failure = FundingFailure.objects.get()
    assert (failure.attempts, failure.operation.error, failure.work.state) == (FUNDINGS_MAX, "market closed", "open")
    assert failure.work.due_at > failure.failed_at
    staff, page = signed_in(cast.finance), f"/prop/challenges/{stuck.challenge_id}/"
    listed = signed_in(cast.finance).get("/prop/challenges/", {"funding": "open"}).content.decode()
    assert page in listed
    work.claim(item_id=failure.work_id, actor=cast.administrator)
    with pytest.raises(NotAllowed):
        decide_funding(failure_id=failure.pk, outcome="sent", actor=cast.finance)
    work.release(item_id=failure.work_id, actor=cast.administrator)
    assert staff.post(page, {"funding": "1", "outcome": "closed", "reason": ""}).status_code == 422
    assert staff.post(page, {"funding": "1", "outcome": "sent", "reason": ""}).status_code == 302
    failure.refresh_from_db()
    assert (failure.state, failure.decided_by, failure.work.outcome) == ("sent", cast.finance, "sent")
    with pytest.raises(WrongState):
        decide_funding(failure_id=failure.pk, outcome="closed", reason="Late", actor=cast.finance)
    settle(BalanceOperation.objects.latest("pk").pk, problem=FinalError("market closed"))
    events.drain()
    assert list(FundingFailure.objects.order_by("pk").values_list("state", "attempts")) == [("sent", 5), ("open", 6)]


def test_closed_without_a_balance_it_can_still_be_sent(cast: Cast, stuck: PhaseAccount) -> None:
    failure = FundingFailure.objects.get()
    decide_funding(failure_id=failure.pk, outcome="closed", reason="Refunded by hand", actor=cast.finance)
    assert BalanceOperation.objects.count() == FUNDINGS_MAX
    assert AuditEvent.objects.filter(action="prop.funding_closed").count() == 1
    assert "Send balance again" in signed_in(cast.finance).get(stuck.get_absolute_url()).content.decode()
    fund_again(phase_account_id=stuck.pk, actor=cast.finance)
    assert BalanceOperation.objects.count() == FUNDINGS_MAX + 1


def test_an_account_that_waits_for_nothing_is_not_sent_money(cast: Cast) -> None:
    fund(cast.client, 20_000)
    row = buy(cast, size_of(make_version(cast))).accounts.get()
    with pytest.raises(WrongState):
        fund_again(phase_account_id=row.pk, actor=cast.finance)
    assert not BalanceOperation.objects.exists()


def test_a_programmes_account_type_is_not_offered_for_free(cast: Cast) -> None:
    version = make_version(cast)
    page = signed_in(cast.client.user).get("/portal/accounts/open/", {"type": version.account_type_id})
    assert page.status_code == 200 and page.context["chosen"] is None
    assert version.account_type.name not in [row.account_type.name for row in page.context.get("offers", [])]
