from crm.choices import Role
from monitoring import alerts
from monitoring.choices import Verdict
from monitoring.models import ConfirmationProposal, Decision
from tests.crm.approvals.cases import Case, approval_case
from tests.monitoring.factories import make_alert


@approval_case("monitoring-misuse")
def misuse(cast, _use) -> Case:
    alert = make_alert(cast.agent)
    alerts.decide(alert_id=alert.pk, actor=cast.desk_head, verdict=Verdict.CONFIRMED, text="Sold the list")
    return Case(
        ConfirmationProposal.objects.get(),
        cast.desk_head,
        cast.mlro,
        Decision.objects.count,
        "misuse_confirmation_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
