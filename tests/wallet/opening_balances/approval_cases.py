from tests.crm.approvals.cases import Case, approval_case
from tests.days import last_month
from tests.wallet.opening_balances.files import proposed
from wallet.models import Journal
from wallet.opening_balances.posting import post_opening_balances


@approval_case("opening-balances")
def opening_balances(cast, _use) -> Case:
    opening = proposed(cast, f"{cast.client.email};EUR;100.50;{last_month().isoformat()}")

    def journals() -> int:
        post_opening_balances(opening.pk)
        return Journal.objects.filter(idempotency_key__startswith=f"opening:{opening.reference}:").count()

    return Case(opening, cast.administrator, cast.finance, journals, "opening_balances_is_decided_by_somebody_else")
