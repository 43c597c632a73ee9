from crm.choices import Role
from crm.models import AuditEvent
from tests.crm.approvals.cases import Case, approval_case
from tests.trading.accounts.test_lost_opening import lost
from tests.trading.factories import make_type
from tests.trading.imports.test_imports import new_login, read, row
from trading.accounts import opening
from trading.imports.client_proposals import propose_client
from trading.imports.login_proposals import propose_login
from trading.models import TradingAccount


@approval_case("login-proposal")
def login(cast, use) -> Case:
    account = lost(cast, use("server"))
    made = use("sandbox").new_account(COMMENT=opening.reference_of(account.pk))
    proposal = propose_login(account_id=account.pk, login=made, actor=cast.support, reason="Seen in the manager")
    return Case(
        proposal,
        cast.support,
        cast.desk_head,
        AuditEvent.objects.filter(action="trading.account_opened").count,
        "login_proposal_is_decided_by_somebody_else",
        role=Role.SUPPORT,
        outsider=cast.finance,
    )


@approval_case("client-of-login")
def client(cast, use) -> Case:
    server, sandbox = use("server"), use("sandbox")
    make_type(cast.brand, server)
    login = new_login(sandbox, NAME="Rich Stranger", EMAIL="rich@example.org")
    read(cast, server, login)
    proposed = propose_client(
        row_id=row(login).pk, actor=cast.support, client_id=cast.client.pk, reason="Their contract names the login"
    )
    return Case(
        proposed,
        cast.support,
        cast.administrator,
        TradingAccount.objects.count,
        "proposed_client_is_attached_by_somebody_else",
        forged={"decided_by": cast.support},
        role=Role.SUPPORT,
        outsider=cast.agent,
    )
