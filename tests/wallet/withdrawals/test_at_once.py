"""A withdrawal decided on twice at once ends in one way, and money that is asked for twice at once is there once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm.errors import DomainError
from tests.racing import race
from tests.wallet.factories import available, fund, make_psp
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Withdrawal
from wallet.withdrawals.verbs import (
    WithdrawalRequest,
    approve_withdrawal,
    cancel_withdrawal,
    reject_withdrawal,
    request_withdrawal,
)

pytestmark = pytest.mark.django_db(transaction=True)
IBAN = {"iban": "DE02 5001 0517 0137 0750 30", "holder": "Clara Weber"}


@pytest.fixture
def ask(cast):
    cast.client.kyc_level = 2
    cast.client.save()
    fund(cast.client, 50_000)
    bank = make_psp(cast.brand, "rhinebank", kind="bank", pays_out=True)

    def request(key, amount="400"):
        return request_withdrawal(
            client_id=cast.client.pk,
            request=WithdrawalRequest(psp_id=bank.pk, amount=Decimal(amount), currency="EUR", destination=IBAN),
            request_key=key,
            actor=cast.client_user,
        )

    return request


def test_the_same_money_is_asked_for_twice_at_once_and_held_once(cast, ask):
    both = race(lambda: ask("one"), lambda: ask("two"))
    assert isinstance(both.first, Withdrawal) and isinstance(both.second, DomainError) and both.has_waited
    assert Withdrawal.objects.count() == 1
    assert available(posting.wallet_of(cast.client, "EUR")) == 10_000 and verify().holds


@pytest.mark.parametrize("rival", [reject_withdrawal, cancel_withdrawal])
def test_a_decision_and_its_opposite_at_once_end_in_one(cast, ask, rival):
    pk = ask("one").pk

    def oppose():
        if rival is reject_withdrawal:
            return reject_withdrawal(withdrawal_id=pk, actor=cast.second_finance, reason="No")
        return cancel_withdrawal(withdrawal_id=pk, actor=cast.client_user)

    both = race(oppose, lambda: approve_withdrawal(withdrawal_id=pk, actor=cast.finance, reason="Fine"))
    assert both.has_waited and isinstance(both.first, Withdrawal) and isinstance(both.second, DomainError)
    assert Withdrawal.objects.get().state == both.first.state
    assert available(posting.wallet_of(cast.client, "EUR")) == 50_000 and verify().holds
