"""Clients with a past of trading, for tests of retention."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from clients.choices import Stage
from clients.models import Client
from tests.cast import make_client
from tests.trading.factories import make_account, make_server
from trading.models import AccountResult, Deal

DAY = dt.timedelta(days=1)


class Floor:
    """Clients who traded every so many days until so many days ago."""

    def __init__(self, cast) -> None:
        self.cast, self.server, self.now, self.tickets = cast, make_server(), timezone.now(), 0

    def trader(self, name: str, *, every: int, until: int, times: int = 12, equity: int = 0, **fields: Any) -> Client:
        last = self.now - until * DAY
        client = make_client(
            brand=self.cast.brand,
            book=self.cast.client.book,
            email=f"{name}@example.com",
            **{"stage": Stage.ACTIVE, "last_trade_at": last, "registered_at": self.now - 700 * DAY, **fields},
        )
        account = make_account(client, self.server, equity=equity, equity_base=equity, balance=equity)
        AccountResult.objects.bulk_create(
            AccountResult(
                account=account,
                period="d",
                start=(last - n * every * DAY).date(),
                trades=1,
                wins=1,
                lots=1,
                net=0,
                net_base=0,
            )
            for n in range(times)
        )
        return client

    def closes(self, client: Client, *nets: int, days_ago: float = 0) -> None:
        """Closed trades, one an hour up to so many days ago; also in the day's sums."""
        account = client.trading_accounts.get()
        for n, net in enumerate(reversed(nets)):
            at = self.now - days_ago * DAY - n * dt.timedelta(minutes=5)
            self.tickets += 1
            Deal.every.create(
                executed_at=at,
                server=self.server,
                ticket=10_000_000 - self.tickets,
                account=account,
                login=account.login,
                server_msc=0,
                action=0,
                entry=1,
                symbol="EURUSD",
                lots=1,
                closed_lots=1,
                contract_size=100_000,
                price=1,
                price_position=1,
                profit=net,
                commission=0,
                swap=0,
                fee=0,
                position_id=self.tickets,
                order_id=0,
                raw={},
                synced_at=at,
            )
            row, is_new = AccountResult.objects.get_or_create(
                account=account,
                period="d",
                start=at.date(),
                defaults={"trades": 1, "wins": int(net >= 0), "lots": 1, "net": net, "net_base": net},
            )
            if not is_new:
                row.net_base += net
                row.save()
