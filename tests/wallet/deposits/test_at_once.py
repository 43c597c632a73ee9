"""Two tellers of one payment at once, and money that arrives while somebody decides on what is held."""

from __future__ import annotations

import pytest

from tests.racing import race
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, make_intent
from wallet.deposits.verbs import apply_payment, release_held_deposit
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bank(cast):
    load_rates()
    return make_psp(cast.brand, "rhinebank", kind="bank")


def balance(cast):
    return posting.balance(posting.wallet_of(cast.client, "EUR"))


def test_a_payment_that_two_messages_tell_at_once_is_booked_once(cast, bank):
    view = captured(make_intent(cast.client, bank, 10_000))
    both = race(lambda: apply_payment(psp_id=bank.pk, view=view), lambda: apply_payment(psp_id=bank.pk, view=view))
    assert both.has_waited and not [one for one in (both.first, both.second) if isinstance(one, Exception)]
    assert balance(cast) == 10_000 and verify().holds


def test_of_two_first_deposits_at_once_one_is_the_first(cast, bank):
    views = [captured(make_intent(cast.client, bank, amount)) for amount in (10_000, 20_000)]
    both = race(
        lambda: apply_payment(psp_id=bank.pk, view=views[0]), lambda: apply_payment(psp_id=bank.pk, view=views[1])
    )
    assert both.has_waited
    assert Deposit.objects.filter(is_first=True).count() == 1 and balance(cast) == 30_000


def test_two_people_release_a_held_deposit_once(cast, bank):
    deposit = make_intent(cast.client, bank, 10_000)
    apply_payment(psp_id=bank.pk, view=captured(deposit, payer_name="Somebody Else"))

    def release(person):
        return release_held_deposit(deposit_id=deposit.pk, actor=person, reason="Her husband")

    both = race(lambda: release(cast.finance), lambda: release(cast.second_finance))
    assert both.has_waited and isinstance(both.first, Deposit) and isinstance(both.second, Exception)
    assert balance(cast) == 10_000 and verify().holds
