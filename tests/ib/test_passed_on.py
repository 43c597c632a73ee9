"""What a plan passes on of the rebates of the client's own partner: off the partner's line, into the client's wallet."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from clients.models import TimelineEntry
from crm import approvals
from crm.choices import Jurisdiction
from crm.errors import DomainError
from crm.models import Brand
from ib import clawback, engine, plans, rollup, settlement
from ib.agreements.cards import VersionTerms, limit_sentences
from ib.agreements.what_if import run_what_if
from ib.explain import explain
from ib.models import Accrual, ClientRebate, PartnerPlan, PlanVersion, ReplayProposal, Settlement
from ib.plan_editor.version_form import VersionForm
from ib.replay.proposals import propose_replay
from ib.settlements import forfeits
from ib.settlements.disputes import open_dispute
from tests.ib.factories import LONG_AGO, NOON, card, make_trade
from tests.ib.test_agreements import agree, components
from tests.ib.test_replay import edit, replayed
from tests.ib.test_settlement import NEXT, accrue, arrived, period_of
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.documents.statement import gather
from wallet.ledger import posting
from wallet.models import Journal

pytestmark = pytest.mark.django_db
QUARTER = Decimal(25)


@pytest.fixture
def passing(network, cast):
    """The sub's plan pays 10 EUR a lot, 60 % to level 1 and 30 % above; a quarter of level 1's goes to the client."""
    Brand.objects.filter(pk=cast.brand.pk).update(jurisdiction=Jurisdiction.SC)
    cast.brand.refresh_from_db()
    agree(cast, network.sub, card({"fx_majors": "10"}, {1: "0.6", 2: "0.3"}), passed_percent=QUARTER)
    return network


def wallet(client, currency="EUR"):
    return posting.balance(posting.wallet_of(client, currency))


def settle(cast, at=NOON):
    return settlement.settle_period(period_id=period_of(at).pk, actor=cast.finance)


def left(partner):
    return sum(Accrual.objects.filter(partner=partner).values_list("amount", flat=True))


def test_the_clients_part_goes_to_the_wallet_and_the_rest_to_the_partner(passing, cast):
    """docs/domain/ib.md: 2 lots × 10 EUR × 60 % = 12 EUR, of which 25 % = 3 EUR go to the client; the level above keeps its 6."""
    accrue(passing, lots="2")
    line, part = Accrual.objects.filter(partner=passing.sub).order_by("pk")
    assert (line.amount, part.amount, part.kind, part.corrects) == (12, -3, "passed", line)
    assert "25 % of it goes to the client, by the plan" in [step.text for step in explain(line)]
    settle(cast)
    assert {row.partner: row.amount for row in Settlement.objects.all()} == {passing.sub: 9, passing.master: 6}
    rebate = ClientRebate.objects.get()
    assert (rebate.amount, rebate.carried_out, rebate.trades, wallet(cast.client)) == (3, 0, 1, 300)
    assert rebate.journal.kind == JournalKind.REBATE
    assert posting.balance(posting.house(AccountKind.IB_COMMISSIONS, brand_id=cast.brand.pk, currency="EUR")) == -1800
    entry = TimelineEntry.objects.get(client=cast.client, dedupe_key__startswith="ib.rebate")
    assert entry.is_visible_to_client and "3.00" in entry.title
    settlement.settle_cycles(brand=cast.brand)
    assert ClientRebate.objects.count() == 1 and rollup.differences() == []


def test_the_clients_portal_shows_the_rebate(passing, cast, browse):
    accrue(passing)
    settle(cast)
    today = dt.datetime.now(dt.UTC).date()
    (part,) = gather(cast.client, today, today).parts
    assert [(line.kind, line.amount) for line in part.lines] == [(JournalKind.REBATE, Decimal("1.5"))]
    assert "Rebate credited: €1.50" in browse(cast.client.user).get(reverse("portal_activity")).content.decode()


def test_what_is_finer_than_a_cent_is_carried_per_client(passing, cast):
    """0.01 lots pay 0.06 EUR, of which 0.015 go to the client: a cent now, two with the next month's."""
    accrue(passing, lots="0.01")
    settle(cast)
    accrue(passing, lots="0.01", at=NOON + NEXT)
    settle(cast, NOON + NEXT)
    first, second = ClientRebate.objects.order_by("pk")
    assert (first.amount, first.carried_out) == (Decimal("0.01"), Decimal("0.005"))
    assert (second.amount, second.carried_in, second.carried_out) == (Decimal("0.02"), Decimal("0.005"), 0)
    assert second.previous == first and wallet(cast.client) == 3


def test_a_clawback_takes_the_clients_part_as_far_as_the_wallet_has_it(passing, cast):
    """12 EUR are forfeited: the partner's 9, and of the client's 3 the 2 that are left; the other one is offset later."""
    accrue(passing, lots="2")
    settle(cast)
    spent = posting.Line(posting.wallet_of(cast.client, "EUR"), -100)
    house = posting.house(AccountKind.FEES, brand_id=cast.brand.pk, currency="EUR")
    posting.post(posting.Entry("spent", JournalKind.ADJUSTMENT, cast.brand.pk, (spent, posting.Line(house, 100))))
    forfeits.declare(client_id=cast.client.pk, cause="fraud")
    assert left(passing.sub) == 0
    accrue(passing, at=NOON + NEXT)  # forfeited, too
    settle(cast, NOON + NEXT)
    taken = ClientRebate.objects.latest("pk")
    assert (taken.accrued, taken.amount, taken.carried_out, wallet(cast.client)) == (-3, -2, -1, 0)
    forfeits.lift(client_id=cast.client.pk, cause="fraud")
    settle(cast, NOON + 2 * NEXT)
    again = ClientRebate.objects.latest("pk")
    assert (again.accrued, again.carried_in, again.amount) == (Decimal("4.5"), -1, Decimal("3.5"))
    assert wallet(cast.client) == 350 and left(passing.sub) == Decimal("13.5")


def test_a_reversed_deposit_takes_its_part_of_both(passing, cast):
    deposit = arrived(cast, 100_00, NOON - dt.timedelta(days=1), "1")
    accrue(passing, lots="2")
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50), reference="cb-1")
    assert left(passing.sub) == Decimal("4.5")
    clawback.give_back(deposit_id=deposit.pk, amount=Decimal(50), reference="cb-1")
    assert left(passing.sub) == 9


def test_what_is_in_dispute_waits_for_the_client_too(passing, cast):
    accrue(passing)
    line = Accrual.objects.filter(partner=passing.sub).earliest("pk")
    dispute = open_dispute(partner_id=passing.sub.pk, accrual_id=line.pk, actor=passing.sub.user, reason="Wrong lots")
    settle(cast)
    assert dispute.state == "open" and wallet(cast.client) == 0 and not ClientRebate.objects.exists()


def test_a_corrected_deal_and_another_version_change_what_is_passed_on(passing, cast):
    """Half the lots halve both; a version of the same rates that passes on half takes no more than the trades it pays."""
    deal = make_trade(passing.account, lots="2")
    engine.run_for_deals(deal_ids=[deal])
    edit(deal, closed_lots=Decimal(1))
    replay = replayed(cast)
    assert {line.level: (line.before, line.after) for line in replay.lines.all()} == {1: (9, Decimal("4.5")), 2: (6, 3)}
    item = propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="Edited")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert left(passing.sub) == Decimal("4.5")
    PartnerPlan.usual.filter(partner=passing.sub, ends_at=None).update(ends_at=LONG_AGO.replace(day=4))
    half = agree(cast, passing.master, card({"fx_majors": "10"}, {1: "0.6", 2: "0.3"}), passed_percent=Decimal(50))
    PartnerPlan.objects.create(partner=passing.sub, plan=half.plan, starts_at=LONG_AGO.replace(day=5))
    engine.run_for_deals(deal_ids=[deal], corrects=True)
    assert left(passing.sub) == 3 and rollup.differences() == []
    assert replayed(cast).state == "same"
    assert engine.run_for_deals(deal_ids=[deal], corrects=True).rows == 0


def test_losses_stay_with_the_partner(network, cast):
    Brand.objects.filter(pk=cast.brand.pk).update(jurisdiction=Jurisdiction.SC)
    cast.brand.refresh_from_db()
    parts = components(("lot", "", "", Decimal(10)), ("loss", "", "", Decimal("0.1")))
    agree(cast, network.sub, parts, passed_percent=Decimal(100))
    accrue(network, profit="-50")
    rows = Accrual.objects.filter(partner=network.sub).order_by("pk").values_list("component", "amount")
    assert sorted(rows) == [("loss", 3), ("lot", -6), ("lot", 6)]


def test_a_licence_that_forbids_it_refuses_the_plan(network, cast):
    terms = VersionTerms(starts_at=NOON, currency="EUR", card=card(), passed_percent=QUARTER)
    with pytest.raises(DomainError, match="allow passing rebates on"):
        plans.draft_version(plan_id=network.version.plan_id, actor=cast.ib_manager, terms=terms)
    terms = VersionTerms(starts_at=NOON, currency="EUR", card=card())
    draft = plans.draft_version(plan_id=network.version.plan_id, actor=cast.ib_manager, terms=terms)
    with pytest.raises(IntegrityError, match="passed_on_is_a_percentage"), transaction.atomic():
        PlanVersion.objects.filter(pk=draft.pk).update(passed_percent=101)


def test_form_sentence_and_what_if_know_it(passing, cast):
    version = PlanVersion.objects.get(passed_percent=QUARTER)
    assert any("25 % of what a client's own partner earns in rebates" in text for text in limit_sentences(version))
    assert VersionForm(like=version)["passed_percent"].value() == 25
    accrue(passing, lots="2")
    terms = VersionTerms(
        NOON + NEXT, "EUR", card({"fx_majors": "10"}, {1: "0.6", 2: "0.3"}), passed_percent=Decimal(50)
    )
    draft = plans.draft_version(plan_id=version.plan_id, actor=cast.ib_manager, terms=terms)
    kept = run_what_if(version_id=draft.pk, days=30, for_plan_id=None, actor=cast.ib_manager, at=NOON + NEXT / 2)
    assert (kept.before, kept.after, kept.passed_on) == (18, 18, 6)


def test_two_settlements_credit_a_client_once(passing, cast):
    accrue(passing)
    settle(cast)
    settlement.settle_due()
    assert Journal.objects.filter(kind=JournalKind.REBATE).count() == 1


def per_lot(cast, network, amount="2", **more):
    """The sub's plan pays 10 EUR a lot, 60 % to level 1; so much per lot goes to the client."""
    Brand.objects.filter(pk=cast.brand.pk).update(jurisdiction=Jurisdiction.SC)
    cast.brand.refresh_from_db()
    rates = more.pop("rates", None) or card({"fx_majors": "10"}, {1: "0.6", 2: "0.3"})
    return agree(cast, network.sub, rates, passed_per_lot=Decimal(amount), **more)


def test_an_amount_per_lot_goes_to_the_client_and_shrinks_with_what_is_left(network, cast):
    """docs/domain/ib.md: of 2 lots × 6 EUR 2 × 2 EUR go to the client; half the deposit gone, half of each is left."""
    deposit = arrived(cast, 100_00, LONG_AGO, "a")
    per_lot(cast, network, clawback_days=3650)
    accrue(network, lots="2")
    line, part = Accrual.objects.filter(partner=network.sub).order_by("pk")
    assert (line.amount, part.amount, part.kind) == (12, -4, "passed")
    assert "2 EUR per lot of it goes to the client, by the plan" in [step.text for step in explain(line)]
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50))
    assert left(network.sub) == 4 and rollup.differences() == []
    settle(cast)
    assert wallet(cast.client) == 100_00 + 200


@pytest.mark.parametrize(
    ("amount", "terms", "kept"),
    [("7", {}, 0), ("6", {"cap_day": Decimal(3)}, 0), ("3", {"cap_day": Decimal(3)}, Decimal("1.5"))],
)
def test_never_more_than_the_partner_earns_per_lot_is_passed_on(network, cast, amount, terms, kept):
    per_lot(cast, network, amount, **terms)
    accrue(network, lots="2")
    assert left(network.sub) == kept
    assert engine.run_for_deals(deal_ids=[Accrual.objects.first().deal_id], corrects=True).rows == 0


def test_an_amount_per_lot_is_of_the_rebate_per_lot_alone(network, cast):
    rates = components(("lot", "", "", Decimal(10)), ("loss", "", "", Decimal("0.1")))
    version = per_lot(cast, network, rates=rates)
    accrue(network, profit="-50")
    rows = Accrual.objects.filter(partner=network.sub).values_list("component", "amount")
    assert sorted(rows) == [("loss", 3), ("lot", -2), ("lot", 6)]
    assert "2.00" in limit_sentences(version)[0] and "per lot" in limit_sentences(version)[0]
    assert VersionForm(like=version)["passed_per_lot"].value() == 2
    terms = VersionTerms(NOON + NEXT, "EUR", rates, passed_per_lot=Decimal(3))
    draft = plans.draft_version(plan_id=version.plan_id, actor=cast.ib_manager, terms=terms)
    kept = run_what_if(version_id=draft.pk, days=30, for_plan_id=None, actor=cast.ib_manager, at=NOON + NEXT / 2)
    assert kept.passed_on == 3
    both = VersionTerms(NOON + NEXT, "EUR", card(), passed_per_lot=Decimal(3), passed_percent=QUARTER)
    with pytest.raises(DomainError, match="not both"):
        plans.draft_version(plan_id=version.plan_id, actor=cast.ib_manager, terms=both)
    with pytest.raises(IntegrityError, match="passed_on_is_a_percentage_or_an_amount"), transaction.atomic():
        PlanVersion.objects.filter(pk=draft.pk).update(passed_percent=5)
