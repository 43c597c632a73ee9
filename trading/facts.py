"""Facts on the client's record that trading writes."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from clients.facts import fact
from clients.models import Client
from compliance.aml import stream
from compliance.retention.obstacles import obstacle
from crm.conditions import FieldType
from trading.choices import AccountState
from trading.models import TradingAccount, TradingFacts
from trading.sync import closed_positions

# What is summed up is written with the sums of its days, in the transaction that takes these rows away.
WAITING = "SELECT a.client_id FROM trading_changedday w JOIN trading_tradingaccount a ON a.id = w.account_id"

fact(
    "last_trade_at",
    _("Last trade"),
    FieldType.MOMENT,
    owner="trading",
    # To the minute: see `results.raise_last_trades`.
    sql="""
    SELECT a.client_id, date_trunc('minute', max(d.executed_at))
    FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id
    WHERE d.action IN (0, 1) AND d.deleted_at IS NULL AND NOT a.is_demo GROUP BY a.client_id
    """,
    waiting=WAITING,
)
fact(
    "equity",
    _("Equity"),
    FieldType.MONEY,
    owner="trading",
    side=TradingFacts,
    sql="SELECT client_id, sum(equity_base) FROM trading_tradingaccount WHERE NOT is_demo GROUP BY client_id",
    default="0",
    absent=Decimal(0),
)
for name, label, column in (("trades_closed", _("Closed trades"), "trades"), ("lots_closed", _("Closed lots"), "lots")):
    fact(
        name,
        label,
        FieldType.NUMBER if column == "trades" else FieldType.DECIMAL,
        owner="trading",
        side=TradingFacts,
        sql=f"""
        SELECT a.client_id, sum(r.{column}) FROM trading_accountresult r JOIN trading_tradingaccount a ON a.id = r.account_id
        WHERE r.period = 'm' AND NOT a.is_demo GROUP BY a.client_id
        """,  # noqa: S608 - constants
        default="0",
        absent=Decimal(0) if column == "lots" else 0,
        waiting=WAITING,
    )
stream.source("trading.closed_positions", closed_positions.history)


def has_open_accounts(client: Client) -> bool:
    """Check for trading accounts with real money that aren't closed."""
    over = (AccountState.ARCHIVED, AccountState.FAILED)
    return TradingAccount.objects.filter(client=client, is_demo=False).exclude(state__in=over).exists()


obstacle(_("A trading account isn't closed."), has_open_accounts)
