"""A chargeback that is won gives the credit again that it took: by rule, or as two people decide; once, and as the ledger says."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from crm import approvals, events
from crm.choices import ApprovalState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.events import DepositRestored, publish
from crm.models import AuditEvent, Notification
from crm.security import audit
from tests.brand_policies import set_policies
from tests.kyc.categories.factories import categorise
from tests.wallet.bonuses.test_bonus import make_plan, pro
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, dispute_event, make_intent
from wallet.bonuses import ending
from wallet.bonuses.granting import bonus_held
from wallet.choices.bonuses import BonusState, BonusTrigger
from wallet.deposits.verbs import apply_payment
from wallet.disputes import bonus_disputes
from wallet.disputes.verbs import apply_dispute
from wallet.ledger.verification import verify
from wallet.models import BonusGrant, BonusLoss, BonusProposal, BonusRestoration, Deposit, Dispute
from wallet.movements.history import story_of, story_of_bonus, story_of_dispute
from wallet.psp.values import EventKind

__all__ = ["pro"]
pytestmark = pytest.mark.django_db
TAKEN, RETURNED = EventKind.CHARGEBACK, EventKind.CHARGEBACK_REVERSED


@pytest.fixture
def grant(cast, pro) -> BonusGrant:
    return make_grant(cast)


def make_grant(cast) -> BonusGrant:
    """EUR 250 of credit for a deposit of EUR 500."""
    make_plan(cast, trigger=BonusTrigger.EVERY_DEPOSIT, percent=Decimal(50), four_eyes_minor=30_000)
    deposit = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit))
    events.drain()
    return BonusGrant.objects.get()


def hear(grant: BonusGrant, kind: EventKind, amount_minor: int = 50_000, **fields) -> Deposit:
    deposit = Deposit.objects.get(pk=grant.deposit_id)
    apply_dispute(psp_id=deposit.psp_id, event=dispute_event(deposit, kind, amount_minor, **fields))
    events.drain()
    grant.refresh_from_db()
    deposit.refresh_from_db()
    return deposit


def policy(grant: BonusGrant, **values) -> None:
    brand = grant.client.brand
    set_policies(brand, **values)


@pytest.fixture
def undecided(grant) -> BonusLoss:
    """Lost and won, at a brand that leaves it to two people."""
    policy(grant, dispute_won_restores_bonus=0)
    hear(grant, TAKEN)
    hear(grant, RETURNED)
    return BonusLoss.objects.get()


def said(cast, loss: BonusLoss, **fields) -> BonusProposal:
    return bonus_disputes.propose_return(
        **{"loss_id": loss.pk, "restores": True, "reason": "The bank was wrong", "actor": cast.retention, **fields}
    )


def test_a_chargeback_names_the_dispute_in_what_it_takes(grant):
    hear(grant, TAKEN, 20_000)
    loss = BonusLoss.objects.get()
    dispute = Dispute.objects.get()
    assert (loss.dispute, loss.dispute_round, loss.grant, loss.amount_minor) == (dispute, 1, grant, 10_000)
    assert loss.journal.idempotency_key == f"bonus:{grant.reference}:burn:dispute:{dispute.pk}:1"
    assert "dp_1" in grant.end_reason and (grant.held_minor, grant.burned_minor) == (15_000, 10_000)
    assert verify().holds


def test_won_it_is_held_again_by_rule_and_named_everywhere(grant):
    hear(grant, TAKEN)
    assert grant.state == BonusState.BURNED
    deposit = hear(grant, RETURNED)
    assert (grant.state, grant.held_minor, bonus_held(grant.client, "EUR")) == (BonusState.ACTIVE, 25_000, 25_000)
    restored = BonusRestoration.objects.get()
    assert (restored.loss, restored.finding, restored.proposal) == (BonusLoss.objects.get(), None, None)
    known = AuditEvent.objects.get(action="wallet.bonus_restored_by_dispute")
    assert known.target_id == str(grant.pk) and "dp_1" in audit.body_of(known)["after"]["by"]
    for story in (story_of(deposit), story_of_dispute(Dispute.objects.get())):
        words = [str(line.words) for line in story.lines]
        assert f"Bonus {grant.reference}: €250.00 removed by dispute dp_1" in words
        assert f"Bonus {grant.reference}: €250.00 restored, dispute dp_1 won" in words
    words = [str(line.words) for line in story_of_bonus(grant).lines]
    assert f"€250.00 removed by dispute dp_1 on deposit {deposit.reference}" in words
    assert "€250.00 restored: dispute dp_1 won" in words
    assert verify().holds


def test_a_repeated_message_or_event_gives_it_again_once(grant):
    hear(grant, TAKEN)
    for _again in range(2):
        hear(grant, RETURNED)
    dispute = Dispute.objects.get()
    publish(
        DepositRestored(
            client_id=grant.client_id,
            brand_id=grant.brand_id,
            deposit_id=grant.deposit_id,
            dispute_id=dispute.pk,
            amount=Decimal(500),
            currency="EUR",
            reference="dp_1",
        )
    )
    events.drain()
    grant.refresh_from_db()
    assert BonusRestoration.objects.count() == 1 and grant.held_minor == 25_000 and verify().holds


def test_what_is_given_again_before_its_loss_was_heard_is_lost_first(grant):
    deposit = grant.deposit
    for kind in (TAKEN, RETURNED):
        apply_dispute(psp_id=deposit.psp_id, event=dispute_event(deposit, kind, 50_000))
    assert not BonusLoss.objects.exists()
    dispute = Dispute.objects.get()
    bonus_disputes.give_again(dispute_id=dispute.pk, reference="dp_1", amount=Decimal(500))
    events.drain()
    grant.refresh_from_db()
    assert (BonusLoss.objects.count(), BonusRestoration.objects.count(), grant.held_minor) == (1, 1, 25_000)
    assert verify().holds


def test_each_of_two_disputes_gives_again_its_own_part(grant):
    hear(grant, TAKEN, 20_000)
    hear(grant, TAKEN, 30_000, psp_dispute_id="dp_2")
    # The second one took three fifths of the 150 that were left.
    assert (grant.held_minor, BonusLoss.objects.count()) == (6_000, 2)
    hear(grant, RETURNED, 30_000, psp_dispute_id="dp_2")
    assert grant.held_minor == 15_000
    hear(grant, RETURNED, 20_000)
    assert grant.held_minor == 25_000 and verify().holds


def test_a_second_chargeback_takes_it_again_and_won_again_it_comes_back(grant):
    for kind in (TAKEN, RETURNED):
        hear(grant, kind)
    hear(grant, TAKEN, type="SECOND_CHARGEBACK")
    assert grant.held_minor == 0 and list(BonusLoss.objects.values_list("dispute_round", flat=True)) == [1, 2]
    hear(grant, RETURNED)
    assert grant.held_minor == 25_000 and BonusRestoration.objects.count() == 2 and verify().holds


def test_what_the_terms_let_nobody_give_alone_waits_for_two_people(grant, cast):
    BonusGrant.objects.update(base_amount=Decimal("300.01"))
    hear(grant, TAKEN)
    hear(grant, RETURNED)
    assert not BonusRestoration.objects.exists() and grant.held_minor == 0
    for person in (cast.retention, cast.finance):
        assert Notification.objects.filter(user=person, kind="wallet.bonus_return_open").count() == 1
    assert list(bonus_disputes.undecided_in(BonusGrant.objects.all())) == [grant]


def test_only_what_is_won_and_not_taken_again_waits_for_a_decision(undecided):
    def is_there() -> bool:
        return bonus_disputes.undecided_in(BonusGrant.objects.all()).exists()

    assert is_there() and bonus_disputes.is_undecided(BonusLoss.objects.get())
    for changed, as_it_was in (({"taken_minor": 1}, {"taken_minor": 0}), ({"state": "lost"}, {"state": "won"})):
        Dispute.objects.update(**changed)
        assert not is_there() and not bonus_disputes.is_undecided(BonusLoss.objects.get())
        Dispute.objects.update(**as_it_was)
    assert is_there()


def test_two_people_restore_it(cast, grant, undecided):
    assert grant.held_minor == 0
    proposal = said(cast, undecided)
    with pytest.raises(WrongState):
        said(cast, undecided)
    with pytest.raises(NotAllowed):
        approvals.approve(BonusProposal, proposal.pk, actor=cast.retention)
    approvals.approve(BonusProposal, proposal.pk, actor=cast.finance)
    grant.refresh_from_db()
    assert grant.held_minor == 25_000 and BonusRestoration.objects.get().proposal == proposal
    with pytest.raises(WrongState):
        approvals.approve(BonusProposal, proposal.pk, actor=cast.second_finance)
    assert not bonus_disputes.undecided_in(BonusGrant.objects.all()).exists() and verify().holds


def test_nobody_agrees_to_what_they_wrote_in_the_database_either(cast, undecided):
    proposal = said(cast, undecided, actor=cast.finance)
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(BonusProposal, proposal.pk, actor=cast.finance)
    with pytest.raises(IntegrityError, match="bonus_proposal_is_decided_by_somebody_else"), transaction.atomic():
        BonusProposal.objects.update(state="approved", decided_by=cast.finance, decided_at=timezone.now())
    assert not BonusRestoration.objects.exists() and verify().holds


def test_two_people_may_leave_it_lost(cast, grant, undecided):
    approvals.approve(BonusProposal, said(cast, undecided, restores=False).pk, actor=cast.finance)
    grant.refresh_from_db()
    assert grant.held_minor == 0 and not BonusRestoration.objects.exists()
    assert AuditEvent.objects.filter(action="wallet.bonus_stays_lost").count() == 1
    with pytest.raises(WrongState):
        said(cast, undecided)
    hear(grant, RETURNED)
    assert not BonusRestoration.objects.exists() and verify().holds


def test_what_was_refused_or_withdrawn_can_be_written_anew(cast, grant, undecided):
    first = said(cast, undecided)
    with pytest.raises(NotAllowed):
        approvals.withdraw(BonusProposal, first.pk, actor=cast.finance)
    approvals.withdraw(BonusProposal, first.pk, actor=cast.retention)
    second = said(cast, undecided)
    with pytest.raises(DomainError, match="Enter a reason"):
        approvals.reject(BonusProposal, second.pk, actor=cast.finance, note=" ")
    approvals.reject(BonusProposal, second.pk, actor=cast.finance, note="Look at the client first")
    with pytest.raises(NotAllowed):
        said(cast, undecided, actor=cast.agent)
    assert said(cast, undecided).state == ApprovalState.PENDING


@pytest.mark.parametrize("how", ["taken_away", "expired", "banned", "taken_again"])
def test_what_can_t_be_held_again_is_not(cast, grant, undecided, how):
    proposal = said(cast, undecided)
    if how == "taken_away":
        BonusGrant.objects.filter(pk=grant.pk).update(expires_at=None)
        approvals.approve(BonusProposal, proposal.pk, actor=cast.finance)
        ending.take_bonus_away(grant_id=grant.pk, actor=cast.finance, reason="Abuse")
        hear(grant, TAKEN, type="SECOND_CHARGEBACK")
        hear(grant, RETURNED)
        grant.refresh_from_db()
        assert grant.held_minor == 0 and BonusRestoration.objects.count() == 1 and verify().holds
        return
    if how == "expired":
        BonusGrant.objects.update(expires_at=timezone.now())
    elif how == "banned":
        categorise(grant.client_id, "retail")
        Client.objects.filter(pk=grant.client_id).update(country="DE")
    else:
        hear(grant, TAKEN, type="SECOND_CHARGEBACK")
    with pytest.raises(DomainError, match="can't be restored"):
        approvals.approve(BonusProposal, proposal.pk, actor=cast.finance)
    proposal.refresh_from_db()
    assert proposal.state == ApprovalState.PENDING and not BonusRestoration.objects.exists() and verify().holds


def test_a_client_who_may_have_none_just_now_is_left_to_people_and_served_later(cast, grant):
    hear(grant, TAKEN)
    Client.objects.filter(pk=grant.client_id).update(kyc_level=0)
    hear(grant, RETURNED)
    loss = BonusLoss.objects.get()
    assert not BonusRestoration.objects.exists()
    with pytest.raises(DomainError, match="isn't verified yet"):
        said(cast, loss)
    Client.objects.filter(pk=grant.client_id).update(kyc_level=2)
    approvals.approve(BonusProposal, said(cast, loss).pk, actor=cast.finance)
    grant.refresh_from_db()
    assert grant.held_minor == 25_000 and verify().holds


def test_the_database_gives_back_only_what_was_taken_and_while_the_money_is_back(grant):
    hear(grant, TAKEN)
    loss = BonusLoss.objects.get()
    row = {"grant": grant, "amount_minor": loss.amount_minor, "journal_id": loss.journal_id}
    with pytest.raises(IntegrityError, match="while its money is back"), transaction.atomic():
        BonusRestoration.objects.create(loss=loss, **row)
    with pytest.raises(IntegrityError, match="restored_bonus_has_one_cause"), transaction.atomic():
        BonusRestoration.objects.create(**row)
    hear(grant, RETURNED)
    with pytest.raises(IntegrityError, match="loss_id"), transaction.atomic():
        BonusRestoration.objects.create(loss=loss, **row)
    with pytest.raises(IntegrityError, match="what it took"), transaction.atomic():
        BonusRestoration.objects.create(loss=loss, **{**row, "amount_minor": 1})


def test_verification_names_a_loss_that_the_ledger_did_not_book_and_a_decision_without_its_credit(cast, undecided):
    said(cast, undecided)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE wallet_bonusloss DISABLE TRIGGER USER")
        cursor.execute("UPDATE wallet_bonusloss SET amount_minor = amount_minor + 1")
        cursor.execute("ALTER TABLE wallet_bonusloss ENABLE TRIGGER USER")
    BonusProposal.objects.update(state="approved", decided_by=cast.finance, decided_at=timezone.now())
    problems = " ".join(verify().problems)
    assert "lost by dispute dp_1" in problems and "two people decided" in problems


def test_it_is_decided_on_the_bonus_s_page(cast, grant, undecided, browse, django_assert_max_num_queries):
    first, second = browse(cast.retention), browse(cast.finance)
    page, say = reverse("wallet:bonus", args=[grant.pk]), reverse("wallet:bonus_return_propose", args=[undecided.pk])
    assert grant.reference in first.get(reverse("wallet:bonuses") + "?returns=undecided").content.decode()
    shown = first.get(page).content.decode()
    assert "Bonus lost to a chargeback that was won" in shown and "Restore bonus" in shown
    name = f"return-{undecided.pk}"
    refused = first.post(say, {f"{name}-restores": "no", f"{name}-reason": ""})
    assert refused.status_code == 422 and not BonusProposal.objects.exists()
    assert '<option value="no" selected' in refused.content.decode()
    assert browse(cast.agent).post(say, {f"{name}-restores": "yes", f"{name}-reason": "Mine"}).status_code == 403
    first.post(say, {f"{name}-restores": "yes", f"{name}-reason": "The bank was wrong"})
    proposal = BonusProposal.objects.get()
    late = first.post(say, {f"{name}-restores": "yes", f"{name}-reason": "Once more"})
    assert late.status_code == 422 and BonusProposal.objects.count() == 1
    assert "Nothing to decide." in late.content.decode() and "Once more" in late.content.decode()
    assert "Someone else must decide" in first.get(page).content.decode()
    second.get(page)
    with django_assert_max_num_queries(35):
        shown = second.get(page).content.decode()
    assert "The bank was wrong" in shown and "Approve" in shown
    assert second.post(f"/approvals/bonus-return/{proposal.pk}/approve/").status_code == 302
    grant.refresh_from_db()
    assert grant.held_minor == 25_000
    shown = second.get(page).content.decode()
    assert "Previous decisions" in shown and "dispute dp_1 won" in shown
    shown = second.get(reverse("wallet:deposit", args=[grant.deposit_id])).content.decode()
    assert f"Bonus {grant.reference}: €250.00 restored" in shown
