"""What sold challenges earn against the brute force, in the oracle's random worlds: with ranks, ratios, caps and returned fees."""

import datetime as dt
import itertools
import random
from collections import Counter
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ib import engine, rollup
from ib.agreements import ranks
from ib.calculation import sales
from ib.choices import SALES_FROM, FeeReturn
from ib.models import Accrual
from tests.examples import examples
from tests.ib import factories, oracle
from tests.ib.test_oracle import CURRENCIES, MONTHS, Builder, Undo, agree

pytestmark = pytest.mark.django_db


class Shop(Builder):
    """A world whose plans pay for sold challenges, and whose clients buy some."""

    def make_sales(self, version):
        if version.network == "difference" or version.cap_revenue is not None:
            return []
        kinds = self.random.sample(["sale", "sale_share"], self.random.choice([0, 1, 1, 2]))
        most = self.random.choice([None, None, Decimal("4.5")])
        worth = {"sale": self.cents() + 1, "sale_share": Decimal(self.random.randrange(1, 10**6)) / 10**6}
        return [oracle.Part(kind, "", "", worth[kind], most) for kind in sorted(kinds)]

    def sell(self, count):
        """Some of the fees are returned later."""
        clients, sold = sorted({account.client_id for account in self.accounts}), []
        for number in range(1, count + 1):
            about = {"client_id": self.random.choice(clients), "currency": self.random.choice(CURRENCIES)}
            at, price = self.instant(), Decimal(self.random.choice(["300", "49.99", "0.12345678"]))
            row = sales.record_sale(challenge_number=number, sold_at=at, price=price, **about)
            sold.append(
                oracle.Sale(
                    -(SALES_FROM + row.pk), at=at, price=price, client=about["client_id"], currency=row.currency
                )
            )
        return sold


@settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(seed=st.integers(0, 2**32), partners=st.integers(2, 12))
def test_sold_challenges_earn_what_the_brute_force_says(cast, seed, partners):
    factories.load_rates()
    check_shop(cast, seed, partners)


def check_shop(cast, seed, partners, count=20):
    """Sell challenges one by one in a world that trades, return some of the fees, and calculate all again."""
    try:
        with transaction.atomic():
            shop = Shop(cast, random.Random(seed))
            shop.build(partners, 6, 8)
            for month, following in itertools.pairwise(MONTHS):
                ranks.review_ranks(brand=cast.brand, at=following - dt.timedelta(seconds=1))
                oracle.review(shop.world, month)
            engine.run_for_deals(deal_ids=list(shop.trades))
            sold = shop.sell(count)
            agree(shop, sold)
            for sale in sold[::5]:
                sales.record_return(challenge_number=sold.index(sale) + 1, because=FeeReturn.REFUNDED)
                sale.is_returned = True
            before = Accrual.objects.count()
            assert sales.calculate(cast.brand, sales.Sold()).rows == 0 and Accrual.objects.count() == before
            expected = oracle.all_earnings(shop.world, list(shop.trades.values()), {}, sold)
            amounts = {key: amount for key, (_why, amount) in expected.items()}
            found = dict.fromkeys(amounts, Decimal(0))
            for row in Accrual.objects.all():
                found[row.deal_id, row.partner_id, row.level, row.component] += row.amount
            assert found == amounts and rollup.differences() == []
            lines = Accrual.objects.filter(kind="original", deal_id__lt=-SALES_FROM)
            compared = Counter(
                (component, reason or "paid") for component, reason in lines.values_list("component", "reason")
            )
            raise Undo
    except Undo:
        return compared
