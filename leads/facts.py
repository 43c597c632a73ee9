"""Facts of a client that this app writes: score, status in the pipeline, where the person came from."""

from django.utils.translation import gettext_lazy as _

from clients.choices import SalesStatus
from clients.facts import fact, rebuild_client
from crm.conditions import FieldType

fact(
    "score",
    _("Score"),
    FieldType.NUMBER,
    owner="leads",
    sql="SELECT DISTINCT ON (client_id) client_id, score FROM leads_lead ORDER BY client_id, captured_at DESC, id DESC",
    default="0",
)
fact(
    "sales_status",
    _("Sales status"),
    FieldType.CHOICE,
    owner="leads",
    choices=lambda: SalesStatus.choices,
    sql="SELECT DISTINCT ON (client_id) client_id, after FROM leads_salesstatuschange ORDER BY client_id, id DESC",
    default="'new'",
)
fact(
    "source",
    _("Source"),
    FieldType.TEXT,
    owner="leads",
    sql="SELECT DISTINCT ON (client_id) client_id, source FROM leads_lead ORDER BY client_id, captured_at, id",
    default="''",
)
fact(
    "campaign",
    _("Campaign"),
    FieldType.TEXT,
    owner="leads",
    sql="""
    SELECT DISTINCT ON (l.client_id) l.client_id, coalesce(c.code, '')
    FROM leads_lead l LEFT JOIN leads_campaign c ON c.id = l.campaign_id ORDER BY l.client_id, l.captured_at, l.id
    """,
    default="''",
)


def rebuild_lead_facts(client_id: int) -> None:
    """Recompute the columns on the client that the leads app owns: score, source, campaign."""
    rebuild_client(client_id, "score", "source", "campaign")
