"""Facts of a client that this app writes: score, status in the pipeline, where the person came from, what they declared."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from clients.choices import SalesStatus
from clients.facts import fact, rebuild_client
from clients.identifiers import IdentifierKind, Seen, source
from crm.conditions import FieldType
from leads.choices import DECLARED, Experience, LeadRefusal
from leads.models import Lead, LeadFacts

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
fact(
    "refusal",
    _("Enquiry refused"),
    FieldType.CHOICE,
    owner="leads",
    side=LeadFacts,
    choices=lambda: LeadRefusal.choices,
    sql="""
    SELECT client_id, refusal FROM (
      SELECT DISTINCT ON (client_id) client_id, refusal FROM leads_lead ORDER BY client_id, captured_at DESC, id DESC
    ) newest WHERE refusal <> ''
    """,
)
fact(
    "experience",
    _("Trading experience"),
    FieldType.CHOICE,
    owner="leads",
    side=LeadFacts,
    choices=lambda: Experience.choices,
    sql="""
    SELECT DISTINCT ON (client_id) client_id, experience FROM leads_lead WHERE experience <> ''
    ORDER BY client_id, captured_at DESC, id DESC
    """,
)
fact(
    "intended_deposit",
    _("Intended deposit"),
    FieldType.MONEY,
    owner="leads",
    side=LeadFacts,
    sql="""
    SELECT DISTINCT ON (client_id) client_id, intended_in_base FROM leads_lead WHERE intended_in_base IS NOT NULL
    ORDER BY client_id, captured_at DESC, id DESC
    """,
)


def rebuild_lead_facts(client_id: int) -> None:
    """Recompute the facts of a client that the leads app owns, but for the sales status."""
    rebuild_client(client_id, "score", "source", "campaign", "refusal", *DECLARED)


def networks() -> Iterator[Seen]:
    """Yield the networks that leads came from."""
    rows = Lead.objects.exclude(ip=None).values_list("client_id", "ip", "captured_at").order_by("pk")
    for client_id, ip, at in rows.iterator(chunk_size=10_000):
        yield Seen(client_id, IdentifierKind.IP_PREFIX, str(ip), at)


source("leads.captures", networks)
