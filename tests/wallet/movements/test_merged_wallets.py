"""Two records with a wallet each are merged: two wallets stay two, no money moves, each is reached from the kept record."""

import pytest
from django.test import RequestFactory
from django.urls import reverse

from clients.merging.merge import merge_clients, undo_merge
from clients.merging.views import merged_card
from tests.cast import make_client
from tests.wallet.factories import available, fund
from wallet.ledger import verification
from wallet.models import Account, Journal, Posting

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(cast):
    return make_client(brand=cast.brand, book=cast.book, email="clara@example.org", first_name="Clara")


def ledger():
    accounts = Account.objects.exclude(client=None).order_by("pk").values_list("pk", "client_id", "currency")
    return (
        list(accounts),
        Journal.objects.count(),
        list(Posting.objects.order_by("pk").values_list("pk", "amount_minor")),
    )


def test_two_wallets_stay_two_through_a_merge_and_its_undo(cast, twin, browse):
    mine, theirs = fund(cast.client, 100_00), fund(twin, 50_00)
    dollars = fund(twin, 7_00, "USD")
    before = ledger()
    merge = merge_clients(kept_id=cast.client.pk, merged_id=twin.pk, actor=cast.desk_head)
    assert ledger() == before, "no account, journal or posting was touched"
    assert [available(wallet) for wallet in (mine, theirs, dollars)] == [100_00, 50_00, 7_00]
    assert "wallet" not in " ".join(merge.moved)

    head = browse(cast.desk_head)
    request = RequestFactory().get("/")
    request.user = cast.desk_head
    ((row, stays, is_visible),) = merged_card(request, cast.client)["merges"]
    assert (row.merged_id, is_visible) == (twin.pk, True)
    assert ("Wallet accounts", 2) in [(str(label), count) for label, count in stays], (
        "the kept record says where they are"
    )
    assert head.get(reverse("client_tab", args=[twin.pk, "timeline"])).status_code == 200, "and its card leads there"

    fund(twin, 1_00, key="after the merge")
    fund(cast.client, 2_00, key="after the merge, the kept one")
    assert [available(wallet) for wallet in (mine, theirs)] == [102_00, 51_00], "each goes on by itself"

    after = ledger()
    undo_merge(merge_id=merge.pk, actor=cast.desk_head, reason="Two sisters")
    assert ledger() == after
    assert verification.verify().holds
