"""Facts of a client that compliance writes."""

from django.utils.translation import gettext_lazy as _

from clients import proofs
from clients.choices import RiskRating
from clients.facts import fact
from compliance.choices import RestrictionKind
from crm.conditions import FieldType

proofs.register(
    {"screening_clear": proofs.Proof(_("Watchlist screening without matches"), for_companies=None)},
    sql="SELECT DISTINCT s.client_id, 'screening_clear' FROM compliance_screening s WHERE s.party_id IS NULL AND NOT EXISTS ("
    "SELECT 1 FROM compliance_hit h WHERE h.client_id = s.client_id AND h.state IN ('open', 'confirmed') AND NOT EXISTS ("
    "SELECT 1 FROM compliance_delisting d WHERE d.hit_id = coalesce(h.part_of_id, h.id) AND d.state = 'lifted'))"
    " AND NOT EXISTS (SELECT 1 FROM compliance_vendorcheck v WHERE v.client_id = s.client_id AND v.party_id IS NULL"
    " AND v.hold_id IS NOT NULL)",
)
fact(
    "risk_rating",
    _("Risk rating"),
    FieldType.CHOICE,
    owner="compliance",
    choices=lambda: RiskRating.choices,
    sql="SELECT client_id, rating FROM compliance_riskassessment WHERE is_current",
    default="'unrated'",
)
fact(
    "restrictions",
    _("Restrictions"),
    FieldType.SET,
    owner="compliance",
    choices=lambda: RestrictionKind.choices,
    sql="SELECT client_id, array_agg(DISTINCT kind ORDER BY kind)::varchar(30)[] FROM compliance_restriction "
    "WHERE lifted_at IS NULL GROUP BY client_id",
    default="'{}'::varchar(30)[]",
)
