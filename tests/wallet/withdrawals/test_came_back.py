"""A payment that came back: our fee and the credit that it cost are given again or kept, as two people decide."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from crm import events
from crm.errors import DomainError
from crm.models import AuditEvent
from crm.security import audit
from tests.brand_policies import set_policies
from tests.kyc.categories.factories import categorise
from tests.wallet.bonuses.test_bonus import give, make_plan, pro
from tests.wallet.disputes.test_refund import finish, give_back
from tests.wallet.withdrawals.test_payout_findings import agreed, told
from tests.wallet.withdrawals.test_withdrawal import approved, rich, state, wallet
from tests.wallet.withdrawals.test_withdrawal_parts import mixed, offer
from wallet.bonuses import ending
from wallet.bonuses.granting import bonus_held
from wallet.bonuses.restoring import is_still_due
from wallet.choices.bonuses import BonusState, OnWithdrawal
from wallet.choices.ledger import AccountKind
from wallet.choices.withdrawals import FindingKind, WithdrawalState
from wallet.documents.invoices import issue_fee_invoices
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import BonusGrant, BonusRestoration, Deposit, FeeInvoice, PayoutFinding, Withdrawal
from wallet.withdrawals import sending

__all__ = ["mixed", "pro", "rich"]
pytestmark = pytest.mark.django_db
CAME_BACK = FindingKind.CAME_BACK


def paid(cast, outside) -> Withdrawal:
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SETTLED
    return withdrawal


@pytest.fixture
def with_fee(rich, outside) -> Withdrawal:
    """EUR 200.00 asked for, 197.50 paid, 2.50 our fee."""
    offer(outside.psp, payout_fee_basis_points=100, payout_fee_fixed_minor=50)
    return paid(rich, outside)


@pytest.fixture
def grant(rich, pro, outside) -> BonusGrant:
    """EUR 100 of credit, of which the fifth part went with the fifth part of the client's money."""
    rich.client.refresh_from_db()
    return give(rich, make_plan(rich, on_withdrawal=OnWithdrawal.PROPORTIONAL))


def fees(cast) -> int:
    return posting.balance(posting.house(AccountKind.FEES, brand_id=cast.brand.pk, currency="EUR"))


def policy(cast, **values) -> None:
    set_policies(cast.brand, **values)


def test_our_fee_is_kept_unless_somebody_says_why_it_goes_back(rich, with_fee):
    assert fees(rich) == 250
    with pytest.raises(DomainError, match="the brand's default"):
        told(rich, with_fee, CAME_BACK, returns_fee=True)
    finding = told(rich, with_fee, CAME_BACK, returns_fee=True, reason="Our bank mistyped the IBAN")
    assert finding.fee_returned_minor == 250
    agreed(rich, finding)
    assert (posting.balance(wallet(rich)), fees(rich)) == (100_000, 0)
    assert posting.balance(posting.psp_clearing(with_fee.psp, "EUR")) == 0
    with_fee.refresh_from_db()
    assert with_fee.reason == "€197.50 was returned, and our fee of €2.50 is refunded"
    known = AuditEvent.objects.get(action="wallet.withdrawal_came_back")
    assert audit.body_of(known)["after"]["terms_reason"] == "Our bank mistyped the IBAN"
    assert verify().holds


def test_a_brand_that_returns_fees_does_so_unless_somebody_says_why_not(rich, with_fee):
    policy(rich, payout_came_back_returns_fee=1)
    with pytest.raises(DomainError, match="the brand's default"):
        told(rich, with_fee, CAME_BACK, returns_fee=False)
    agreed(rich, told(rich, with_fee, CAME_BACK, amount=Decimal("190")))
    assert (posting.balance(wallet(rich)), fees(rich)) == (80_000 + 19_000 + 250, 0)
    assert verify().holds


def test_a_fee_that_nobody_paid_is_not_returned(rich, outside):
    withdrawal = paid(rich, outside)
    with pytest.raises(DomainError, match="no fee"):
        told(rich, withdrawal, CAME_BACK, returns_fee=True, reason="Goodwill")
    with pytest.raises(DomainError, match="No bonus was removed"):
        told(rich, withdrawal, CAME_BACK, restores_bonus=True, reason="Goodwill")


def test_verification_names_a_returned_fee_that_the_ledger_did_not_book(rich, with_fee):
    agreed(rich, told(rich, with_fee, CAME_BACK))
    PayoutFinding.objects.update(fee_returned_minor=250)
    assert [problem for problem in verify().problems if "what came back" in problem]
    with pytest.raises(IntegrityError, match="only_what_came_back_returns_fee_or_bonus"), transaction.atomic():
        PayoutFinding.objects.update(kind="paid")


def test_a_returned_fee_is_taken_off_the_invoice_of_its_month(rich, with_fee):
    agreed(rich, told(rich, with_fee, CAME_BACK, returns_fee=True, reason="Our mistake"))
    long_ago = timezone.now() - dt.timedelta(days=40)
    Withdrawal.objects.update(finished_at=long_ago)
    PayoutFinding.objects.update(decided_at=long_ago)
    day = timezone.localtime(long_ago).date()
    assert issue_fee_invoices(brand_id=rich.brand.pk, month=day, actor=rich.finance) == 1
    invoice = FeeInvoice.objects.get()
    assert invoice.totals == {"EUR": 0} and len(invoice.lines) == 2


def test_credit_that_the_payment_took_is_held_again_by_default(rich, grant, outside):
    withdrawal = paid(rich, outside)
    events.drain()
    assert bonus_held(rich.client, "EUR") == 8_000
    finding = told(rich, withdrawal, CAME_BACK)
    assert finding.restores_bonus
    agreed(rich, finding)
    grant.refresh_from_db()
    restored = BonusRestoration.objects.get()
    assert (grant.state, grant.burned_minor, bonus_held(rich.client, "EUR")) == (BonusState.ACTIVE, 0, 10_000)
    assert (restored.grant, restored.amount_minor) == (grant, 2_000)
    assert verify().holds
    events.drain()
    assert ending.burn_by_withdrawal(withdrawal.pk) == 0, "heard again, it takes nothing more"
    assert bonus_held(rich.client, "EUR") == 10_000 and verify().holds


def test_only_the_part_that_came_back_restores_credit_and_an_ended_bonus_lives_again(rich, pro, outside):
    rich.client.refresh_from_db()
    grant = give(rich, make_plan(rich, on_withdrawal=OnWithdrawal.ALL))
    withdrawal = paid(rich, outside)
    events.drain()
    grant.refresh_from_db()
    assert grant.state == BonusState.BURNED
    agreed(rich, told(rich, withdrawal, CAME_BACK, amount=Decimal("150")))
    grant.refresh_from_db()
    assert (grant.state, grant.held_minor, grant.finished_at) == (BonusState.ACTIVE, 7_500, None)
    assert verify().holds


def test_credit_stays_lost_where_two_people_say_so(rich, grant, outside):
    withdrawal = paid(rich, outside)
    events.drain()
    with pytest.raises(DomainError, match="the brand's default"):
        told(rich, withdrawal, CAME_BACK, restores_bonus=False)
    agreed(rich, told(rich, withdrawal, CAME_BACK, restores_bonus=False, reason="Somebody else's account"))
    assert bonus_held(rich.client, "EUR") == 8_000 and not BonusRestoration.objects.exists() and verify().holds


def test_a_payment_that_comes_back_before_its_event_was_heard_takes_and_restores_the_same(rich, grant, outside):
    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    outside.wait_for(1)
    sending.look_up_payout(withdrawal.pk)
    assert state(withdrawal) == WithdrawalState.SETTLED and bonus_held(rich.client, "EUR") == 10_000
    agreed(rich, told(rich, withdrawal, CAME_BACK, restores_bonus=None))
    events.drain()
    # At the time of writing nothing was lost yet: the brand's default had nothing to restore, and the loss stays.
    assert bonus_held(rich.client, "EUR") == 8_000 and verify().holds


@pytest.mark.parametrize("how", ["taken_away", "expired", "banned"])
def test_credit_that_ended_otherwise_meanwhile_is_not_given_again(rich, grant, outside, how):
    withdrawal = paid(rich, outside)
    events.drain()
    if how == "taken_away":
        ending.take_bonus_away(grant_id=grant.pk, actor=rich.finance, reason="Abuse")
    elif how == "expired":
        BonusGrant.objects.update(expires_at=timezone.now())
        ending.end_in_time(grant.pk)
    else:
        categorise(rich.client.pk, "retail")
        Client.objects.filter(pk=rich.client.pk).update(country="DE")
    with pytest.raises(DomainError):
        told(rich, withdrawal, CAME_BACK, restores_bonus=True, reason="Goodwill")
    finding = told(rich, withdrawal, CAME_BACK)
    assert not finding.restores_bonus
    agreed(rich, finding)
    assert verify().holds


def test_what_changed_between_the_two_people_is_refused_in_words(rich, grant, outside):
    withdrawal = paid(rich, outside)
    events.drain()
    finding = told(rich, withdrawal, CAME_BACK)
    ending.take_bonus_away(grant_id=grant.pk, actor=rich.finance, reason="Abuse")
    with pytest.raises(DomainError, match="can't be restored"):
        agreed(rich, finding)
    assert state(withdrawal) == WithdrawalState.SETTLED and verify().holds


def test_a_refund_that_came_back_restores_the_bonus_of_its_deposit(mixed, pro, cast, outside):
    plan = make_plan(cast)
    cast.client.refresh_from_db()
    grant = give(cast, plan)
    BonusGrant.objects.update(deposit=mixed)
    refund = give_back(cast, mixed)
    finish(cast, outside, refund)
    events.drain()
    assert bonus_held(cast.client, "EUR") == 6_667
    agreed(cast, told(cast, refund, CAME_BACK))
    grant.refresh_from_db()
    assert (grant.burned_minor, bonus_held(cast.client, "EUR")) == (0, 10_000)
    assert verify().holds


@pytest.mark.parametrize(
    ("state", "given_again", "is_due"),
    [("settled", None, True), *((gone, pk, pk == 7) for gone in ("refunded", "charged_back") for pk in (None, 7, 8))],
)
def test_a_bonus_is_due_while_its_deposit_is_there_or_comes_back(state, given_again, is_due):
    grant = BonusGrant(state=BonusState.ACTIVE, deposit=Deposit(pk=7, state=state))
    assert is_still_due(grant, given_again) is is_due


@pytest.mark.parametrize(("seconds", "is_due"), [(-1, False), (0, False), (1, True)])
def test_a_bonus_is_due_until_the_instant_at_which_it_expires(seconds, is_due):
    with time_machine.travel(timezone.now(), tick=False):
        grant = BonusGrant(state=BonusState.ACTIVE, expires_at=timezone.now() + dt.timedelta(seconds=seconds))
        assert is_still_due(grant) is is_due
        assert not is_still_due(BonusGrant(state=BonusState.EXPIRED))


def test_verification_names_more_credit_than_was_taken(rich, grant, outside):
    withdrawal = paid(rich, outside)
    events.drain()
    agreed(rich, told(rich, withdrawal, CAME_BACK))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE wallet_bonusrestoration DISABLE TRIGGER USER")
        cursor.execute("UPDATE wallet_bonusrestoration SET amount_minor = amount_minor + 1")
        cursor.execute("ALTER TABLE wallet_bonusrestoration ENABLE TRIGGER USER")
    assert [problem for problem in verify().problems if "restored when" in problem]


def test_the_choice_is_made_and_seen_on_the_payments_page(rich, grant, with_fee, browse):
    events.drain()
    page, say = (reverse(f"wallet:{name}", args=[with_fee.pk]) for name in ("withdrawal", "payout_finding_propose"))
    first, second = browse(rich.finance), browse(rich.second_finance)
    shown = first.get(page).content.decode()
    assert "Return it: €2.50" in shown and f"Restore it: {grant} €20.00" in shown
    form = {
        "finding-kind": "came_back",
        "finding-reason": "Returned",
        "finding-psp_reference": "B1",
        "finding-returns_fee": "yes",
        "finding-restores_bonus": "yes",
    }
    wrong = first.post(say, form)
    assert wrong.status_code == 422 and "differ from the brand" in wrong.content.decode()
    assert first.post(say, {**form, "finding-terms_reason": "Our mistake"}).status_code == 302
    shown = second.get(page).content.decode()
    assert "Bonus restored" in shown and "Our mistake" in shown
    second.post(reverse("approval_decide", args=["payout-finding", PayoutFinding.objects.get().pk, "approve"]))
    assert state(with_fee) == WithdrawalState.CAME_BACK
    assert (posting.balance(wallet(rich)), bonus_held(rich.client, "EUR")) == (100_000, 10_000)
