"""What the database itself refuses."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.db.partitions import ensure_months
from crm.errors import WrongState
from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from trading.choices import AccountState, OperationKind, OperationState
from trading.models import BalanceOperation, Deal, TradingAccount

pytestmark = pytest.mark.django_db


def insert_deal(server_id: int, account_id: int | None, ticket: int, at: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trading_deal (executed_at, server_id, ticket, account_id, login, server_msc, action, entry, lots,"
            " closed_lots, contract_size, price, price_position, profit, commission, swap, fee, position_id, order_id, raw)"
            " VALUES (%s, %s, %s, %s, '1', 0, 0, 0, 1, 0, 100000, 1, 0, 0, 0, 0, 0, 1, 1, '{}')",
            [at, server_id, ticket, account_id],
        )


def test_the_password_of_a_server_is_stored_encrypted(cast: Cast) -> None:
    server = make_server(password="Geheim-1000!")
    server.refresh_from_db()
    assert server.password() == "Geheim-1000!"
    assert b"Geheim" not in bytes(server.credentials)


def test_a_login_is_unique_on_its_server_but_not_across_servers(cast: Cast) -> None:
    one, other = make_server(), make_server(name="Second")
    make_account(cast.client, one, login="500001")
    make_account(cast.client, other, login="500001")
    with pytest.raises(IntegrityError, match="login_is_unique_on_its_server"), transaction.atomic():
        make_account(cast.other_client, one, login="500001")


def test_an_open_account_needs_a_login(cast: Cast) -> None:
    account = make_account(cast.client, make_server())
    with pytest.raises(IntegrityError, match="open_account_has_login_and_date"), transaction.atomic():
        TradingAccount.objects.filter(pk=account.pk).update(login="")


def test_the_same_ticket_on_two_servers_is_two_deals(cast: Cast) -> None:
    one, other = make_server(), make_server(name="Second")
    account = make_account(cast.client, one)
    now = timezone.now()
    insert_deal(one.pk, account.pk, 77, now)
    insert_deal(other.pk, None, 77, now)
    assert Deal.objects.filter(ticket=77).count() == 2
    with pytest.raises(IntegrityError, match="server_id_ticket"), transaction.atomic():
        insert_deal(one.pk, account.pk, 77, now)


def test_deals_go_to_the_partition_of_their_month(cast: Cast) -> None:
    ensure_months("trading_deal", dt.date(2026, 5, 1), dt.date(2026, 5, 31))
    server = make_server()
    insert_deal(server.pk, None, 1, dt.datetime(2026, 5, 31, 23, 59, tzinfo=dt.UTC))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM trading_deal WHERE ticket = 1")
        assert cursor.fetchone() == ("trading_deal_2026_05",)


def make_operation(account: TradingAccount, **fields: object) -> BalanceOperation:
    number = BalanceOperation.objects.count()
    values: dict[str, object] = {
        "account": account,
        "server": account.server,
        "kind": OperationKind.DEPOSIT,
        "amount": Decimal("10"),
        "currency": "EUR",
        "reference": f"D:{number}",
        "idempotency_key": f"k{number}",
    }
    return BalanceOperation.objects.create(**{**values, **fields})


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"amount": Decimal("-1")}, "operation_amount_has_the_sign_of_its_kind"),
        ({"kind": "withdrawal"}, "operation_amount_has_the_sign_of_its_kind"),
        ({"kind": "credit", "amount": Decimal("0")}, "operation_amount_has_the_sign_of_its_kind"),
        ({"state": "confirmed", "sent_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "confirmed_operation_has_a_ticket"),
        ({"state": "sent"}, "sent_operation_has_a_time"),
    ],
)
def test_senseless_operations_are_refused(cast: Cast, fields: dict[str, object], constraint: str) -> None:
    account = make_account(cast.client, make_server())
    with pytest.raises(IntegrityError, match=constraint):
        make_operation(account, **fields)


def test_one_ticket_settles_one_operation(cast: Cast) -> None:
    account = make_account(cast.client, make_server())
    done = {"state": "confirmed", "ticket": 5, "sent_at": timezone.now(), "settled_at": timezone.now()}
    make_operation(account, **done)
    with pytest.raises(IntegrityError, match="one_ticket_settles_one_operation"):
        make_operation(account, **done)


def test_states_move_only_as_the_tables_say(cast: Cast) -> None:
    account = make_account(cast.client, make_server())
    with pytest.raises(WrongState):
        account.move_to(AccountState.REQUESTED)
    operation = make_operation(account)
    operation.move_to(OperationState.SENT)
    operation.move_to(OperationState.UNKNOWN)
    with pytest.raises(WrongState):
        operation.move_to(OperationState.SENT)  # an unknown outcome is never sent again
