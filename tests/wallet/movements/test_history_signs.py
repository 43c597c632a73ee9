"""A sign and a colour are for booked money only: what expired, was refused or waits stands grey, without a sign."""

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.cast import signed_in
from tests.portal.conftest import verify
from tests.trading.factories import make_account, make_server
from tests.wallet.factories import fund, make_psp
from tests.wallet.intents import make_intent
from trading.models import BalanceOperation
from wallet.choices.deposits import DepositState
from wallet.choices.transfers import TransferState
from wallet.choices.withdrawals import WithdrawalState
from wallet.models import Deposit, Transfer
from wallet.movements import queries
from wallet.movements.queries import BOOKED

pytestmark = pytest.mark.django_db
BOOKED_DEPOSITS = {DepositState.SETTLED, DepositState.REFUNDED, DepositState.CHARGEBACK_REVERSED}


def test_every_state_of_a_movement_is_booked_or_not():
    assert BOOKED["deposit"] == BOOKED_DEPOSITS
    assert set(WithdrawalState) - BOOKED["withdrawal"] >= {WithdrawalState.REJECTED, WithdrawalState.CAME_BACK}
    assert BOOKED["transfer"] == {TransferState.SETTLED}


@pytest.fixture
def moves(cast) -> dict[str, Deposit]:
    """An expired and a pending deposit, and a booked one."""
    psp = make_psp(cast.brand, "northpay")
    made = {}
    for minor, state in ((80_000, "expired"), (70_000, "pending"), (60_000, "settled")):
        made[state] = make_intent(cast.client, psp, minor)
        more = (
            {"settled_at": timezone.now(), "received_minor": minor, "credited_minor": minor}
            if state == "settled"
            else {}
        )
        if more:
            more["journal_id"] = fund(cast.client, 1).postings.first().journal_id
        Deposit.objects.filter(pk=made[state].pk).update(state=state, **more)
    return made


@pytest.mark.parametrize("who", ["trader", "staff"])
def test_only_booked_money_has_a_sign_and_a_colour(cast, moves, browse, who):
    verify(cast.client)
    if who == "trader":
        page = signed_in(cast.client_user).get("/portal/wallet/history/").content.decode()
    else:
        page = browse(cast.finance).get(reverse("client_tab", args=[cast.client.pk, "money"])).content.decode()
    assert '<span class="money pos">+€600.00</span>' in page
    for amount in ("€800.00", "€700.00"):
        assert f'<span class="money faint">{amount}</span>' in page
        assert f"+{amount}" not in page


def test_what_leaves_is_below_zero_once_it_is_booked(cast):
    wallet = fund(cast.client, 50_000)
    account = make_account(cast.client, make_server())
    for number, state in enumerate(("failed", "sending")):
        Transfer.objects.create(
            client=cast.client,
            brand=cast.brand,
            wallet=wallet,
            trading_account_id=account.pk,
            trading_account_label="x",
            direction="to_wallet",
            reference=f"T-{number}",
            request_key=str(number),
            amount_minor=500,
            currency="EUR",
            state=state,
            operation_id=number + 1,
            created_at=timezone.now(),
        )
    lines = queries.history_of(cast.client)
    assert [(line.kind, line.is_booked) for line in lines] == [("transfer", False)] * 2 + [("booking", True)]


def test_an_operation_has_its_sign_once_the_platform_has_it(cast, browse):
    account = make_account(cast.client, make_server())
    for number, state in enumerate(("failed", "unknown", "confirmed")):
        done = {"ticket": 9, "settled_at": timezone.now()} if state == "confirmed" else {}
        BalanceOperation.objects.create(
            account=account,
            server=account.server,
            kind="withdrawal",
            amount=-100 - number,
            currency="EUR",
            reference=state,
            idempotency_key=state,
            state=state,
            sent_at=timezone.now(),
            **done,
        )
    page = browse(cast.finance).get(reverse("client_tab", args=[cast.client.pk, "trading"])).content.decode()
    assert '<span class="money faint">€100.00</span>' in page and '<span class="money faint">€101.00</span>' in page
    assert '<span class="money neg">' in page and "102.00" in page
