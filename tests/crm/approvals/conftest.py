"""Outside systems that effects of approvals reach."""

from tests.trading.conftest import sandbox, server, shared_sandbox
from tests.wallet.bonuses.test_bonus import pro
from tests.wallet.conftest import outside
from tests.wallet.withdrawals.test_withdrawal import rich

__all__ = ["outside", "pro", "rich", "sandbox", "server", "shared_sandbox"]
