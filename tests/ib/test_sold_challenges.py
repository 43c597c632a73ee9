"""What partners earn on prop challenges that their clients buy: once per challenge, taken back with the fee."""

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from crm.errors import DomainError
from ib import clawback, periods, plans, rollup, settlement
from ib.agreements import what_if
from ib.agreements.card_rules import check_card
from ib.agreements.cards import ComponentRow, RateCard, VersionTerms
from ib.agreements.files import read_yaml, write_yaml
from ib.calculation import sales
from ib.choices import FeeReturn
from ib.explain import explain
from ib.models import Accrual, ChallengeSale, SettlementPeriod
from ib.plan_editor.version_form import VersionForm, initial_of
from ib.replay import replays
from tests.ib import factories
from tests.ib.test_net_revenue import OCTOBER, SEPTEMBER, agree
from tests.ib.test_settlement import arrived

pytestmark = pytest.mark.django_db
SOLD_AT = SEPTEMBER + dt.timedelta(days=3, hours=10)


def card(amount="40", share="0.1", **more):
    rows = [("sale", amount), ("sale_share", share)]
    return RateCard(
        {},
        {1: Decimal("0.6"), 2: Decimal("0.4")},
        {},
        tuple(ComponentRow(pays, "", "", Decimal(value), **more) for pays, value in rows if value),
    )


def sell(client, number=7, price="300", at=SOLD_AT, currency="EUR"):
    return sales.record_sale(
        client_id=client.pk, challenge_number=number, sold_at=at, price=Decimal(price), currency=currency
    )


def lines():
    return list(Accrual.objects.order_by("pk").values_list("kind", "level", "component", "reason", "amount"))


def left():
    found = {}
    for row in Accrual.objects.all():
        found[row.level, row.component] = found.get((row.level, row.component), Decimal(0)) + row.amount
    return found


def test_the_worked_example_of_the_docs(network, cast):
    """A challenge for 300 EUR, 40 EUR and 10 % of the fee: 24 + 18 EUR at level 1 and 16 + 12 EUR at level 2; once."""
    agree(cast, network, card())
    sell(cast.client)
    sell(cast.client)
    assert lines() == [
        ("original", 1, "sale", "", 24),
        ("original", 1, "sale_share", "", 18),
        ("original", 2, "sale", "", 16),
        ("original", 2, "sale_share", "", 12),
    ]
    fixed, share = Accrual.objects.filter(level=1).order_by("pk")
    assert (fixed.place, fixed.ticket, fixed.is_monthly) == ("Challenge #7", 7, False)
    assert [(step.text, step.figure) for step in explain(fixed)[1:]] == [
        ("Challenges sold", "1"),
        (f"{fixed.version}: 40 EUR per challenge × 60 % for level 1", "24 EUR"),
    ]
    assert [(step.text, step.figure) for step in explain(share)[1:]] == [
        ("What the client paid for the challenge", "300 EUR"),
        (f"{share.version}: 10 % of it × 60 % for level 1", "18 EUR"),
    ]
    assert sales.review_sales(brand=cast.brand, at=OCTOBER).rows == 0 and rollup.differences() == []


def test_a_challenge_is_explained_by_its_number(network, cast):
    def explained(number):
        out = io.StringIO()
        call_command("explain_commission", challenge=number, json=True, stdout=out)
        call_command("explain_commission", challenge=number, stdout=text)
        return json.loads(out.getvalue())[0]

    text = io.StringIO()
    sell(cast.client, number=6)
    assert explained(6)["why_none"] == "No plan paid for sold challenges then."
    agree(cast, network, card())
    sell(cast.client)
    found = explained(7)
    assert [(line["level"], Decimal(line["amount"])) for line in found["lines"]] == [(1, 24), (1, 18), (2, 16), (2, 12)]
    assert found["lines"][1]["steps"][-1]["text"].endswith("10 % of it × 60 % for level 1")
    assert f"{network.sub.code}: 42.00000000 EUR in all" in text.getvalue()
    sell(cast.other_client, number=8)
    assert explained(8)["why_none"] == "No partner referred the client when the challenge was sold."
    sales.record_return(challenge_number=7, because=FeeReturn.REFUNDED)
    assert explained(7)["returned_because"] == "refunded" and "fee returned at" in text.getvalue()
    with pytest.raises(CommandError, match="No such challenge"):
        explained(9)
    with pytest.raises(CommandError, match="Enter a deal's number"):
        call_command("explain_commission", "5", challenge=7)


def test_a_returned_fee_takes_all_of_it_back_once_and_the_line_says_why(network, cast):
    agree(cast, network, card(share=""))
    sell(cast.client)
    for _repeat in range(2):
        sales.record_return(challenge_number=7, because=FeeReturn.REFUNDED)
    assert lines()[2:] == [("delta", 1, "sale", "fee_returned", -24), ("delta", 2, "sale", "fee_returned", -16)]
    sales.record_return(challenge_number=7, because=FeeReturn.CHARGED_BACK)
    assert ChallengeSale.objects.get().returned_because == "refunded"
    assert sales.review_sales(brand=cast.brand, at=OCTOBER).rows == 0 and rollup.differences() == []
    assert replayed(cast).state == "same"


def test_a_reversed_deposit_and_a_returned_fee_take_no_more_than_there_was(network, cast):
    """Half the deposit charged back takes half; the challenge ended for it takes the rest, not one and a half."""
    agree(cast, network, card(share=""), clawback_days=365)
    deposit = arrived(cast, 300_00, SEPTEMBER, "a")
    sell(cast.client)
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(150))
    assert left() == {(1, "sale"): 12, (2, "sale"): 8}
    sales.record_return(challenge_number=7, because=FeeReturn.CHARGED_BACK)
    assert left() == {(1, "sale"): 0, (2, "sale"): 0}
    assert rollup.differences() == [] and replayed(cast).state == "same"


def test_the_agreement_of_the_sale_pays_and_it_is_settled(network, cast):
    """A plan agreed a day later changes nothing; a fee in dollars is converted by the day's rate."""
    agree(cast, network, card(amount="", share="0.1"))
    other = factories.make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=card(amount="500"))
    plans.assign_plan(partner_id=network.sub.pk, plan_id=other.plan_id, actor=None, at=SOLD_AT + dt.timedelta(days=1))
    sell(cast.client, price="250", currency="USD")
    line = Accrual.objects.get(level=1)
    worth = (250 * line.basis_fx * line.rate * line.share).quantize(Decimal("0.00000001"), "ROUND_DOWN")
    assert (line.basis, line.basis_currency, line.amount) == (250, "USD", worth) and line.basis_fx != 1
    night = OCTOBER + dt.timedelta(hours=3)
    periods.ensure_periods(cast.brand, SEPTEMBER, night)
    for period in SettlementPeriod.objects.filter(starts_at__lte=SEPTEMBER).order_by("starts_at"):
        rows = settlement.settle_period(period_id=period.pk, actor=cast.finance, at=night)
    assert {row.partner_id for row in rows} == {network.sub.pk, network.master.pk}


def test_a_client_credited_late_is_paid_for_and_a_replay_says_so(network, cast):
    agree(cast, network, card(share=""))
    ChallengeSale.objects.create(
        client=cast.client, challenge_number=9, sold_at=SOLD_AT, price=Decimal(100), currency="EUR"
    )
    found = replayed(cast)
    assert [(line.cause, line.after) for line in found.lines.order_by("level")] == [("sale", 24), ("sale", 16)]
    assert not Accrual.objects.exists()
    sales.review_sales(brand=cast.brand, at=OCTOBER)
    assert left() == {(1, "sale"): 24, (2, "sale"): 16} and replayed(cast).state == "same"


def replayed(cast):
    replay = replays.request_replay(
        brand=cast.brand, from_at=SEPTEMBER, to_at=OCTOBER, actor=cast.ib_manager, reason="Sold challenges"
    )
    return replays.run_replay(replay_id=replay.pk)


def test_a_what_if_counts_challenges_of_its_days(network, cast):
    version = agree(cast, network, card(share=""))
    sell(cast.client)
    terms = VersionTerms(starts_at=OCTOBER, currency="EUR", card=card(amount="60", share=""))
    draft = plans.draft_version(plan_id=version.plan_id, actor=cast.ib_manager, terms=terms)
    kept = what_if.run_what_if(version_id=draft.pk, days=30, for_plan_id=None, actor=cast.ib_manager, at=OCTOBER)
    assert (kept.before, kept.after) == (40, 60)


def test_form_file_and_sentence_say_it(network, cast):
    version = agree(cast, network, card(cap=Decimal(25)))
    text = write_yaml(version)
    assert "pays: sale\n  value: 40\n" in text and "pays: sale_share\n  value: 10\n" in text
    assert read_yaml(text.encode(), starts_at=OCTOBER).card == card(cap=Decimal(25))
    assert [row.sentence("EUR") for row in card(cap=Decimal(25)).components] == [
        "40 EUR for each challenge that a client buys, unless its fee is returned, at most €25.00 per challenge",
        "10 % of the fee of each challenge that a client buys, unless it is returned, at most €25.00 per challenge",
    ]
    initial = {name: value for name, value in initial_of(version).items() if value is not None}
    assert (initial["part_2_kind"], initial["part_2_value"]) == ("sale_share", 10)
    assert VersionForm(like=version)["part_1_kind"].value() == "sale"


@pytest.mark.parametrize(
    ("more", "says"), [({"network": "difference"}, "difference"), ({"cap_revenue": Decimal(50)}, "part of the revenue")]
)
def test_what_cannot_be_meant_is_refused(more, says):
    terms = {"is_pool": True, "network": "introducer", "jurisdiction": "CY"}
    check_card(card(), **terms)
    with pytest.raises(DomainError, match=says):
        check_card(card(), **{**terms, **more})
