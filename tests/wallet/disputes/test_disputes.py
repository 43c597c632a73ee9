"""Disputes: each part is booked once, whatever the order of the messages; evidence is sealed, sent, and due."""

import dataclasses
import datetime as dt
import itertools
import math
from decimal import Decimal

import pypdfium2
import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm import events
from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import run_job
from crm.models import AuditEvent, Job, Notification, OutboxEvent
from tests.brand_policies import set_policies
from tests.trading.factories import make_account, make_server
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp, raw
from tests.wallet.intents import captured, dispute_event, make_intent
from wallet.choices.deposits import DepositState
from wallet.choices.disputes import DisputeState
from wallet.choices.ledger import AccountKind
from wallet.choices.psp import InboxState
from wallet.deposits.verbs import apply_payment, release_held_deposit
from wallet.disputes import evidence
from wallet.disputes import verbs as disputes
from wallet.disputes.refunds import start_refund
from wallet.disputes.reversals import apply_refund
from wallet.disputes.verbs import accept_loss, apply_dispute
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Dispute, PspMovement
from wallet.psp.values import EventKind, TransferStatus, TransferView
from wallet.withdrawals.refundable_deposits import left_of, sources_of

pytestmark = pytest.mark.django_db
ASKED, TAKEN, RETURNED = EventKind.DISPUTE, EventKind.CHARGEBACK, EventKind.CHARGEBACK_REVERSED


@pytest.fixture
def deposit(cast) -> Deposit:
    load_rates()
    found = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=found.psp_id, view=captured(found))
    found.refresh_from_db()
    return found


def hear(deposit: Deposit, kind: EventKind, amount_minor: int = 50_000, **fields):
    done = apply_dispute(psp_id=deposit.psp_id, event=dispute_event(deposit, kind, amount_minor, **fields))
    events.drain()
    deposit.refresh_from_db()
    return done


def wallet(deposit: Deposit) -> int:
    return posting.balance(deposit.wallet)


def test_a_question_moves_no_money_and_tells_finance(cast, deposit):
    due = timezone.now() + dt.timedelta(days=14)
    hear(deposit, ASKED, is_inquiry=True, evidence_due_at=due)
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.reason, dispute.evidence_due_at) == (DisputeState.INQUIRY, "fraudulent", due)
    assert (deposit.state, wallet(deposit)) == (DepositState.SETTLED, 50_000)
    assert Notification.objects.filter(user=cast.finance, kind="wallet.dispute_opened").count() == 1
    hear(deposit, ASKED)
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.NEEDS_RESPONSE


def test_a_part_that_is_charged_back_books_that_part(cast, deposit):
    hear(deposit, TAKEN, 20_000)
    cast.client.refresh_from_db()
    assert (deposit.state, deposit.charged_back_minor, wallet(deposit)) == (DepositState.SETTLED, 20_000, 30_000)
    assert cast.client.net_deposits == Decimal(300)
    told = OutboxEvent.objects.get(name="wallet.deposit_reversed").payload
    assert (told["amount"], told["dispute_id"]) == ("200.00", Dispute.objects.get().pk)
    hear(deposit, TAKEN, 30_000, psp_dispute_id="dp_2")
    assert (deposit.state, wallet(deposit)) == (DepositState.CHARGED_BACK, 0)
    hear(deposit, RETURNED, 20_000)
    assert (deposit.state, deposit.charged_back_minor, wallet(deposit)) == (DepositState.SETTLED, 30_000, 20_000)
    assert verify().holds


def test_what_was_charged_back_is_not_given_back_again(cast, deposit):
    hear(deposit, TAKEN, 20_000)
    assert left_of(deposit) == 30_000
    assert [source.left_minor for source in sources_of(cast.client, "EUR")] == [30_000]
    with pytest.raises(DomainError, match=r"Only €300\.00"):
        start_refund(deposit_id=deposit.pk, amount=Decimal(400), reason="Asked", request_key="r", actor=cast.finance)


@pytest.fixture
def held(cast) -> Deposit:
    """EUR 400 of 500 arrived: in suspense, in no wallet."""
    load_rates()
    found = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=found.psp_id, view=captured(found, received_minor=40_000))
    found.refresh_from_db()
    assert found.state == DepositState.HELD
    return found


def test_a_chargeback_of_what_is_held_leaves_suspense_and_never_touches_the_wallet(cast, held):
    suspense = posting.house(AccountKind.SUSPENSE, brand_id=cast.brand.pk, currency="EUR")
    hear(held, TAKEN, 40_000)
    assert (held.state, held.charged_back_minor, posting.balance(suspense), wallet(held)) == ("returned", 40_000, 0, 0)
    assert not OutboxEvent.objects.filter(name="wallet.deposit_reversed").exists()
    hear(held, RETURNED, 40_000)
    assert (held.state, held.charged_back_minor, posting.balance(suspense)) == ("held", 0, 40_000)
    release_held_deposit(deposit_id=held.pk, actor=cast.finance, reason="The bank gave it back")
    held.refresh_from_db()
    assert (held.state, wallet(held)) == (DepositState.SETTLED, 40_000)
    assert PspMovement.objects.count() == 3 and verify().holds


def test_what_is_left_of_a_held_deposit_after_a_chargeback_can_only_go_back(cast, held):
    hear(held, TAKEN, 30_000)
    assert (held.state, left_of(held)) == (DepositState.HELD, 10_000)
    with pytest.raises(DomainError, match="being refunded"):
        release_held_deposit(deposit_id=held.pk, actor=cast.finance, reason="It is fine")
    with pytest.raises(DomainError, match=r"Only €100\.00"):
        start_refund(deposit_id=held.pk, amount=Decimal(400), reason="Asked", request_key="r", actor=cast.finance)
    start_refund(deposit_id=held.pk, amount=Decimal(100), reason="Asked", request_key="r", actor=cast.finance)
    assert verify().holds


def test_what_the_wallet_no_longer_has_is_the_house_s_loss_and_comes_back_to_it(cast, deposit):
    suspense = posting.house(AccountKind.SUSPENSE, brand_id=cast.brand.pk, currency="EUR")
    with transaction.atomic():
        posting.post(
            posting.Entry(
                key="gone",
                kind="adjustment",
                brand_id=cast.brand.pk,
                lines=(posting.Line(deposit.wallet, -45_000), posting.Line(suspense, 45_000)),
            )
        )
    losses = posting.house(AccountKind.CHARGEBACK_LOSSES, brand_id=cast.brand.pk, currency="EUR")
    hear(deposit, TAKEN)
    assert (wallet(deposit), posting.balance(losses)) == (0, -45_000)
    hear(deposit, RETURNED)
    assert (wallet(deposit), posting.balance(losses)) == (5_000, 0)
    assert (deposit.state, Dispute.objects.get().state) == (DepositState.CHARGEBACK_REVERSED, DisputeState.WON)
    assert OutboxEvent.objects.filter(name="wallet.deposit_restored").count() == 1 and verify().holds


@pytest.mark.parametrize("order", list(itertools.permutations([ASKED, TAKEN, RETURNED])))
def test_any_order_of_the_messages_ends_the_same(deposit, order):
    waiting = list(order) * 2
    for _round in range(4):
        for kind in list(waiting):
            try:
                hear(deposit, kind)
            except WrongState:
                continue  # the inbox tries again later
            waiting.remove(kind)
    assert waiting == []
    assert (deposit.state, wallet(deposit), deposit.charged_back_minor) == (DepositState.CHARGEBACK_REVERSED, 50_000, 0)
    assert PspMovement.objects.count() == 3 and verify().holds


def test_a_second_chargeback_takes_it_again(deposit):
    for kind in (TAKEN, RETURNED):
        hear(deposit, kind)
    hear(deposit, TAKEN, type="SECOND_CHARGEBACK")
    hear(deposit, TAKEN)  # the first one, told late
    dispute = Dispute.objects.get()
    assert (deposit.state, dispute.rounds, dispute.state) == ("charged_back", 2, DisputeState.NEEDS_RESPONSE)
    assert wallet(deposit) == 0 and verify().holds


def test_more_than_came_or_another_currency_is_not_booked(deposit):
    assert hear(deposit, TAKEN, 50_001).state == InboxState.FAILED
    hear(deposit, TAKEN, 40_000)
    assert hear(deposit, TAKEN, 20_000, psp_dispute_id="dp_2").state == InboxState.FAILED
    assert wallet(deposit) == 10_000 and verify().holds


@pytest.mark.parametrize(("minor", "state"), [(50_000, InboxState.DONE), (50_001, InboxState.FAILED)])
def test_a_chargeback_may_take_what_was_refunded_a_second_time(cast, deposit, minor, state):
    refund = TransferView(f"{deposit.reference}-R1", "re_1", TransferStatus.PAID, 20_000, "EUR")
    assert apply_refund(psp_id=deposit.psp_id, transfer=refund).state == InboxState.DONE
    assert hear(deposit, TAKEN, minor).state == state
    taken = state == InboxState.DONE
    assert (wallet(deposit), deposit.charged_back_minor) == ((0, 50_000) if taken else (30_000, 0))
    losses = posting.house(AccountKind.CHARGEBACK_LOSSES, brand_id=cast.brand.pk, currency="EUR")
    assert (posting.balance(losses), verify().holds) == (-20_000 if taken else 0, True)


@pytest.mark.parametrize(
    ("taken", "free"), [(500_000, None), (1, None), (250_000, None), (500_000, 1_000), (500_000, 0)]
)
def test_a_chargeback_of_converted_money_leaves_the_wallet_at_the_booked_rate(cast, taken, free):
    """Rounded up at the client's side, never more than is there; the rest is the house's loss in what had arrived."""
    load_rates()
    set_policies(cast.brand, deposit_converts_other_currency=True)
    deposit = make_intent(cast.client, make_psp(cast.brand, kind="bank"))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit, 500_000, "SEK"))
    deposit.refresh_from_db()
    booked = wallet(deposit)
    assert (deposit.state, deposit.credited_minor) == (DepositState.SETTLED, booked)
    if free is not None:
        house = posting.house(AccountKind.SUSPENSE, brand_id=cast.brand.pk, currency="EUR")
        lines = (posting.Line(deposit.wallet, free - booked), posting.Line(house, booked - free))
        posting.post(
            posting.Entry(key="spent", kind=posting.JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines)
        )
    event = dispute_event(deposit, TAKEN, taken)
    event = dataclasses.replace(event, dispute=dataclasses.replace(event.dispute, currency="SEK"))
    assert apply_dispute(psp_id=deposit.psp_id, event=event).state == InboxState.DONE
    wanted = math.ceil(taken * booked / 500_000)
    paid = wanted if free is None else min(wanted, free)
    assert wallet(deposit) == (booked if free is None else free) - paid
    losses = posting.house(AccountKind.CHARGEBACK_LOSSES, brand_id=cast.brand.pk, currency="SEK")
    assert posting.balance(losses) == (0 if paid == wanted else taken * paid // wanted - taken)
    assert verify().holds


def test_a_chargeback_before_its_payment_waits(cast, deposit):
    early = make_intent(cast.client, deposit.psp)
    with pytest.raises(WrongState):
        hear(early, TAKEN)
    assert not Dispute.objects.exists()


def test_the_bank_decides(deposit):
    hear(deposit, TAKEN)
    hear(deposit, ASKED, outcome="lost")
    assert Dispute.objects.get().state == DisputeState.LOST
    hear(deposit, RETURNED)
    assert (Dispute.objects.get().state, deposit.state) == (DisputeState.WON, DepositState.CHARGEBACK_REVERSED)


def test_finance_accepts_the_loss_with_a_reason(cast, deposit):
    hear(deposit, TAKEN)
    pk = Dispute.objects.get().pk
    with pytest.raises(NotAllowed):
        accept_loss(dispute_id=pk, actor=cast.support, reason="No")
    with pytest.raises(DomainError):
        accept_loss(dispute_id=pk, actor=cast.finance, reason=" ")
    assert accept_loss(dispute_id=pk, actor=cast.finance, reason="Stolen card").closed_at
    with pytest.raises(WrongState):
        accept_loss(dispute_id=pk, actor=cast.finance, reason="Again")


def test_verification_notices_money_that_no_dispute_explains(deposit):
    hear(deposit, TAKEN, 20_000)
    raw("UPDATE wallet_deposit SET charged_back_minor = 10000")
    assert any("charged back" in problem for problem in verify().problems)
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispute.objects.update(state=DisputeState.SUBMITTED)


# ── evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(page.get_textpage().get_text_range() for page in document)


def test_the_evidence_tells_the_story_and_is_kept_sealed(cast, deposit):
    make_account(cast.client, make_server())
    hear(deposit, TAKEN)
    dispute = Dispute.objects.get()
    job = evidence.order_evidence(dispute_id=dispute.pk, actor=cast.finance, text="The client traded.", submit=False)
    run_job(job.pk)
    assert Job.objects.get(pk=job.pk).state == "done", Job.objects.get(pk=job.pk).message
    dispute.refresh_from_db()
    pdf = b"".join(evidence.evidence_of(dispute))
    text = words_of(pdf)
    for word in (
        "The client traded.",
        "dp_1",
        deposit.reference,
        "Clara Weber",
        "Deposit credited to the wallet",
        "Who the client is",
    ):
        assert word in text
    sealed = evidence._path(dispute.evidence_key).read_bytes()
    assert b"%PDF" not in sealed and sealed.startswith(b"KEELSON1")
    assert AuditEvent.objects.filter(action="wallet.evidence_made").count() == 1


def test_where_the_psp_takes_none_it_is_sent_by_hand(cast, deposit):
    hear(deposit, TAKEN)
    pk = Dispute.objects.get().pk
    with pytest.raises(WrongState, match="accept evidence by API"):
        evidence.order_evidence(dispute_id=pk, actor=cast.finance, text="It stands.", submit=True)
    with pytest.raises(WrongState):
        evidence.sent_by_hand(dispute_id=pk, actor=cast.finance)
    evidence.make_evidence(dispute_id=pk, text="It stands.", progress=lambda *_told: None)
    with pytest.raises(NotAllowed):
        evidence.sent_by_hand(dispute_id=pk, actor=cast.support)
    dispute = evidence.sent_by_hand(dispute_id=pk, actor=cast.finance)
    assert (dispute.state, dispute.submitted_by) == (DisputeState.SUBMITTED, cast.finance)


def test_finance_is_reminded_once_a_day_before_the_last_day(cast, deposit):
    hear(deposit, TAKEN, evidence_due_at=timezone.now() + dt.timedelta(days=6))
    assert disputes.disputes_to_remind_of() == []
    Dispute.objects.update(evidence_due_at=timezone.now() + dt.timedelta(days=3))
    pk = Dispute.objects.get().pk
    assert disputes.disputes_to_remind_of() == [pk]
    assert [disputes.remind(pk), disputes.remind(pk)] == [True, False]
    assert disputes.disputes_to_remind_of() == []
    assert Notification.objects.filter(user=cast.finance, kind="wallet.dispute_due").count() == 1
    assert disputes.disputes_to_remind_of(today=timezone.now().date() + dt.timedelta(days=1)) == [pk]


@pytest.mark.parametrize(
    ("state", "seconds", "is_due"),
    [
        *[("needs_response", seconds, seconds <= 0) for seconds in (-1, 0, 1)],
        ("inquiry", 0, True),
        *[(state, 0, False) for state in ("won", "lost")],
    ],
)
def test_only_who_has_to_answer_within_days_is_reminded(deposit, state, seconds, is_due):
    with time_machine.travel(timezone.now(), tick=False):
        hear(deposit, ASKED)
        due = timezone.now() + dt.timedelta(days=disputes.REMIND_DAYS_BEFORE, seconds=seconds)
        closed = timezone.now() if state in ("won", "lost") else None
        Dispute.objects.update(state=state, evidence_due_at=due, closed_at=closed)
        assert bool(disputes.disputes_to_remind_of()) is is_due
