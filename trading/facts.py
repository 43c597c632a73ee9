"""Facts on the client's record that trading writes."""

from clients.facts import fact

fact(
    "last_trade_at",
    owner="trading",
    # To the minute: see `results.raise_last_trades`.
    sql="""
    SELECT a.client_id, date_trunc('minute', max(d.executed_at))
    FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id
    WHERE d.action IN (0, 1) AND d.deleted_at IS NULL AND NOT a.is_demo GROUP BY a.client_id
    """,
    # It is written with the sums of its days, in the transaction that takes these rows away.
    waiting="SELECT a.client_id FROM trading_changedday w JOIN trading_tradingaccount a ON a.id = w.account_id",
)
fact(
    "equity",
    owner="trading",
    sql="SELECT client_id, sum(equity_base) FROM trading_tradingaccount WHERE NOT is_demo GROUP BY client_id",
    default="0",
)
