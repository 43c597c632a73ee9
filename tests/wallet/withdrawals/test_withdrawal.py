"""A withdrawal: requested, checked, approved by one or two people, paid once, whatever happens on the way."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from clients.identifiers import IdentifierKind
from clients.identifiers.sources import missing, rebuild
from clients.models import Identifier, TimelineEntry
from crm import events
from crm.audit_codes import CrmAction
from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from crm.security import audit
from tests.brand_policies import set_policies
from tests.wallet.factories import available, fund, make_psp
from wallet.choices.psp import InboxState
from wallet.choices.withdrawals import CheckResult, WithdrawalState
from wallet.deposits.verbs import Applied
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, Psp, PspMovement, WebhookMessage, Withdrawal
from wallet.psp.values import TransferStatus, TransferView
from wallet.withdrawals import sending
from wallet.withdrawals.approval import withdraw_approval
from wallet.withdrawals.destinations import destination_of
from wallet.withdrawals.payout_results import apply_payout
from wallet.withdrawals.verbs import (
    WithdrawalNotPossible,
    WithdrawalRequest,
    approve_withdrawal,
    cancel_withdrawal,
    reject_withdrawal,
    request_withdrawal,
)

pytestmark = pytest.mark.django_db
IBAN = {"iban": "DE02 5001 0517 0137 0750 30", "holder": "Clara Weber"}


def paid_in(client, psp: Psp, minor: int, currency: str = "EUR") -> Deposit:
    """A settled deposit of the past, as the return-to-source check sees it."""
    now = dt.datetime.now(dt.UTC)
    wallet = fund(client, minor, currency, key=f"paid-in:{psp.pk}:{minor}")
    return Deposit.objects.create(
        client=client,
        brand=client.brand,
        psp=psp,
        wallet=wallet,
        reference=f"D-{psp.pk}-{minor}",
        request_key=f"k{minor}",
        amount_minor=minor,
        received_minor=minor,
        credited_minor=minor,
        currency=currency,
        created_at=now,
        settled_at=now,
        state="settled",
        journal=Journal.objects.get(idempotency_key=f"paid-in:{psp.pk}:{minor}"),
        base_amount=Decimal(minor) / 100,
    )


@pytest.fixture
def rich(cast, outside):
    """A verified client with EUR 1,000 that came in through the PSP."""
    cast.client.kyc_level = 2
    cast.client.save()
    paid_in(cast.client, outside.psp, 100_000)
    return cast


def ask(cast, outside, amount="200", *, key="k1", actor=None, destination=None, psp=None) -> Withdrawal:
    return request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(
            psp_id=(psp or outside.psp).pk, amount=Decimal(amount), currency="EUR", destination=destination or IBAN
        ),
        request_key=key,
        actor=actor or cast.client_user,
    )


def approved(cast, outside, amount="200", **more) -> Withdrawal:
    withdrawal = ask(cast, outside, amount, **more)
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    return approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.second_finance)


def wallet(cast):
    return posting.wallet_of(cast.client, "EUR")


def state(withdrawal: Withdrawal) -> str:
    withdrawal.refresh_from_db()
    return withdrawal.state


# The whole way


def test_above_the_limit_two_people_approve_and_the_psp_pays(rich, outside):
    withdrawal = ask(rich, outside)
    assert (withdrawal.state, withdrawal.needs_second, withdrawal.approvals_missing) == ("requested", True, 2)
    assert (posting.balance(wallet(rich)), available(wallet(rich))) == (100_000, 80_000)
    first = approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    assert (first.state, first.approvals_missing) == ("awaiting_second_approval", 1)
    second = approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.second_finance, reason="Known client")
    assert second.state == WithdrawalState.APPROVED
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.SENT
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SETTLED
    assert (posting.balance(wallet(rich)), available(wallet(rich))) == (80_000, 80_000)
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == 20_000
    assert PspMovement.objects.get(kind="payout").amount_minor == -20_000
    assert verify().holds


def test_a_first_approval_that_is_withdrawn_counts_for_nothing(rich, outside):
    withdrawal = ask(rich, outside)
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    with pytest.raises(NotAllowed):
        withdraw_approval(withdrawal_id=withdrawal.pk, actor=rich.second_finance)
    back = withdraw_approval(withdrawal_id=withdrawal.pk, actor=rich.finance, note="Not my client")
    assert (back.state, back.reviewed_by, back.approvals_missing) == ("requested", None, 2)
    assert available(wallet(rich)) == 80_000, "the money stays reserved"
    first = approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.second_finance)
    assert (first.state, first.reviewed_by) == ("awaiting_second_approval", rich.second_finance)
    assert approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance).state == WithdrawalState.APPROVED
    with pytest.raises(DomainError):
        withdraw_approval(withdrawal_id=withdrawal.pk, actor=rich.second_finance)
    codes = AuditEvent.objects.filter(action="wallet.withdrawal_approval_withdrawn", actor=rich.finance)
    assert codes.count() == 1


def test_the_database_holds_that_a_second_approval_follows_a_first(rich, outside):
    withdrawal = ask(rich, outside)
    with pytest.raises(IntegrityError, match="second_approval_follows_a_first"), transaction.atomic():
        Withdrawal.objects.filter(pk=withdrawal.pk).update(state="awaiting_second_approval")


def test_everyone_who_should_know_is_told(rich, outside):
    withdrawal = ask(rich, outside)
    events.drain()
    assert Notification.objects.filter(user=rich.finance, kind="wallet.withdrawal_requested").count() == 1
    assert not Notification.objects.filter(user=rich.agent, kind="wallet.withdrawal_requested").exists()
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.second_finance)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    rich.client.refresh_from_db()
    assert rich.client.net_deposits == Decimal(800)
    titles = TimelineEntry.objects.filter(client=rich.client).values_list("title", flat=True)
    assert any(title.startswith("Withdrawal paid: €200.00") for title in titles)
    actions = AuditEvent.objects.filter(target_id=str(withdrawal.pk)).order_by("pk").values_list("action", flat=True)
    assert list(actions) == [
        "wallet.withdrawal_requested",
        "wallet.withdrawal_reviewed",
        "wallet.withdrawal_approved",
        "wallet.withdrawal_sent",
        "wallet.withdrawal_settled",
    ]
    requested = AuditEvent.objects.get(action="wallet.withdrawal_requested")
    assert audit.body_of(requested)["evidence"]["funds"][0] == "pass"


def test_a_clean_small_request_goes_alone_under_the_brand_s_policy(rich, outside):
    set_policies(rich.brand, withdrawal_auto_approve_minor=5_000)
    withdrawal = ask(rich, outside, "50")
    assert (withdrawal.state, withdrawal.approved_automatically, withdrawal.approved_by) == ("approved", True, None)
    assert ask(rich, outside, "50.01", key="k2").state == WithdrawalState.REQUESTED


def test_a_small_request_with_something_to_look_at_waits(rich, outside):
    set_policies(rich.brand, withdrawal_auto_approve_minor=5_000)
    rich.client.risk_rating = "high"
    rich.client.save()
    assert ask(rich, outside, "50").state == WithdrawalState.REQUESTED


def test_below_the_limit_one_approval_is_enough(rich, outside):
    withdrawal = ask(rich, outside, "100")
    assert not withdrawal.needs_second
    assert approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance).state == WithdrawalState.APPROVED


# Four eyes


def test_the_same_person_never_approves_twice(rich, outside):
    withdrawal = ask(rich, outside)
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    with pytest.raises(NotAllowed, match="someone else"):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    assert state(withdrawal) == WithdrawalState.AWAITING_SECOND_APPROVAL


def test_who_requested_for_the_client_never_approves(rich, outside):
    withdrawal = ask(rich, outside, "50", actor=rich.finance)
    with pytest.raises(NotAllowed, match="someone else"):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.second_finance)


@pytest.mark.parametrize("role", ["agent", "desk_head", "mlro", "auditor", "administrator", "support"])
def test_other_roles_can_not_decide_and_nothing_changes(rich, outside, role):
    withdrawal = ask(rich, outside)
    for verb in (approve_withdrawal, reject_withdrawal):
        with pytest.raises(NotAllowed):
            verb(withdrawal_id=withdrawal.pk, actor=getattr(rich, role), reason="x")
    assert state(withdrawal) == WithdrawalState.REQUESTED


def test_the_database_holds_four_eyes_too(rich, outside):
    withdrawal = ask(rich, outside)
    now = dt.datetime.now(dt.UTC)
    rows = Withdrawal.objects.filter(pk=withdrawal.pk)
    for wrong in (
        {"approved_by": rich.client_user},
        {"reviewed_by": rich.client_user},
        {"reviewed_by": rich.finance, "approved_by": rich.finance},
        {"state": "approved", "approved_by": rich.finance, "approved_at": now},
        {"state": "approved", "approved_automatically": True},
        {"state": "settled", "reviewed_by": rich.finance, "approved_by": rich.second_finance, "finished_at": now},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)


# Checks


def outcome(withdrawal: Withdrawal, name: str) -> str:
    return withdrawal.checks.get(name=name).outcome


def test_more_than_is_available_is_refused_in_words(rich, outside):
    ask(rich, outside, "900")
    with pytest.raises(WithdrawalNotPossible, match=r"Only €100.00 is available"):
        ask(rich, outside, "200", key="k2")
    assert Withdrawal.objects.count() == 1


def test_without_verification_or_under_a_restriction_nothing_leaves(rich, outside):
    rich.client.kyc_level = 0
    rich.client.save()
    with pytest.raises(WithdrawalNotPossible, match="verified"):
        ask(rich, outside)
    rich.client.kyc_level, rich.client.restrictions = 2, ["no_withdrawal"]
    rich.client.save()
    with pytest.raises(WithdrawalNotPossible, match="contact support"):
        ask(rich, outside)
    assert available(wallet(rich)) == 100_000


def test_a_restriction_placed_meanwhile_stops_the_approval(rich, outside):
    withdrawal = ask(rich, outside)
    rich.client.restrictions = ["frozen"]
    rich.client.save()
    with pytest.raises(WithdrawalNotPossible):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    assert state(withdrawal) == WithdrawalState.REQUESTED


def test_money_goes_back_the_way_it_came_first(rich, outside):
    assert outcome(ask(rich, outside), "return_to_source") == CheckResult.PASS
    other = make_psp(rich.brand, "sepalink", base_url=outside.running.url)
    elsewhere = ask(rich, outside, key="k2", psp=other)
    found = elsewhere.checks.get(name="return_to_source")
    assert found.outcome == CheckResult.REVIEW
    assert "Northpay €800.00" in found.reason


def test_profit_may_go_anywhere_once_the_deposits_went_back(rich, outside):
    fund(rich.client, 50_000, key="profit")
    ask(rich, outside, "1000")
    other = make_psp(rich.brand, "sepalink", base_url=outside.running.url)
    assert outcome(ask(rich, outside, "500", key="k2", psp=other), "return_to_source") == CheckResult.PASS


def test_who_never_paid_in_is_looked_at(rich, outside):
    Deposit.objects.all()._raw_delete("default")
    assert outcome(ask(rich, outside), "return_to_source") == CheckResult.REVIEW


def test_many_requests_and_a_new_destination_are_looked_at(rich, outside):
    first = ask(rich, outside, "10")
    assert (outcome(first, "velocity"), outcome(first, "cooling_off")) == (CheckResult.PASS, CheckResult.PASS)
    other = {"iban": "DE75512108001245126199"}
    second = ask(rich, outside, "10", key="k2", destination=other)
    assert outcome(second, "cooling_off") == CheckResult.REVIEW
    ask(rich, outside, "10", key="k3")
    assert outcome(ask(rich, outside, "10", key="k4"), "velocity") == CheckResult.REVIEW


@pytest.mark.parametrize("gone", ["charged_back", "refunded"])
def test_what_was_taken_back_is_no_source_any_more(rich, outside, gone):
    Deposit.objects.update(state=gone)
    assert outcome(ask(rich, outside), "return_to_source") == CheckResult.REVIEW


def test_a_new_password_is_looked_at(rich, outside):
    audit.record(actor=None, action=CrmAction.PASSWORD_CHANGED, target=rich.client_user, client_id=rich.client.pk)
    assert outcome(ask(rich, outside), "cooling_off") == CheckResult.REVIEW


@pytest.mark.parametrize(
    ("amount", "words"), [("0", "above zero"), ("-1", "above zero"), ("1.001", "decimal places"), ("1e20", "too large")]
)
def test_a_senseless_amount_is_refused_in_words(rich, outside, amount, words):
    with pytest.raises(DomainError, match=words):
        ask(rich, outside, amount)


def test_a_destination_is_needed_and_kept_secret(rich, outside):
    with pytest.raises(DomainError, match="where to send the money"):
        ask(rich, outside, destination={"iban": " "})
    withdrawal = ask(rich, outside)
    assert withdrawal.destination_label == "IBAN •••• 5030"
    assert b"DE02" not in bytes(withdrawal.sealed_destination)
    assert destination_of(withdrawal) == IBAN


def test_the_same_form_twice_is_one_withdrawal(rich, outside):
    assert ask(rich, outside).pk == ask(rich, outside).pk
    with pytest.raises(IdempotencyConflict):
        ask(rich, outside, "201")
    assert available(wallet(rich)) == 80_000


def test_strangers_can_not_ask(rich, outside):
    for actor in (rich.other_client_user, rich.agent, rich.other_agent):
        with pytest.raises(NotAllowed):
            ask(rich, outside, actor=actor)


# No


def test_a_rejected_one_gives_the_money_back_with_a_reason(rich, outside):
    withdrawal = ask(rich, outside)
    with pytest.raises(DomainError, match="Enter a reason"):
        reject_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance, reason=" ")
    reject_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance, reason="Card is not yours")
    assert (state(withdrawal), withdrawal.reason) == (WithdrawalState.REJECTED, "Card is not yours")
    assert available(wallet(rich)) == 100_000
    with pytest.raises(NotAllowed):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)


def test_the_client_cancels_while_it_is_pending_and_not_after(rich, outside):
    withdrawal = ask(rich, outside)
    with pytest.raises(NotAllowed):
        cancel_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.other_client_user)
    cancel_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.client_user)
    assert (state(withdrawal), available(wallet(rich))) == (WithdrawalState.CANCELLED, 100_000)
    done = approved(rich, outside, key="k2")
    with pytest.raises(NotAllowed):
        cancel_withdrawal(withdrawal_id=done.pk, actor=rich.client_user)


# Payout: sent once, looked up when unknown


def test_a_payout_that_the_psp_refuses_gives_the_money_back(rich, outside):
    withdrawal = approved(rich, outside)
    outside.psp.seal_credentials({**outside.psp.credentials, "api_key": "wrong"})
    outside.psp.save()
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.FAILED
    assert available(wallet(rich)) == 100_000
    assert "API key" in Withdrawal.objects.get().reason


def test_a_payout_that_fails_later_gives_the_money_back(rich, outside):
    outside.running.fault("payout_fail", "account closed")
    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    assert (state(withdrawal), withdrawal.reason) == (WithdrawalState.FAILED, "account closed")
    assert available(wallet(rich)) == 100_000
    assert verify().holds


def test_a_lost_answer_is_looked_up_and_never_sent_again(rich, outside):
    outside.running.fault("lose_answer", times=1)
    withdrawal = approved(rich, outside)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN, "a second worker leaves it alone"
    assert sending.look_up_payout(withdrawal.pk) in (WithdrawalState.SENT, WithdrawalState.SETTLED)
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SETTLED
    assert len(outside.running.store.rows("SELECT 1 FROM transfers")) == 1
    assert posting.balance(wallet(rich)) == 80_000


def test_a_request_that_never_arrived_goes_back_only_after_a_while(rich, outside):
    outside.running.fault("reset", times=1)
    withdrawal = approved(rich, outside)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.UNKNOWN, "it may still be on its way"
    Withdrawal.objects.update(sent_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5))
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.FAILED
    assert available(wallet(rich)) == 100_000
    assert not outside.running.store.rows("SELECT 1 FROM transfers")


def said(withdrawal: Withdrawal, status: TransferStatus) -> Applied:
    """What the PSP tells of it now, long after."""
    return apply_payout(
        psp_id=withdrawal.psp_id,
        view=TransferView(
            reference=withdrawal.reference,
            psp_reference="P-9",
            status=status,
            currency="EUR",
            amount_minor=withdrawal.amount_minor,
        ),
    )


def test_a_psp_that_paid_after_all_books_nothing_and_finance_is_told_once(rich, outside):
    outside.running.fault("reset", times=1)
    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    Withdrawal.objects.update(sent_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5))
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.FAILED
    assert said(withdrawal, TransferStatus.FAILED).state == InboxState.IGNORED
    journals = Journal.objects.count()
    for _time in range(2):
        applied = said(withdrawal, TransferStatus.PAID)
        assert applied.state == InboxState.FAILED
        assert "as paid" in applied.words
    assert state(withdrawal) == WithdrawalState.FAILED
    assert Journal.objects.count() == journals
    told = Notification.objects.get(user=rich.finance, kind="wallet.payout_contradicted")
    assert "twice" in told.body
    assert AuditEvent.objects.filter(action="wallet.payout_contradicted").count() == 2


def test_a_psp_that_takes_a_paid_one_back_changes_nothing_and_finance_is_told(rich, outside):
    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SETTLED
    assert said(withdrawal, TransferStatus.PENDING).state == InboxState.IGNORED, "only a message that came late"
    assert said(withdrawal, TransferStatus.FAILED).state == InboxState.FAILED
    assert state(withdrawal) == WithdrawalState.SETTLED
    assert Notification.objects.filter(user=rich.finance, kind="wallet.payout_contradicted").count() == 1
    assert verify().holds


def test_an_answer_in_other_words_than_agreed_leaves_it_unknown(rich, outside, monkeypatch):
    withdrawal = approved(rich, outside)
    monkeypatch.setattr("wallet.psp.sandbox.SandboxAdapter._call", lambda *_args: {"status": "gone fishing"})
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    monkeypatch.undo()
    assert available(wallet(rich)) == 80_000, "still reserved: nobody knows what happened"


def test_an_outage_leaves_it_unknown_until_the_psp_is_back(rich, outside):
    outside.running.fault("outage")
    withdrawal = approved(rich, outside)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    for _attempt in range(sending.STUCK_AFTER_LOOK_UPS):
        assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert Notification.objects.filter(user=rich.finance, kind="wallet.payout_unknown").count() == 1
    outside.running.control("faults", {"clear": True})
    Withdrawal.objects.update(sent_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5))
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.FAILED
    assert verify().holds


def test_an_unreachable_psp_is_tried_again_later(rich, outside):
    outside.psp.base_url = "http://127.0.0.1:9"
    outside.psp.save()
    withdrawal = approved(rich, outside)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.APPROVED
    assert sending.due_payouts() == []
    outside.psp.base_url = outside.running.url
    outside.psp.save()
    Withdrawal.objects.update(next_look_up_at=dt.datetime.now(dt.UTC))
    assert sending.due_payouts() == [(withdrawal.pk, "approved")]
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.SENT


def test_a_worker_that_died_while_sending_is_looked_up(rich, outside, monkeypatch):
    withdrawal = approved(rich, outside)
    with monkeypatch.context() as patch:
        patch.setattr("wallet.withdrawals.sending.adapter_of", lambda _psp: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sending.send_payout(withdrawal.pk)
    assert state(withdrawal) == WithdrawalState.SENDING
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.SENDING, "its worker may still be at it"
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    Withdrawal.objects.update(next_look_up_at=past, sent_at=past)
    assert sending.due_payouts() == [(withdrawal.pk, "sending")]
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.FAILED


def test_a_dropped_webhook_is_made_up_for_by_a_look_up(rich, outside):
    outside.running.fault("webhook_drop")
    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    outside.running.control("finish")
    from tests.sandbox.psp.running import wait_until

    wait_until(lambda: outside.running.store.rows("SELECT 1 FROM transfers WHERE status = 'paid'"))
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.SETTLED
    assert not outside.catcher.received


def test_shuffled_and_doubled_payout_webhooks_settle_once(rich, outside):
    outside.running.fault("webhook_duplicate", 3)
    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=4)
    assert state(withdrawal) == WithdrawalState.SETTLED
    assert Journal.objects.filter(idempotency_key__startswith="withdrawal:").count() == 2


def test_a_payout_of_another_amount_settles_nothing(rich, outside):
    withdrawal = approved(rich, outside)
    outside.running.fault("webhook_tamper", 5)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SENT
    assert "for W-" in WebhookMessage.objects.get().outcome


def test_a_finished_one_takes_no_further_step(rich, outside):

    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    withdrawal.refresh_from_db()
    for target in set(WithdrawalState) - {WithdrawalState.CAME_BACK}:
        with pytest.raises(WrongState):
            withdrawal.move_to(target)


def test_where_a_withdrawal_goes_links_its_client_and_a_rebuild_knows_it_too(rich, outside):
    ask(rich, outside)
    kept = Identifier.objects.filter(client=rich.client, kind=IdentifierKind.BANK_ACCOUNT)
    assert kept.get().mark
    kept.delete()
    assert list(missing("wallet.payouts")) == [("bank_account", rich.client.pk)]
    rebuild("wallet.payouts")
    assert kept.count() == 1
