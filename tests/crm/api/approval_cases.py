from crm.api.tokens import TokenDetails, create_token
from crm.choices import Role
from crm.models import ApiScopeRequest, ApiToken
from tests.crm.approvals.cases import Case, approval_case


@approval_case("api_scopes")
def scopes(cast, _use) -> Case:
    details = TokenDetails("Export", ("ledger:read",), reason="Accounting")
    create_token(user_id=cast.finance.pk, actor=cast.finance, details=details)
    return Case(
        ApiScopeRequest.objects.get(),
        cast.finance,
        cast.administrator,
        ApiToken.objects.filter(scopes__contains=["ledger:read"]).count,
        "api_scope_request_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
    )
