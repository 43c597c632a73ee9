"""Who pays in, and whose account is paid, is screened: a possible match holds the payment until it is reviewed."""

import pytest

from compliance import hits
from compliance.models import Hit, ScreenedParty
from crm import events
from crm.errors import NotAllowed, WrongState
from tests.compliance.factories import load
from tests.wallet.deposits.test_arrivals import bank, make_intent, tell
from tests.wallet.withdrawals.test_withdrawal import IBAN, ask, rich
from wallet.choices.deposits import DepositState
from wallet.deposits import policies
from wallet.deposits.settlement import release_held_deposit
from wallet.withdrawals.verbs import WithdrawalNotPossible, approve_withdrawal

__all__ = ["bank", "rich"]
pytestmark = pytest.mark.django_db


def test_a_listed_payers_deposit_is_neither_credited_nor_returned(cast, bank, tmp_path):
    load(tmp_path, {"first": "Ivan", "second": "Petrov"})
    deposit = tell(make_intent(cast.client, bank), payer_name="PETROV IVAN")
    with pytest.raises(WrongState, match="watchlist"):  # the handler that screens hasn't run yet
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Her uncle")
    events.drain()
    hit = Hit.objects.get()
    assert (deposit.state, hit.party.role, hit.party.subject) == (DepositState.HELD, "payer", deposit.reference)
    with pytest.raises(NotAllowed, match="watchlist"):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Her uncle")
    assert not policies.can_refund_deposit(cast.finance, deposit)
    hits.clear_hit(hit_id=hit.pk, actor=cast.kyc_officer, reason_code="other", reason="Another Ivan Petrov, passport")
    assert policies.can_refund_deposit(cast.finance, deposit)
    release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Her uncle")


def test_a_listed_payee_stops_the_withdrawal(rich, outside, tmp_path):
    load(tmp_path, {"first": "Ivan", "second": "Petrov"})
    own = ask(rich, outside, "10")
    other = ask(rich, outside, "10", key="k2", destination={**IBAN, "holder": "Ivan Petrov"})
    events.drain()
    party = ScreenedParty.objects.get()
    assert (party.role, party.subject) == ("payee", other.reference) and Hit.objects.get().party == party
    for withdrawal in (other, own):
        with pytest.raises(WithdrawalNotPossible):
            approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
