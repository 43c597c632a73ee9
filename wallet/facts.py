"""The facts of a client that the wallet writes."""

from clients.facts import fact

fact(
    "first_deposit_at",
    owner="wallet",
    sql="SELECT client_id, min(settled_at) FROM wallet_deposit WHERE settled_at IS NOT NULL GROUP BY client_id",
)
# In the brand's base currency, each movement at the rate of its own day.
fact(
    "net_deposits",
    owner="wallet",
    sql=(
        "SELECT client_id, sum(amount) FROM ("
        "SELECT client_id, base_amount AS amount FROM wallet_deposit "
        "WHERE state IN ('settled', 'cb_reversed') "
        "UNION ALL SELECT client_id, -base_amount FROM wallet_withdrawal WHERE state = 'settled'"
        ") movements GROUP BY client_id"
    ),
    default="0",
)
