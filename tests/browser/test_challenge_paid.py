"""A challenge on a phone: passed, funded and paid; another one breached, with its evidence; a breach appealed and upheld."""

from __future__ import annotations

import datetime as dt

from crm import approvals, events
from crm.models import WorkProposal
from prop.challenges.reviews import decide_phase
from prop.choices import ChallengeState, StageState
from prop.judge import live
from prop.models import Appeal, ChallengePayout, PhaseAccount
from prop.payouts.reviews import decide_payout
from tests.browser.people import enter
from tests.prop.appeals.test_appeals import breached
from tests.prop.factories import make_version
from tests.prop.judge.running import NOON, show
from tests.prop.payouts.world import earn
from tests.prop.test_buy_challenge import buy, size_of
from tests.wallet.factories import fund
from trading.accounts.balance_operations import settle
from trading.choices import AccountState
from trading.models import BalanceOperation, SyncCursor


def run(row: PhaseAccount, login: int) -> PhaseAccount:
    """The account is open and its balance booked: what the platform's answers do."""
    account = row.account
    account.state, account.login, account.opened_at = AccountState.OPEN, login, NOON
    account.save()
    row.state, row.started_at = StageState.RUNNING, NOON - dt.timedelta(hours=1)
    row.save()
    SyncCursor.objects.get_or_create(
        server=account.server, kind="deals", defaults={"read_at": NOON + dt.timedelta(days=400)}
    )
    return row


def test_passed_funded_and_paid_at_phone_width(open_page, live_server, cast):
    fund(cast.client, 20_000)
    cast.client.kyc_level = 2
    cast.client.save(update_fields=["kyc_level"])
    challenge = buy(cast, size_of(make_version(cast, "one-step")))
    first = run(challenge.accounts.get(), 7001)
    for day in range(3):
        earn(first, day * 86_400, start=10_000 + 400 * day, profit=400)
    first.refresh_from_db()
    page = open_page(width=390, height=844)
    enter(page, cast.client.user)
    page.goto(f"/portal/challenges/{challenge.pk}/")
    page.get_by_text("Target reached").first.wait_for()
    decide_phase(phase_account_id=first.pk, outcome="passed", actor=cast.finance)
    funded = run(challenge.accounts.get(phase__is_funded=True), 7002)
    challenge.refresh_from_db()
    challenge.state = ChallengeState.FUNDED
    challenge.save(update_fields=["state"])
    earn(funded, 10 * 86_400, start=10_000, profit=500)
    page.reload()
    page.get_by_text("Verification page").wait_for()
    page.get_by_role("button", name="Request payout").click()
    page.get_by_text("Payout requested. We review it now.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    payout = ChallengePayout.objects.get()
    decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.finance)
    approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=cast.second_finance)
    operation = BalanceOperation.objects.get(account=funded.account)
    operation.move_to("sent")
    operation.sent_at = NOON
    operation.save()
    settle(operation.pk, ticket=99)
    events.drain()
    page.reload()
    page.get_by_text("€400.00").first.wait_for()
    page.get_by_text("Paid", exact=True).first.wait_for()
    page.goto("/portal/wallet/")
    page.get_by_text("€600.00").first.wait_for()  # 200 − 99 + 400 + 99 refunded


def test_breached_with_its_evidence_and_a_reset_offered(open_page, live_server, cast):
    fund(cast.client, 20_000)
    challenge = buy(cast, size_of(make_version(cast)))
    row = run(challenge.accounts.get(), 7001)
    show(row, 0, "10000", "10000")
    live.judge_account(row.pk)
    show(row, 10, "10000", "9499.99")
    live.judge_account(row.pk)
    page = open_page()
    enter(page, cast.client.user)
    page.goto(f"/portal/challenges/{challenge.pk}/")
    page.get_by_text("Rule breached").first.wait_for()
    page.get_by_text("equity was €9,499.99; the limit was €9,500.00.").wait_for()
    page.get_by_role("button", name="Reset for €89.00").click()
    page.get_by_text("Challenge reset. Your new account is being opened.").wait_for()
    assert challenge.accounts.count() == 2


def test_a_breach_is_appealed_on_the_phone_and_upheld_at_the_desk(open_page, live_server, cast):
    lost = breached(cast)
    phone = open_page(width=390, height=844)
    enter(phone, cast.client.user)
    phone.goto(f"/portal/challenges/{lost.challenge_id}/")
    phone.get_by_role("link", name="Appeal decision").click()
    phone.get_by_text("€9,400.00").wait_for()
    phone.get_by_label("Reason").fill("The quote at 14:03 was an error.")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="File appeal").click()
    phone.get_by_text("Your appeal is being reviewed").wait_for()
    desk = open_page()
    enter(desk, cast.finance)
    desk.goto(Appeal.objects.get().get_absolute_url())
    desk.get_by_text("The quote at 14:03 was an error.").wait_for()
    desk.get_by_text("€9,600.00").first.wait_for()  # the sample before the breach
    desk.get_by_role("radio", name="Uphold").check()
    desk.get_by_label("Answer").fill("Our feed had a false quote.")
    desk.get_by_role("button", name="Record decision").click()
    desk.get_by_text("Upheld").first.wait_for()
    phone.reload()
    phone.get_by_text("Our feed had a false quote.").wait_for()
    phone.get_by_text("Your account is being opened").wait_for()
    assert lost.challenge.accounts.count() == 2
