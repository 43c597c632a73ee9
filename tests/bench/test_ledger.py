"""`bench ledger` on a few wallets: pgbench posts through our own function, and every figure is measured."""

import pytest
from django.db import connection

from bench import ledger
from wallet.ledger.verification import verify

pytestmark = pytest.mark.django_db(transaction=True)


def test_pgbench_posts_between_the_wallets_and_the_books_hold():
    brand, names = ledger.accounts(20)
    server, database = ledger.Server.of_settings(), str(connection.settings_dict["NAME"])
    for script in (ledger.HOT, ledger.RANDOM):
        run = ledger.measured(server, database, script, clients=4, seconds=1, names=names)
        assert run.tps > 0 and run.cpu_ms >= 0
    assert ledger.inversions().ok
    assert ledger.size_of_a_posting().value > 100
    assert ledger.batches(brand, names, rounds=1).value > 0
    assert [figure.value > 0 for figure in ledger.proof(brand, names, 100, rounds=2)] == [True, True]
    assert ledger.stored_webhooks(brand, 5).value > 0
    assert verify(deep=True).problems == []


def test_pgbench_says_why_it_failed():
    _brand, names = ledger.accounts(2)
    server, database = ledger.Server.of_settings(), str(connection.settings_dict["NAME"])
    with pytest.raises(RuntimeError, match="not one of its brand"):
        ledger.measured(server, database, ledger.HOT, clients=1, seconds=1, names={**names, "hot": 0})
