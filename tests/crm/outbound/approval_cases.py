from crm.choices import Role
from crm.models import WebhookEndpoint
from crm.outbound.endpoints import EndpointDetails, create_endpoint
from crm.outbound.personal_data import propose_personal_data
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("webhook-data")
def personal_data(cast, _use) -> Case:
    endpoint = create_endpoint(
        brand_id=cast.brand.pk,
        actor=cast.administrator,
        details=EndpointDetails("Dialler", "https://hooks.example/in", ["lead.assigned"]),
    )
    return Case(
        propose_personal_data(endpoint_id=endpoint.pk, actor=cast.administrator, reason="The dialler needs it"),
        cast.administrator,
        make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand),
        WebhookEndpoint.objects.filter(has_personal_data=True).count,
        "webhook_data_proposal_is_decided_by_somebody_else",
        role=Role.ADMINISTRATOR,
    )
