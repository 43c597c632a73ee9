"""The facts of a client that the wallet writes."""

from django.utils.translation import gettext_lazy as _

from clients.facts import fact
from clients.identifiers import source
from compliance.aml import stream
from compliance.retention.obstacles import obstacle
from crm.conditions import FieldType
from kyc.levels.ladder import METHOD_KINDS
from wallet.bank.payers import arrivals
from wallet.choices.psp import PspKind
from wallet.core import erasing
from wallet.deposits import aml_movements as aml_deposits
from wallet.models import WalletFacts
from wallet.withdrawals import aml_movements as aml_withdrawals
from wallet.withdrawals.destinations import payout_destinations

METHOD_KINDS.update(PspKind.choices)
fact(
    "first_deposit_at",
    _("First deposit"),
    FieldType.MOMENT,
    owner="wallet",
    sql="SELECT client_id, min(settled_at) FROM wallet_deposit WHERE settled_at IS NOT NULL GROUP BY client_id",
)
# In the brand's base currency, each movement at the rate of its own day. What went back by a withdrawal of ours counts there;
# a refund made at the PSP counts as its share of the deposit.
fact(
    "net_deposits",
    _("Net deposits"),
    FieldType.MONEY,
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
fact(
    "deposits_count",
    _("Deposits"),
    FieldType.NUMBER,
    owner="wallet",
    side=WalletFacts,
    sql="SELECT client_id, count(*) FROM wallet_deposit WHERE settled_at IS NOT NULL GROUP BY client_id",
    default="0",
    absent=0,
)
fact(
    "last_deposit_at",
    _("Last deposit"),
    FieldType.MOMENT,
    owner="wallet",
    side=WalletFacts,
    sql="SELECT client_id, max(settled_at) FROM wallet_deposit WHERE settled_at IS NOT NULL GROUP BY client_id",
)
fact(
    "last_withdrawal_at",
    _("Last withdrawal"),
    FieldType.MOMENT,
    owner="wallet",
    side=WalletFacts,
    sql="SELECT client_id, max(finished_at) FROM wallet_withdrawal "
    "WHERE state = 'settled' AND purpose = 'withdrawal' GROUP BY client_id",
)
source("wallet.payouts", payout_destinations)
source("wallet.arrivals", arrivals)
obstacle(_("The client's wallet isn't empty."), erasing.has_money)
obstacle(_("A deposit or withdrawal isn't finished."), erasing.has_payments)
stream.source("wallet.deposits", aml_deposits.settled)
stream.source("wallet.taken_back", aml_deposits.taken_back)
stream.source("wallet.withdrawals", aml_withdrawals.requested)
