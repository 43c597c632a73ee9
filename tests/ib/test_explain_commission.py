"""`manage.py explain_commission`: the same figures as the accruals, each step filled in, and why there is no line."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ib import engine
from ib.models import Accrual
from ib.queries import of_deals
from tests.ib.factories import NOON, make_account, make_deal, make_trade
from trading.models import Deal

pytestmark = pytest.mark.django_db


def explained(deal, *options):
    out = io.StringIO()
    call_command("explain_commission", str(Deal.every.get(pk=deal).ticket), *options, stdout=out)
    return out.getvalue()


def test_a_deal_is_explained_with_each_levels_part(network, cast):
    deal = make_trade(network.account, lots="2")
    engine.run_for_deals(deal_ids=[deal])
    (found,) = json.loads(explained(deal, "--json"))
    assert [(line["level"], Decimal(line["amount"]), line["is_paid"]) for line in found["lines"]] == [
        (1, Decimal(12), True),
        (2, Decimal(6), True),
        (3, Decimal(2), True),
    ]
    assert "2 lots × 10 EUR per lot × 60 % for level 1" in found["lines"][0]["steps"][-1]["text"]
    assert {total["partner"] for total in found["totals"]} == {
        p.code for p in (network.sub, network.master, network.top)
    }
    text = explained(deal)
    assert f"{network.sub.code}: 12" in text and "2 lots of EURUSD closed" in text


def test_a_deal_that_was_not_paid_says_why(network):
    deal = make_trade(network.account, held_seconds=10)
    engine.run_for_deals(deal_ids=[deal])
    assert "not paid" in explained(deal) and "requires at least 180 seconds" in explained(deal)


@pytest.mark.parametrize("case", ["opening", "balance", "demo", "nobody", "not yet"])
def test_a_deal_without_a_line_says_why(network, cast, case):
    account = network.account
    if case == "demo":
        account = make_account(cast.client, is_demo=True)
    elif case == "nobody":
        account = make_account(cast.other_client)
    about = {"at": NOON, "lots": "1", "position": 9}
    deal = make_deal(
        account, entry=0 if case == "opening" else 1, action=2 if case == "balance" else 0, closed="1", **about
    )
    engine.run_for_deals(deal_ids=[deal] if case != "not yet" else [])
    said = {
        "opening": "opens a position",
        "balance": "balance operation",
        "demo": "demo account",
        "nobody": "No partner referred",
        "not yet": "hasn't been calculated yet",
    }
    assert said[case] in explained(deal)


@pytest.mark.parametrize("number", ["12a", "-1", "1" * 19, "99999999"])
def test_a_number_that_is_none_is_refused(number, network):
    with pytest.raises(CommandError, match=r"digits only|no deal"):
        call_command("explain_commission", number)


def test_the_lines_of_a_deal_are_found_by_index(network):
    """Originals and what was added to them have an index each; a table of all brands' lines is never read through."""
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    assert Accrual.objects.filter(of_deals([deal])).count() == 3
    with connection.cursor() as cursor:
        # Neither way of reading a small table through.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    plan = Accrual.objects.filter(of_deals([deal])).explain()
    assert "one_accrual_per_deal_partner_level_and_component" in plan and "corrections_of_a_deal" in plan
