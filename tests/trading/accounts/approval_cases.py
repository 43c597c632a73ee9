from crm.models import AuditEvent
from tests.crm.approvals.cases import Case, approval_case
from tests.trading.accounts.test_balance_operation import platform_deals, reserve
from tests.trading.factories import make_account
from trading.accounts import balance_operations
from trading.accounts.operation_decisions import propose_decision


@approval_case("operation-decision")
def outcome(cast, use) -> Case:
    server, sandbox = use("server"), use("sandbox")
    account = make_account(cast.client, server, login=sandbox.new_account())
    operation = reserve(account)
    sandbox.fault("drop_after", "TRADE_BALANCE")
    balance_operations.send_operation(operation.pk)
    (deal,) = platform_deals(sandbox, account)
    decision = propose_decision(
        operation_id=operation.pk, actor=cast.finance, ticket=int(deal["Deal"]), reason="On the terminal"
    )
    return Case(
        decision,
        cast.finance,
        cast.second_finance,
        AuditEvent.objects.filter(action="trading.operation_confirmed").count,
        "operation_decision_is_decided_by_somebody_else",
    )
