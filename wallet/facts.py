"""The facts of a client that the wallet writes."""

from clients.facts import fact

fact(
    "first_deposit_at",
    owner="wallet",
    sql="SELECT client_id, min(settled_at) FROM wallet_deposit WHERE settled_at IS NOT NULL GROUP BY client_id",
)
# In the brand's base currency, each movement at the rate of its own day. What went back by a withdrawal of ours counts there;
# a refund made at the PSP counts as its share of the deposit.
fact(
    "net_deposits",
    owner="wallet",
    sql=(
        "SELECT client_id, sum(amount) FROM ("
        "SELECT client_id, round(base_amount * (received_minor - charged_back_minor) / received_minor, 2) AS amount "
        "FROM wallet_deposit WHERE state IN ('settled', 'cb_reversed', 'refunded') "
        "UNION ALL SELECT d.client_id, round(d.base_amount * m.amount_minor / d.received_minor, 2) "
        "FROM wallet_pspmovement m JOIN wallet_deposit d ON d.reference = m.reference "
        "WHERE m.kind = 'refund' AND d.state IN ('settled', 'cb_reversed', 'refunded') "
        "UNION ALL SELECT client_id, -base_amount FROM wallet_withdrawal WHERE state = 'settled' AND NOT from_suspense"
        ") movements GROUP BY client_id"
    ),
    default="0",
)
