"""Posting that is killed at any step goes on where it stopped, and credits every wallet once."""

import pytest

from crm import approvals
from tests.days import last_month
from tests.faults.killing import killed_at
from tests.wallet.opening_balances.files import proposed
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Account, Journal, OpeningBalances
from wallet.opening_balances.import_kind import BalanceKind
from wallet.opening_balances.posting import post_opening_balances


@pytest.mark.django_db(transaction=True)
def test_a_posting_killed_at_any_step_credits_each_wallet_once(cast, monkeypatch):
    monkeypatch.setattr(BalanceKind, "batch_rows", 1)
    day, clients = last_month().isoformat(), (cast.client, cast.other_client)
    opening = proposed(cast, *(f"{client.email};EUR;10;{day}" for client in clients))
    approvals.approve(OpeningBalances, opening.pk, actor=cast.finance)
    deaths, step = 0, 1
    while killed_at(step, lambda: post_opening_balances(opening.pk)):
        deaths, step = deaths + 1, step + 2
        wallets = Account.objects.filter(kind="client_wallet")
        balances = posting.balances([wallet.pk for wallet in wallets]).values()
        assert sum(balances) == 1000 * Journal.objects.filter(kind="opening").count(), "half a part was posted"
    assert deaths >= 4
    opening.refresh_from_db()
    assert opening.posted_at
    assert [posting.balance(posting.wallet_of(client, "EUR")) for client in clients] == [1000, 1000]
    assert verify().holds
