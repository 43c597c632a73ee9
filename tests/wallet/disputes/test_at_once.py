"""A chargeback and a withdrawal of the same money, at once: whoever comes second reads what the first left."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm.errors import DomainError
from tests.racing import race
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, dispute_event, make_intent
from wallet.deposits.verbs import apply_payment
from wallet.disputes.verbs import apply_dispute
from wallet.ledger.verification import verify
from wallet.models import Deposit, Withdrawal
from wallet.psp.values import EventKind
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

pytestmark = pytest.mark.django_db(transaction=True)
IBAN = {"iban": "DE02 5001 0517 0137 0750 30", "holder": "Clara Weber"}


def test_money_that_is_charged_back_is_not_asked_for_meanwhile(cast):
    load_rates()
    cast.client.kyc_level = 2
    cast.client.save()
    deposit = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit))
    bank = make_psp(cast.brand, "rhinebank", kind="bank", pays_out=True)

    def charge_back():
        event = dispute_event(Deposit.objects.get(), EventKind.CHARGEBACK, 50_000)
        return apply_dispute(psp_id=deposit.psp_id, event=event)

    def ask():
        return request_withdrawal(
            client_id=cast.client.pk,
            request=WithdrawalRequest(psp_id=bank.pk, amount=Decimal(400), currency="EUR", destination=IBAN),
            request_key="one",
            actor=cast.client_user,
        )

    both = race(charge_back, ask)
    assert both.has_waited and isinstance(both.second, DomainError)
    assert not Withdrawal.objects.exists() and verify().holds
