"""Partners take their money: into the wallet, on to a trading account or a bank; and their pages agree with themselves."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from compliance.models import ScreenedParty
from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from ib import engine, payouts, plans, rates, settlement
from ib.choices import PayoutTo
from ib.models import Payout, PayoutRequest, SettlementPeriod
from ib.partners import link_wallet
from ib.payouts import Destination
from ib.settlements.disputes import open_dispute, resolve_dispute
from tests.cast import PASSWORD
from tests.ib.factories import NOON, card, make_trade, make_version
from tests.ib.test_settlement_pages import agree
from tests.trading.factories import make_account
from tests.wallet.factories import make_psp
from wallet.ledger import posting
from wallet.models import Transfer, Withdrawal

pytestmark = pytest.mark.django_db
IBAN = "DE89370400440532013000"


@pytest.fixture
def paid(network, cast):
    """The sub's client made EUR 60.00 of commissions, credited; the sub's own record is the other client, verified."""
    engine.run_for_deals(deal_ids=[make_trade(network.account, lots="10")])
    period = SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    cast.other_client.kyc_level, cast.other_client.stage = 2, "active"
    cast.other_client.email_confirmed_at = timezone.now()
    cast.other_client.save()
    make_psp(cast.brand, "rhinebank", kind="bank", pays_out=True)
    link_wallet(partner_id=network.sub.pk, client_id=cast.other_client.pk, actor=cast.ib_manager, reason="agreed")
    network.sub.refresh_from_db()
    return network


def pay(network, **fields):
    return payouts.pay_out(
        **{
            "partner_id": network.sub.pk,
            "amount": Decimal("25.00"),
            "currency": "EUR",
            "request_key": "k1",
            "actor": network.sub.user,
            **fields,
        }
    )


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_partner_takes_a_payout_on_to_their_bank(paid, cast, browse):
    to = Destination(PayoutTo.BANK, bank_of(paid), {"iban": IBAN, "holder": cast.other_client.full_name})
    made = pay(paid, destination=to)
    withdrawal = Withdrawal.objects.get()
    assert (made.reference, withdrawal.client, withdrawal.amount_minor) == (
        withdrawal.reference,
        cast.other_client,
        2500,
    )
    assert settlement.balances_of(paid.sub) == {"EUR": Decimal("35.00")}
    assert pay(paid, destination=to).pk == made.pk and Withdrawal.objects.count() == 1  # sent twice, paid once
    assert payouts.states_of([made])[made.pk] == withdrawal.state
    assert AuditEvent.objects.filter(action="ib.commission_paid_out", actor=paid.sub.user).count() == 1
    answer = browse(paid.sub.user).get(reverse("partner_payouts"), {"export": "payouts"})
    head, line = b"".join(answer.streaming_content).decode().strip().splitlines()
    assert "Amount,Currency,Paid to,Reference" in head
    assert f"25.00000000,EUR,Bank account,{withdrawal.reference},{made.pk}" in line


def bank_of(network) -> str:
    found = [one for one in payouts.offers(network.sub, ["EUR"]) if one.destination.to == PayoutTo.BANK]
    assert len(found) == 1
    return found[0].destination.target


def test_a_partner_takes_a_payout_on_to_their_trading_account(paid, cast):
    account = make_account(cast.other_client, paid.account.server)
    made = pay(paid, destination=Destination(PayoutTo.ACCOUNT, str(account.pk)))
    transfer = Transfer.objects.get()
    assert (transfer.reference, transfer.amount_minor) == (made.reference, 2500)
    assert transfer.trading_account_id == account.pk


def test_a_refused_onward_payment_leaves_the_balance(paid, cast):
    foreign = make_account(cast.client, paid.account.server)
    usd = make_account(cast.other_client, paid.account.server, currency="USD")
    for target in (foreign, usd):
        with pytest.raises(DomainError, match="EUR"):
            pay(paid, destination=Destination(PayoutTo.ACCOUNT, str(target.pk)))
    cast.other_client.restrictions = ["no_withdrawal"]
    cast.other_client.save(update_fields=["restrictions"])
    with pytest.raises(DomainError):
        pay(paid, destination=Destination(PayoutTo.BANK, bank_of(paid), {"iban": IBAN, "holder": "x"}))
    assert settlement.balances_of(paid.sub) == {"EUR": Decimal("60.00")}
    assert not Payout.objects.exists() and not Withdrawal.objects.exists() and not Transfer.objects.exists()
    assert posting.balance(posting.wallet_of(cast.other_client, "EUR")) == 0


def test_a_payout_while_frozen_is_refused_in_words_and_taken_afterwards(paid, cast, browse):
    frozen = open_dispute(partner_id=paid.sub.pk, reason="Suspicious referrals", actor=cast.finance)
    with pytest.raises(WrongState, match="Your payouts are on hold"):
        pay(paid)
    page = browse(paid.sub.user).post(
        reverse("partner_payouts"), {"amount": "25", "currency": "EUR", "to": "wallet", "request_key": "k2"}
    )
    assert page.status_code == 422 and "Your payouts are on hold" in text_of(page)
    assert settlement.balances_of(paid.sub) == {"EUR": Decimal("60.00")} and not Payout.objects.exists()
    resolve_dispute(dispute_id=frozen.pk, answer="Cleared", actor=cast.finance)
    assert pay(paid).amount == 25 and settlement.balances_of(paid.sub) == {"EUR": Decimal("35.00")}


def test_a_payout_that_went_on_names_its_reference(paid):
    made = pay(paid)
    with pytest.raises(IntegrityError), transaction.atomic():
        Payout.objects.create(
            partner=paid.sub,
            request_key="x",
            amount=1,
            currency="EUR",
            journal_id=made.journal_id + 1,
            paid_at=timezone.now(),
            destination="bank:1",
        )


def test_the_partners_page_requests_a_bank_payout_after_the_password(paid, cast, browse):
    paid.sub.user.set_password(PASSWORD)
    paid.sub.user.save()
    browser, page = browse(paid.sub.user), reverse("partner_payouts")
    data = {
        "amount": "25.00",
        "currency": "EUR",
        "to": f"bank:{bank_of(paid)}",
        "iban": IBAN,
        "holder": cast.other_client.full_name,
        "request_key": "p1",
    }
    answer = browser.post(page, {**data, "iban": "DE00", "holder": ""})
    assert answer.status_code == 422 and "valid IBAN" in text_of(answer) and 'value="25.00"' in answer.content.decode()
    answer = browser.post(page, data)
    assert answer["Location"].startswith("/accounts/reauthenticate/") and not Payout.objects.exists()
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert browser.post(page, data)["Location"] == page
    shown = text_of(browser.get(page))
    assert "Bank account" in shown and Withdrawal.objects.get().reference in shown
    assert "Paid to the wallet" not in shown and "Credited" in shown


def test_a_partner_without_a_wallet_learns_whom_to_ask(network, browse):
    page = browse(network.sub.user).get(reverse("partner_payouts")).content.decode()
    assert "No wallet linked" in page and f"mailto:{network.sub.brand.support_email}" in page


def test_staff_link_a_partners_wallet_once(network, cast, browse):
    page = reverse("ib_partner_wallet", args=[network.top.pk])
    browser = browse(cast.ib_manager)
    answer = browser.post(page, {"client": 999_999, "reason": "theirs"})
    assert "No client with this number in your books" in answer.content.decode()
    with pytest.raises(DomainError, match="No client"):  # of another brand
        foreign = type(cast.client).objects.create(
            brand=cast.other_brand, book=cast.other_book, email="x@y.example", created_at=timezone.now()
        )
        link_wallet(partner_id=network.top.pk, client_id=foreign.pk, actor=None, reason="")
    with pytest.raises(NotAllowed):
        link_wallet(partner_id=network.top.pk, client_id=cast.client.pk, actor=cast.agent, reason="x")
    assert browser.post(page, {"client": cast.client.pk, "reason": "theirs"}).status_code == 302
    with pytest.raises(WrongState):
        link_wallet(partner_id=network.top.pk, client_id=cast.client.pk, actor=cast.ib_manager, reason="another")
    assert AuditEvent.objects.filter(action="ib.wallet_linked").count() == 1
    assert ScreenedParty.objects.get(client=cast.client, role="partner").name == network.top.name


def test_the_rates_are_those_of_the_plan_that_rules(network, cast, browse):
    """A trade of a sub-partner's client is paid by the sub-partner's plan: that is what the table shows for its level."""
    other = make_version(
        cast.brand, cast.ib_manager, cast.finance, rate_card=card({"crypto": "2"}, {1: "0.5", 2: "0.25"})
    )
    plans.assign_plan(partner_id=network.master.pk, plan_id=other.plan_id, actor=None)
    found = rates.rates_of(network.top)
    assert found is not None
    assert [(one.level, one.version.plan_id) for one in found.columns] == [
        (1, network.version.plan_id),
        (2, other.plan_id),
        (3, network.version.plan_id),
    ]
    assert dict(found.rows)["Crypto"] == [None, Decimal("0.50"), None]
    page = text_of(browse(network.top.user).get(reverse("partner_home")))
    assert "No rate in this plan" in page and "trades in it aren't paid" in page
    assert "Your rates per lot" in page and other.plan.name in page and "partner who referred them" in page


def test_a_payout_above_the_limit_waits_for_a_second_person(paid, cast):
    agree(cast, paid.sub, approval_above=Decimal(30))
    to = Destination(PayoutTo.BANK, bank_of(paid), {"iban": IBAN, "holder": cast.other_client.full_name})
    item = pay(paid, amount=Decimal("30.01"), destination=to)
    assert (
        isinstance(item, PayoutRequest) and not Payout.objects.exists() and IBAN not in str(bytes(item.sealed_details))
    )
    assert pay(paid, amount=Decimal("30.01"), destination=to) == item  # the form sent twice
    with pytest.raises(NotAllowed):
        approvals.approve(PayoutRequest, item.pk, actor=cast.ib_manager)
    approvals.approve(PayoutRequest, item.pk, actor=cast.finance)
    made = Payout.objects.get()
    assert (made.amount, made.reference) == (Decimal("30.01"), Withdrawal.objects.get().reference)
    assert settlement.balances_of(paid.sub) == {"EUR": Decimal("29.99")}
    with pytest.raises(WrongState):
        approvals.approve(PayoutRequest, item.pk, actor=cast.finance)
    assert Payout.objects.count() == 1


def test_many_small_payouts_do_not_get_past_the_limit(paid, cast):
    agree(cast, paid.sub, approval_above=Decimal(30))
    assert isinstance(pay(paid, amount=Decimal(20), request_key="a"), Payout)
    assert isinstance(pay(paid, amount=Decimal(10), request_key="b"), Payout)
    assert isinstance(pay(paid, amount=Decimal("0.01"), request_key="c"), PayoutRequest)


def test_a_request_that_the_balance_no_longer_covers_is_refused_on_approval(paid, cast, browse):
    agree(cast, paid.sub, approval_above=Decimal(40))
    item = pay(paid, amount=Decimal(50), request_key="big")
    pay(paid, amount=Decimal(20), request_key="small")
    with pytest.raises(DomainError, match="Your balance is"):
        approvals.approve(PayoutRequest, item.pk, actor=cast.finance)
    approvals.reject(PayoutRequest, item.pk, actor=cast.finance, note="Balance too small")
    assert "Balance too small" in text_of(browse(paid.sub.user).get(reverse("partner_payouts")))
    assert settlement.balances_of(paid.sub) == {"EUR": Decimal("40.00")}


def test_a_partner_withdraws_their_own_request(paid, cast, browse):
    agree(cast, paid.sub, approval_above=Decimal(40))
    item = pay(paid, amount=Decimal(50))
    address = reverse("partner_payout_withdraw", args=[item.pk])
    assert browse(paid.master.user).post(address).status_code == 404
    browse(paid.sub.user).post(address)
    item.refresh_from_db()
    assert item.state == "withdrawn" and not Payout.objects.exists()
