"""Bonuses: credit that is not money until it is freed, and what takes it away again."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clients.choices import Category
from clients.models import Client
from clients.segments.verbs import add_members, create_segment
from crm import events
from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from crm.events import DepositReversed, DepositSettled, publish
from crm.models import AuditEvent
from crm.security import audit
from tests.brand_policies import set_policies
from tests.days import today
from tests.ib.factories import make_trade
from tests.kyc.categories.factories import categorise
from tests.trading.factories import make_account, make_server
from tests.wallet.conftest import load_rates
from tests.wallet.factories import at_once, available, fund, make_psp
from wallet.bonuses import ending, granting, restoring
from wallet.bonuses.approval import withdraw_bonus
from wallet.bonuses.granting import bonus_held, decide_bonus, grant_bonus, write_rule
from wallet.bonuses.offers import promotions_for
from wallet.choices.bonuses import BonusState, BonusTrigger, OnWithdrawal, ReleaseBy
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, InsufficientFunds, Line
from wallet.ledger.verification import verify
from wallet.models import BonusGrant, BonusPlan, BonusRule, Deposit, Journal, PspMovement, Withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def pro(cast) -> Client:
    """A verified professional client: one who may have a bonus."""
    load_rates()
    categorise(cast.client.pk, Category.PROFESSIONAL)
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    cast.client.refresh_from_db()
    return cast.client


def make_plan(cast, *, name: str = "Welcome", valid_from: dt.date | None = None, **terms) -> BonusPlan:
    plan = BonusPlan.objects.filter(name=name).first() or granting.create_plan(
        brand=cast.brand, name=name, actor=cast.finance
    )
    write_rule(
        plan_id=plan.pk,
        actor=cast.finance,
        valid_from=valid_from or today(),
        **{"maximum_minor": 50_000, "lots_per_hundred": Decimal(2), "four_eyes_minor": 20_000, **terms},
    )
    return plan


def give(cast, plan, amount="100", *, key="g1", actor=None, client=None, currency="EUR") -> BonusGrant:
    return grant_bonus(
        client_id=(client or cast.client).pk,
        plan_id=plan.pk,
        amount=Decimal(amount),
        currency=currency,
        reason="A good client",
        request_key=key,
        actor=actor or cast.retention,
    )


def settled_deposit(
    cast, amount_minor=100_000, *, reference="D-BONUS0000001", is_first=True, currency="EUR"
) -> Deposit:
    """A deposit that is in the wallet, as the deposit's own tests make it."""
    psp = make_psp(cast.brand, "northpay") if not cast.brand.psps.exists() else cast.brand.psps.get()
    with transaction.atomic():
        wallet = posting.wallet_of(cast.client, currency)
        posted = posting.post(
            Entry(
                key=f"deposit:{reference}:settle",
                kind=JournalKind.DEPOSIT,
                brand_id=cast.brand.pk,
                lines=(Line(posting.psp_clearing(psp, currency), -amount_minor), Line(wallet, amount_minor)),
            )
        )
        now = timezone.now()
        return Deposit.objects.create(
            client=cast.client,
            brand=cast.brand,
            psp=psp,
            wallet=wallet,
            reference=reference,
            request_key=reference,
            amount_minor=amount_minor,
            currency=currency,
            received_minor=amount_minor,
            credited_minor=amount_minor,
            state="settled",
            journal_id=posted.journal_id,
            settled_at=now,
            created_at=now,
            is_first=is_first,
            base_amount=Decimal(amount_minor) / 100,
        )


def hear(deposit: Deposit) -> None:
    publish(
        DepositSettled(
            client_id=deposit.client_id,
            brand_id=deposit.brand_id,
            deposit_id=deposit.pk,
            amount=deposit.amount,
            currency=deposit.currency,
            psp="northpay",
            is_first=deposit.is_first,
            settled_at=deposit.settled_at,
        )
    )
    events.drain()


def cost(cast, currency="EUR") -> int:
    return posting.balance(posting.house(AccountKind.BONUS_COST, brand_id=cast.brand.pk, currency=currency))


# ── giving ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_staff_give_credit_that_is_not_in_the_wallet(cast, pro):
    grant = give(cast, make_plan(cast))
    assert (grant.state, grant.lots_needed) == (BonusState.ACTIVE, Decimal(2))
    assert bonus_held(pro, "EUR") == 10_000
    assert bonus_held(pro, "USD") == 0
    assert posting.balance(posting.wallet_of(pro, "EUR")) == 0
    assert cost(cast) == -10_000
    assert verify().holds


def test_a_bonus_is_of_the_plan_that_was_chosen(cast, pro):
    make_plan(cast)
    second = make_plan(cast, name="Winter", maximum_minor=30_000)
    ended = make_plan(cast, name="Ended")
    BonusPlan.objects.filter(pk=ended.pk).update(is_enabled=False)
    assert give(cast, second, "300").rule.plan == second
    with pytest.raises(DomainError, match=r"receive up to €0\.00 more"):
        give(cast, second, "1", key="g2")
    with pytest.raises(DomainError, match="no terms in effect"):
        give(cast, ended, key="g3")


def test_above_the_limit_a_second_person_decides(cast, pro):
    grant = give(cast, make_plan(cast), "300")
    assert (grant.state, bonus_held(pro, "EUR")) == (BonusState.PENDING, 0)
    with pytest.raises(NotAllowed):
        decide_bonus(grant_id=grant.pk, approve=True, actor=cast.retention)
    done = decide_bonus(grant_id=grant.pk, approve=True, actor=cast.finance)
    assert (done.state, done.decided_by, bonus_held(pro, "EUR")) == (BonusState.ACTIVE, cast.finance, 30_000)
    with pytest.raises(NotAllowed):
        decide_bonus(grant_id=grant.pk, approve=True, actor=cast.second_finance)


def test_who_asked_never_approves(cast, pro):
    grant = give(cast, make_plan(cast), "300", actor=cast.finance)
    with pytest.raises(NotAllowed):
        decide_bonus(grant_id=grant.pk, approve=True, actor=cast.finance)
    with pytest.raises(IntegrityError), transaction.atomic():
        BonusGrant.objects.filter(pk=grant.pk).update(decided_by=cast.finance)


def test_a_refused_bonus_books_nothing_and_names_its_reason(cast, pro):
    grant = give(cast, make_plan(cast), "300")
    with pytest.raises(DomainError):
        decide_bonus(grant_id=grant.pk, approve=False, actor=cast.finance, reason=" ")
    done = decide_bonus(grant_id=grant.pk, approve=False, actor=cast.finance, reason="No")
    assert (done.state, done.held_minor, Journal.objects.count()) == (BonusState.REJECTED, 0, 0)


def test_a_withdrawn_request_gives_nothing_and_frees_the_maximum(cast, pro):
    plan = make_plan(cast)
    grant = give(cast, plan, "400")
    with pytest.raises(DomainError, match="100"):
        give(cast, plan, "300", key="g2")
    with pytest.raises(NotAllowed):
        withdraw_bonus(grant_id=grant.pk, actor=cast.finance)
    done = withdraw_bonus(grant_id=grant.pk, actor=cast.retention, note="Wrong client")
    assert (done.state, done.held_minor, done.end_reason) == (BonusState.WITHDRAWN, 0, "Wrong client")
    assert not Journal.objects.exists()
    with pytest.raises(NotAllowed, match="Withdrawn"):
        decide_bonus(grant_id=grant.pk, approve=True, actor=cast.finance)
    assert give(cast, plan, "300", key="g2").state == BonusState.PENDING


def test_a_retail_client_in_the_eu_gets_none(cast, pro):
    categorise(pro.pk, Category.RETAIL)
    with pytest.raises(DomainError, match="ESMA"):
        give(cast, make_plan(cast))
    assert not BonusGrant.objects.exists()


def test_a_brand_elsewhere_may_allow_it_for_retail_clients(cast, pro):
    categorise(pro.pk, Category.RETAIL)
    set_policies(cast.brand, bonus_retail_ban=["GB"])
    assert give(cast, make_plan(cast)).state == BonusState.ACTIVE


@pytest.mark.parametrize("change", [{"kyc_level": 0}, {"restrictions": ["no_trading"]}])
def test_an_unverified_or_restricted_client_gets_none(cast, pro, change):
    Client.objects.filter(pk=pro.pk).update(**change)
    with pytest.raises(DomainError):
        give(cast, make_plan(cast))


def test_the_plan_s_most_is_the_client_s_most(cast, pro):
    plan = make_plan(cast, four_eyes_minor=100_000)
    give(cast, plan, "400")
    with pytest.raises(DomainError, match="100"):
        give(cast, plan, "100.01", key="g2")
    give(cast, plan, "100", key="g3")
    assert bonus_held(pro, "EUR") == 50_000


def test_only_who_keeps_clients_gives_and_only_in_reach(cast, pro):
    plan = make_plan(cast)
    for person in (cast.agent, cast.support, cast.auditor):
        with pytest.raises(NotAllowed):
            give(cast, plan, actor=person)
    with pytest.raises(NotAllowed):
        give(cast, plan, client=cast.other_client)  # of another desk
    with pytest.raises(NotAllowed):
        make_plan(type("C", (), {"brand": cast.brand, "finance": cast.retention}), name="Mine")


def test_the_same_form_twice_is_one_bonus_and_another_amount_an_error(cast, pro):
    plan = make_plan(cast)
    assert give(cast, plan).pk == give(cast, plan).pk
    with pytest.raises(IdempotencyConflict):
        give(cast, plan, "50")
    assert bonus_held(pro, "EUR") == 10_000


@pytest.mark.django_db(transaction=True)
def test_two_at_once_give_one(cast, pro):
    plan = make_plan(cast)
    found = at_once(lambda _number: give(cast, plan).pk, 4)
    assert len(set(found)) == 1
    assert bonus_held(pro, "EUR") == 10_000


@pytest.mark.parametrize(
    ("category", "country", "jurisdiction", "may"),
    [
        ("retail", "DE", "VU", False),
        ("retail", "BR", "CY", False),
        ("retail", "BR", "VU", True),
        ("professional", "DE", "CY", True),
    ],
)
def test_the_ban_is_for_retail_clients_of_its_countries_and_licences(cast, pro, category, country, jurisdiction, may):
    pro.category, pro.country, pro.brand.jurisdiction = category, country, jurisdiction
    assert bool(granting.may_have_bonus(pro)) is may
    for name, value in (("kyc_level", 0), ("restrictions", ["no_trading"])):
        kept = getattr(pro, name)
        setattr(pro, name, value)
        assert not granting.may_have_bonus(pro)
        setattr(pro, name, kept)


@pytest.mark.parametrize(("amount", "state"), [("199.99", "active"), ("200", "active"), ("200.01", "pending")])
def test_a_second_person_is_asked_from_above_the_limit(cast, pro, amount, state):
    assert give(cast, make_plan(cast), amount).state == state


def test_a_plan_that_is_off_or_of_another_brand_gives_nothing(cast, pro):
    plan = make_plan(cast)
    granting.switch_plan(plan_id=plan.pk, on=False, actor=cast.finance)
    with pytest.raises(DomainError, match="no terms in effect"):
        give(cast, plan)
    granting.switch_plan(plan_id=plan.pk, on=True, actor=cast.finance)
    BonusPlan.objects.filter(pk=plan.pk).update(brand=cast.other_brand)
    with pytest.raises(DomainError, match="no terms in effect"):
        give(cast, plan)
    BonusPlan.objects.filter(pk=plan.pk).update(brand=cast.brand)
    assert give(cast, plan).state == BonusState.ACTIVE
    rows = AuditEvent.objects.filter(target_id=str(plan.pk), action="wallet.bonus_plan_switched").order_by("pk")
    assert [(row.actor, audit.body_of(row)["after"]) for row in rows] == [
        (cast.finance, {"on": False}),
        (cast.finance, {"on": True}),
    ]


def test_what_others_got_and_other_plans_gave_leaves_the_most_as_it_is(cast, pro):
    plan, other = make_plan(cast, four_eyes_minor=100_000), make_plan(cast, name="Winter", four_eyes_minor=100_000)
    give(cast, other, "500")
    grant = give(cast, plan, "400", key="g2")
    rule = grant.rule
    assert granting._left(pro, rule) == 100
    for fields, left in (
        ({"client": cast.other_client}, 500),
        ({"client": pro, "base_amount": 500}, 0),
        ({"base_amount": 600}, 0),
        ({"base_amount": 499}, 1),
    ):
        BonusGrant.objects.filter(pk=grant.pk).update(**fields)
        assert granting._left(pro, rule) == left


def test_terms_of_the_past_stay(cast, pro):
    plan = make_plan(cast, valid_from=today() - dt.timedelta(days=10))
    with pytest.raises(DomainError):
        make_plan(cast, valid_from=today() - dt.timedelta(days=1))
    later = make_plan(cast, valid_from=today() + dt.timedelta(days=1), maximum_minor=1)
    assert granting.rule_on(later, today()).maximum_minor == 50_000
    assert granting.rule_on(later, today() + dt.timedelta(days=1)).maximum_minor == 1
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        BonusRule.objects.filter(plan=plan).update(maximum_minor=2)


# ── campaigns ────────────────────────────────────────────────────────────────────────────────────────────────────────


def campaign(cast, **terms) -> BonusPlan:
    return make_plan(cast, trigger=BonusTrigger.FIRST_DEPOSIT, percent=Decimal(50), **terms)


def test_half_of_the_first_deposit_up_to_the_most(cast, pro):
    campaign(cast)
    hear(settled_deposit(cast, 60_000))
    grant = BonusGrant.objects.get()
    assert (grant.amount_minor, grant.state, bonus_held(pro, "EUR")) == (30_000, BonusState.ACTIVE, 30_000)
    hear(grant.deposit)
    assert BonusGrant.objects.count() == 1
    assert verify().holds


def test_a_large_deposit_earns_the_most_and_a_second_one_nothing(cast, pro):
    campaign(cast)
    hear(settled_deposit(cast, 900_000))
    hear(settled_deposit(cast, 900_000, reference="D-BONUS0000002", is_first=False))
    assert [grant.amount_minor for grant in BonusGrant.objects.all()] == [50_000]


def test_a_deposit_below_the_least_or_of_a_retail_client_earns_nothing(cast, pro):
    make_plan(cast, trigger=BonusTrigger.EVERY_DEPOSIT, percent=Decimal(50), deposit_minimum_minor=10_000)
    hear(settled_deposit(cast, 9_999))
    assert not BonusGrant.objects.exists()
    categorise(pro.pk, Category.RETAIL)
    hear(settled_deposit(cast, 90_000, reference="D-BONUS0000002", is_first=False))
    assert not BonusGrant.objects.exists()


@pytest.mark.parametrize(("minor", "bonuses"), [(9_999, 0), (10_000, 1), (10_001, 1)])
def test_a_deposit_earns_from_the_least_on(cast, pro, minor, bonuses):
    make_plan(cast, trigger=BonusTrigger.EVERY_DEPOSIT, percent=Decimal(50), deposit_minimum_minor=10_000)
    by_hand, theirs = make_plan(cast, name="By hand", percent=Decimal(50)), campaign(cast, name="Theirs")
    BonusPlan.objects.filter(pk=theirs.pk).update(brand=cast.other_brand)
    found = granting.grant_for_deposit(settled_deposit(cast, minor).pk)
    assert len(found) == bonuses and by_hand.pk not in {grant.rule.plan_id for grant in found}


# ── becoming money ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_closed_lots_free_it_part_by_part_and_a_lot_counts_once(cast, pro):
    plan = make_plan(cast)
    account = make_account(pro, make_server())
    first, second = give(cast, plan), give(cast, plan, key="g2")
    make_trade(account, lots="1", at=timezone.now() + dt.timedelta(seconds=1))
    assert ending.release_by_trading(pro.pk) == 1
    first.refresh_from_db()
    assert (first.released_minor, first.lots_traded, first.state) == (5_000, Decimal(1), BonusState.ACTIVE)
    assert (available(posting.wallet_of(pro, "EUR")), bonus_held(pro, "EUR")) == (5_000, 15_000)
    assert ending.release_by_trading(pro.pk) == 0

    make_trade(account, lots="1.5", at=timezone.now() + dt.timedelta(seconds=1))
    ending.release_by_trading(pro.pk)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.state, first.released_minor) == (BonusState.RELEASED, 10_000)
    assert second.lots_from is not None and second.lots_from > first.granted_at
    assert verify().holds


def test_demo_trades_and_trades_before_it_count_for_nothing(cast, pro):
    server = make_server()
    make_trade(make_account(pro, server), lots="9", at=timezone.now() - dt.timedelta(hours=1))
    give(cast, make_plan(cast))
    make_trade(make_account(pro, server, is_demo=True), lots="9", at=timezone.now() + dt.timedelta(seconds=1))
    assert ending.release_by_trading(pro.pk) == 0


def test_days_free_it_and_what_is_not_freed_in_time_expires(cast, pro):
    by_days = make_plan(cast, name="Days", release_by=ReleaseBy.DAYS, release_days=30, lots_per_hundred=None)
    expiring = make_plan(cast, name="Short", expires_days=10)
    free, lost = give(cast, by_days), give(cast, expiring, key="g2")
    assert ending.due_bonuses() == []
    past = timezone.now() - dt.timedelta(seconds=1)
    BonusGrant.objects.filter(pk=free.pk).update(release_at=past)
    BonusGrant.objects.filter(pk=lost.pk).update(expires_at=past)
    assert ending.due_bonuses() == [free.pk, lost.pk]
    assert [ending.end_in_time(pk) for pk in (free.pk, lost.pk, lost.pk)] == ["released", "expired", "expired"]
    assert (available(posting.wallet_of(pro, "EUR")), bonus_held(pro, "EUR"), cost(cast)) == (10_000, 0, -10_000)
    assert verify().holds


# ── losing it ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_credit_can_t_be_paid_out(cast, pro):
    give(cast, make_plan(cast))
    wallet = posting.wallet_of(pro, "EUR")
    with pytest.raises(InsufficientFunds), transaction.atomic():
        posting.post(
            Entry(
                key="w",
                kind=JournalKind.WITHDRAWAL,
                brand_id=pro.brand_id,
                lines=(
                    Line(wallet, -1),
                    Line(posting.house(AccountKind.SUSPENSE, brand_id=pro.brand_id, currency="EUR"), 1),
                ),
            )
        )


@pytest.mark.parametrize(
    ("rule", "lost"), [(OnWithdrawal.NOTHING, None), (OnWithdrawal.PROPORTIONAL, 2_500), (OnWithdrawal.ALL, 10_000)]
)
def test_what_a_withdrawal_would_take_away(cast, pro, rule, lost):
    give(cast, make_plan(cast, on_withdrawal=rule))
    fund(pro, 40_000)
    found = ending.lost_by_withdrawal(pro, Decimal(100), "EUR")
    assert [minor for _grant, minor in found] == ([] if lost is None else [lost])


def paid_out(client, psp, minor: int, **fields) -> Withdrawal:
    """A withdrawal that was reserved, approved and paid."""
    wallet, clearing, now = posting.wallet_of(client, "EUR"), posting.psp_clearing(psp, "EUR"), timezone.now()
    lines = (Line(wallet, -minor), Line(clearing, minor))
    entry = Entry(key=f"w:{minor}:reserve", kind=JournalKind.WITHDRAWAL, brand_id=client.brand_id, lines=lines)
    with transaction.atomic():
        held = Journal.objects.get(pk=posting.reserve(entry).journal_id)
        posted = posting.settle(key=f"w:{minor}:settle", reservation=held)
        PspMovement.objects.create(
            psp=psp,
            kind="payout",
            reference=f"W-{minor}",
            psp_reference=f"po_{minor}",
            client_id=client.pk,
            journal_id=posted.journal_id,
            amount_minor=-minor,
            currency="EUR",
            occurred_at=now,
        )
        return Withdrawal.objects.create(
            client=client,
            brand=client.brand,
            psp=psp,
            wallet=wallet,
            reference=f"W-{minor}",
            request_key=f"w{minor}",
            request_reference=f"W-{minor}",
            request_minor=minor,
            return_minor=minor,
            amount_minor=minor,
            currency="EUR",
            state="settled",
            sealed_destination=b"x",
            destination_label="IBAN",
            destination_hash="m",
            base_amount=Decimal(minor) / 100,
            approved_automatically=True,
            reservation=held,
            journal_id=posted.journal_id,
            requested_at=now,
            finished_at=timezone.now(),
            **fields,
        )


@pytest.mark.parametrize(("rule", "left"), [(OnWithdrawal.PROPORTIONAL, 7_500), (OnWithdrawal.ALL, 0)])
def test_a_withdrawal_takes_its_part_once_and_verification_holds(cast, pro, rule, left):
    grant = give(cast, make_plan(cast, on_withdrawal=rule))
    fund(pro, 40_000)
    withdrawal = paid_out(pro, make_psp(cast.brand), 10_000)
    assert ending.burn_by_withdrawal(withdrawal.pk) == 1, "as many as lost something"
    ending.burn_by_withdrawal(withdrawal.pk)
    grant.refresh_from_db()
    assert (grant.held_minor, bonus_held(pro, "EUR")) == (left, left)
    assert grant.state == (BonusState.ACTIVE if left else BonusState.BURNED)
    assert verify().holds


@pytest.mark.parametrize(("seconds", "left"), [(-1, 7_500), (0, 7_500), (1, 10_000)])
def test_a_payment_that_comes_back_takes_first_what_was_not_heard_within_a_day(cast, pro, seconds, left):
    grant = give(cast, make_plan(cast, on_withdrawal=OnWithdrawal.PROPORTIONAL))
    fund(pro, 40_000)
    withdrawal = paid_out(pro, make_psp(cast.brand), 10_000)
    with time_machine.travel(withdrawal.finished_at + dt.timedelta(days=1, seconds=seconds), tick=False):
        restoring.take_first(withdrawal)
    grant.refresh_from_db()
    assert grant.held_minor == left


def test_a_reversed_deposit_takes_its_bonus_with_it(cast, pro):
    campaign(cast)
    deposit = settled_deposit(cast, 60_000)
    hear(deposit)
    for _again in range(2):
        publish(
            DepositReversed(
                client_id=pro.pk,
                brand_id=pro.brand_id,
                deposit_id=deposit.pk,
                amount=Decimal(600),
                currency="EUR",
                kind="chargeback",
            )
        )
        events.drain()
    grant = BonusGrant.objects.get()
    assert (grant.state, bonus_held(pro, "EUR"), cost(cast)) == (BonusState.BURNED, 0, 0)
    assert deposit.reference in grant.end_reason


def test_abuse_takes_it_away_with_a_reason(cast, pro):
    grant = give(cast, make_plan(cast))
    with pytest.raises(NotAllowed):
        ending.take_bonus_away(grant_id=grant.pk, actor=cast.retention, reason="Hedged")
    with pytest.raises(DomainError):
        ending.take_bonus_away(grant_id=grant.pk, actor=cast.finance, reason="")
    ending.take_bonus_away(grant_id=grant.pk, actor=cast.finance, reason="Hedged against another account")
    with pytest.raises(WrongState):
        ending.take_bonus_away(grant_id=grant.pk, actor=cast.finance, reason="Again")
    assert bonus_held(pro, "EUR") == 0


def test_a_negative_balance_is_paid_from_credit_first(cast, pro):
    account = make_account(pro, make_server())
    grant = give(cast, make_plan(cast))
    deal = make_trade(account, at=timezone.now() + dt.timedelta(seconds=1))
    from tests.wallet.factories import raw

    raw("UPDATE trading_deal SET action = 19, profit = 30, closed_lots = 0 WHERE id = %s", deal)
    assert ending.burn_by_negative_balance(deal) == 1
    ending.burn_by_negative_balance(deal)  # a second delivery
    grant.refresh_from_db()
    assert (grant.burned_minor, grant.held_minor, bonus_held(pro, "EUR")) == (3_000, 7_000, 7_000)
    assert verify().holds


def test_verification_notices_credit_that_no_bonus_explains(cast, pro):
    give(cast, make_plan(cast))
    BonusGrant.objects.update(amount_minor=10_001)
    assert any("credit of client" in problem for problem in verify().problems)


@given(minor=st.integers(0, 10**15), part=st.decimals(0, 2, places=8))
def test_a_part_is_never_more_than_the_whole(minor, part):
    found = ending.part_of(minor, part)
    assert 0 <= found <= minor
    assert found == minor if part >= 1 else Decimal(found) <= minor * part < found + 1


def test_a_plan_for_a_segment_is_for_its_members_alone(cast, pro):
    chosen = create_segment(brand_id=cast.brand.pk, name="VIP", actor=cast.desk_head)
    plan = make_plan(cast, trigger=BonusTrigger.EVERY_DEPOSIT, percent=Decimal(10), segment=chosen)
    assert promotions_for(pro) == []
    with pytest.raises(DomainError, match="VIP"):
        give(cast, plan)
    assert granting.grant_for_deposit(settled_deposit(cast).pk) == []
    add_members(segment_id=chosen.pk, client_ids=[pro.pk], actor=cast.desk_head)
    assert [offer.rule.segment for offer in promotions_for(pro)] == [chosen]
    (grant,) = granting.grant_for_deposit(Deposit.objects.get().pk)
    assert grant.amount_minor == 10_000 and give(cast, plan).amount_minor == 10_000
