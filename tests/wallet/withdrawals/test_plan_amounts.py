"""A withdrawal whose part does not fit its method says what would be left, and the nearest amounts that go."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import DomainError
from tests.wallet.factories import fund, make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, ask, rich
from tests.wallet.withdrawals.test_withdrawal_parts import mixed
from wallet.models import PaymentMethod
from wallet.withdrawals.payout_methods import payout_method
from wallet.withdrawals.plan_amounts import nearest
from wallet.withdrawals.return_to_source import AmountDoesNotGo, plan_withdrawal

__all__ = ["mixed", "rich"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(mixed, cast, outside):
    """Pays out from EUR 50 to 100; the wallet holds 300 that go back to a card, and 150 of profit."""
    return make_psp(
        cast.brand,
        "sepalink",
        base_url=outside.running.url,
        kind="bank",
        payout_minimum_minor=5_000,
        payout_maximum_minor=10_000,
        label="Bank transfer",
    )


def test_a_remainder_below_the_minimum_is_named_with_the_two_nearest_amounts(bank, cast, outside):
    with pytest.raises(AmountDoesNotGo) as refused:
        ask(cast, outside, "310", psp=bank)
    assert str(refused.value) == (
        "Of €310.00, only €10.00 would go to IBAN •••• 5030; the rest goes back to where it came from. "
        "Bank transfer pays out €50.00 to €100.00 at a time. Request €300.00 or €350.00 instead."
    )
    for amount in ("300", "350"):
        assert plan(cast, bank, amount).parts


def test_it_is_said_in_german_too(bank, cast, outside):
    with translation.override("de"), pytest.raises(AmountDoesNotGo) as refused:
        ask(cast, outside, "310", psp=bank)
    words = str(refused.value).replace("\xa0", " ")
    assert "Von 310,00 € gingen nur 10,00 €" in words and "300,00 € oder 350,00 €" in words


def test_a_part_above_the_maximum_says_which_amount_still_goes(bank, cast, outside):
    with pytest.raises(AmountDoesNotGo, match=r"Of €420\.00, €120\.00 would go to .* Request €400\.00 instead\."):
        ask(cast, outside, "420", psp=bank)


def test_more_than_there_is_is_never_advised(bank, cast, outside):
    PaymentMethod.objects.filter(psp=bank).update(payout_minimum_minor=16_000, payout_maximum_minor=99_000)
    with pytest.raises(AmountDoesNotGo, match=r"Request €300\.00 instead\.$"):
        ask(cast, outside, "310", psp=bank)


def test_a_fee_that_eats_the_remainder_leads_to_amounts_too(bank, cast, outside):
    PaymentMethod.objects.filter(psp=bank).update(payout_minimum_minor=1, payout_fee_fixed_minor=1_500)
    with pytest.raises(AmountDoesNotGo, match=r"The fee .* Request €300\.00 or €315\.01 instead\."):
        ask(cast, outside, "310", psp=bank)


def test_where_the_method_is_the_only_way_its_own_words_are_enough(rich, outside):
    PaymentMethod.objects.filter(psp=outside.psp).update(payout_minimum_minor=5_000)
    with pytest.raises(DomainError, match=r"^Card pays out €50\.00 to .* at a time\.$"):
        ask(rich, outside, "49.99")


def test_the_portal_shows_it_and_keeps_what_was_typed(bank, cast, browse):
    answer = browse(cast.client_user).post(
        "/portal/wallet/withdraw/",
        {
            "amount": "310",
            "currency": "EUR",
            "psp": str(bank.pk),
            "request_key": "k",
            "to_iban": IBAN["iban"],
            "to_holder": IBAN["holder"],
        },
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and 'value="310"' in page
    assert "only €10.00 would go to" in page and "Request €300.00 or €350.00 instead." in page


def plan(cast, psp, amount: str, currency: str = "EUR"):
    minor = int(Decimal(amount) * 100)
    chosen = payout_method(cast.client, psp.pk, "", currency)
    return plan_withdrawal(cast.client, amount_minor=minor, currency=currency, chosen=chosen, destination=IBAN)


def test_the_search_costs_few_questions_to_the_database(bank, cast, outside):
    fund(cast.client, 15_000, key="more")
    with CaptureQueriesContext(connection) as queries, pytest.raises(AmountDoesNotGo):
        plan(cast, bank, "310")
    assert len(queries) <= 12


# A few numbers are quickly drawn; how quickly says the machine, which has other work too.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    left=st.lists(st.integers(1, 40), max_size=4),
    low=st.integers(1, 30),
    width=st.integers(0, 60),
    available=st.integers(1, 200),
    amount=st.integers(1, 200),
)
def test_the_nearest_amounts_are_those_that_a_slow_search_finds(left, low, width, available, amount):
    """Sources that take refunds of any size, then a method with limits."""

    def judge(asked: int) -> int:
        rest = max(asked - sum(left), 0)
        return 0 if not rest or low <= rest <= low + width else -1 if rest < low else 1

    steps, filled = [], 0
    for one in left:
        filled += one
        steps.append(min(filled, available))
    found = nearest(judge, [*steps, available], amount)
    less = [one for one in range(1, min(amount, available + 1)) if judge(one) == 0]
    more = [one for one in range(amount + 1, available + 1) if judge(one) == 0]
    if judge(amount) != 0:
        assert found == (max(less, default=None), min(more, default=None))


def test_a_psp_of_another_brand_is_refused(cast):
    """A caller who sees both brands can name it."""
    with pytest.raises(DomainError, match="no such PSP"):
        payout_method(cast.client, make_psp(cast.other_brand, "sepalink").pk, "", "EUR")
